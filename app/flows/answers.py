"""Two questions instead of a table nobody reads: what they say about severity."""

from app.flows.document import FlowDocument


def severity(flow: FlowDocument, *, line_stopped: bool | None, danger: bool | None) -> int:
    """Return 1 (urgent) to 4 (minor).

    A stopped line, or a person or a customer at risk, is urgent whatever the category. Two times "no" is at most
    ordinary. A question without an answer leaves what the flow says.
    """
    if line_stopped or danger:
        return 1
    if line_stopped is False and danger is False:
        return max(flow.severity, 3)
    return flow.severity
