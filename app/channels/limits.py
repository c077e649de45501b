"""What providers allow, and what ladders call them. Nothing here loads a channel.

A group's robot takes 20 messages a minute; who sends more is silenced for ten minutes, in the middle of a bad shift. So
between two messages to the same place there is always a pause, and what came up meanwhile is one message: the pause is
kept in the outlet's row, where every worker sees it.
"""

from collections.abc import Iterable
from typing import Final

PAUSE: Final[dict[str, float]] = {"wecom": 4.0, "dingtalk": 4.0, "feishu": 1.5}  # seconds; 15, 15 and 40 a minute
SILENCED: Final = 600.0  # seconds a robot stays silent after it was told to
DIGEST: Final = 20  # lines of one digest; what is beyond is counted

SILENT: Final = frozenset({"stream", "log", "board", "stacklight", "mqtt"})  # they disturb nobody's evening
GROUPS: Final[dict[str, frozenset[str]]] = {
    "chat": frozenset({"wecom", "dingtalk", "feishu", "dingtalk_stream", "feishu_long", "wecom_smart"}),
    "signal": frozenset({"mqtt", "stacklight", "board"}),
    "siren": frozenset({"mqtt", "stacklight"}),
    "phone": frozenset({"voice"}),
}
"""What a rung may say instead of a channel: whichever of them the plant has."""


def meant(channels: Iterable[str]) -> frozenset[str]:
    """Return the channels a rung means: those it names, and those of the groups it names."""
    return frozenset().union(*(GROUPS.get(name, frozenset({name})) for name in channels))
