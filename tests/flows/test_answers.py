"""What the two questions say about severity."""

import pytest

from app.flows import starter
from app.flows.answers import severity

FLOWS = {document.category: document for document in starter.documents()}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=list(FLOWS))
@pytest.mark.parametrize("stopped", [True, False, None])
@pytest.mark.parametrize("danger", [True, False, None])
def test_every_answer_in_every_category(flow, stopped, danger):
    level = severity(flow, line_stopped=stopped, danger=danger)

    if stopped or danger:
        assert level == 1
    elif stopped is None or danger is None:
        assert level == flow.severity
    else:
        assert level == max(flow.severity, 3)
