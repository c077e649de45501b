"""The ladders a plant starts with; it may change every one of them.

Times after Chinese andon practice (team lead within 5, engineer within 15, management within 30 minutes) for severity
2; there is no universal standard. The first people called see it on their own phone; each step further up adds what is
harder to overhear: the lamp and the hall board, the group's chat, the telephone.
"""

from app.flows.document import DAY, HOUR, MINUTE, Audience, Ladder, Rung
from app.people.models import Role

DUTY = Audience(team="owner")
LINE_LEAD = Audience(role=Role.TEAM_LEAD, line=True)
LEADS = Audience(role=Role.TEAM_LEAD)
ENGINEERS = Audience(role=Role.ENGINEER)
MANAGERS = Audience(role=Role.MANAGER)
OWNER = Audience(owner=True)
UNSEEN = Audience(unseen=True, deputies=True)


SIGNAL, CHAT, CALL = ("signal",), ("chat",), ("chat", "voice")
Step = tuple[int, tuple[Audience, ...], tuple[str, ...]]


def _ladder(*, shown: int, accept: list[Step], on_site: int, resolve: int, verify: int) -> Ladder:
    rungs = [Rung(clock="accepted", after=after, call=call, channels=channels) for after, call, channels in accept]
    if shown:
        rungs.append(Rung(clock="displayed", after=shown, call=(UNSEEN,), channels=("chat", "sms")))
    if on_site:
        rungs.append(Rung(clock="on_site", after=on_site, call=(OWNER, LINE_LEAD)))
    rungs.append(Rung(clock="resolved", after=resolve, call=(OWNER, LINE_LEAD, ENGINEERS)))
    rungs.append(Rung(clock="verified", after=0, call=(LINE_LEAD,)))
    rungs.append(Rung(clock="verified", after=verify, call=(LEADS, MANAGERS)))
    return Ladder(rungs=tuple(rungs))


STARTING: dict[int, Ladder] = {
    1: _ladder(
        shown=30,
        accept=[
            (0, (DUTY, LINE_LEAD), ()),
            (2 * MINUTE, (LEADS, ENGINEERS), SIGNAL),
            (5 * MINUTE, (MANAGERS,), CHAT),
            (15 * MINUTE, (DUTY, LEADS, ENGINEERS, MANAGERS), CALL),
            (30 * MINUTE, (MANAGERS,), CALL),
        ],
        on_site=5 * MINUTE,
        resolve=HOUR,
        verify=8 * HOUR,
    ),
    2: _ladder(
        shown=MINUTE,
        accept=[
            (0, (DUTY, LINE_LEAD), ()),
            (5 * MINUTE, (LEADS, ENGINEERS), SIGNAL),
            (15 * MINUTE, (MANAGERS,), CHAT),
            (30 * MINUTE, (MANAGERS,), CALL),
            (2 * HOUR, (MANAGERS,), CALL),
        ],
        on_site=10 * MINUTE,
        resolve=2 * HOUR,
        verify=DAY,
    ),
    3: _ladder(
        shown=5 * MINUTE,
        accept=[
            (0, (DUTY,), ()),
            (15 * MINUTE, (LINE_LEAD,), ()),
            (HOUR, (ENGINEERS,), CHAT),
            (4 * HOUR, (MANAGERS,), CHAT),
            (8 * HOUR, (MANAGERS,), CALL),
        ],
        on_site=30 * MINUTE,
        resolve=4 * HOUR,
        verify=2 * DAY,
    ),
    4: _ladder(
        shown=0,
        accept=[(0, (DUTY,), ()), (8 * HOUR, (LINE_LEAD,), ()), (2 * DAY, (LEADS,), ()), (5 * DAY, (MANAGERS,), ())],
        on_site=0,
        resolve=3 * DAY,
        verify=7 * DAY,
    ),
}
