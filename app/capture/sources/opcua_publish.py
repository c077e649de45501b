"""Asks a server for what has changed, and reads the answer. Changes are read by hand: they are nearly all that comes.

The library makes ten objects of each change and takes ten times as long (12 µs against 1). Whatever is not a plain
number, truth value or text is still left to it, and so are events and everything else in an answer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import (
    extensionobject_from_binary,
    nodeid_from_binary,
    struct_from_binary,
    variant_from_binary,
)

EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
CHANGES = ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary
HEAD = Struct("<IB")  # client handle, and which parts of a value follow
WORD, LONG = Struct("<I"), Struct("<q")
VALUE, STATUS, SOURCE_TIME, SERVER_TIME, SOURCE_PICOS, SERVER_PICOS = (1 << bit for bit in range(6))
LATEST = 2_650_467_743_990_000_000  # in 100 ns: the end of the year 9999

PLAIN: dict[int, Struct] = {
    1: Struct("<?"),
    2: Struct("<b"),
    3: Struct("<B"),
    4: Struct("<h"),
    5: Struct("<H"),
    6: Struct("<i"),
    7: Struct("<I"),
    8: Struct("<q"),
    9: Struct("<Q"),
    10: Struct("<f"),
    11: Struct("<d"),
}
"""How the content of one value is written, by its type: Boolean to Double."""


class Change(NamedTuple):
    """A value that a tag had. `handle` is the number we gave the tag, `stamp` the source's time or the server's."""

    handle: int
    value: Any
    code: int
    stamp: datetime | None


class Answer(NamedTuple):
    """What a server tells at once. `others` are notifications of other kinds, as the library has them."""

    subscription: int
    sequence: int
    changes: list[Change]
    others: list[Any]

    @property
    def says_something(self) -> bool:
        """Or is it only alive?"""
        return bool(self.changes or self.others)


class Unreadable(Exception):
    """The server answered, but nobody can say what."""


async def publish(session: Any, acknowledge: Sequence[ua.SubscriptionAcknowledgement]) -> Answer:
    """Wait for the next message of a subscription.

    Raises:
        Unreadable: a message came that cannot be decoded.
        ua.UaStatusCodeError: the server refuses.
    """
    request = ua.PublishRequest()
    request.Parameters.SubscriptionAcknowledgements = list(acknowledge)
    data = await session._send_request(request, timeout=0)
    try:
        return decode(data)
    except Exception as error:
        raise Unreadable from error


def decode(data: Buffer) -> Answer:
    """Read the answer to a Publish request."""
    nodeid_from_binary(data)
    struct_from_binary(ua.ResponseHeader, data)
    subscription = _word(data)
    for _ in range(_count(data)):
        data.skip(4)  # what it could send once more
    data.skip(1)
    sequence = _word(data)
    data.skip(8)
    answer = Answer(subscription, sequence, [], [])
    for _ in range(_count(data)):
        ahead = data.copy()
        kind, has_body = nodeid_from_binary(ahead), ahead.read(1) == b"\x01"
        size = _count(ahead) if has_body and kind.NamespaceIndex == 0 and kind.Identifier == CHANGES else 0
        if size:
            body = ahead.read(size)
            answer.changes.extend(changes(body))
            data.skip(ahead.cur_pos - data.cur_pos)
        else:
            answer.others.append(extensionobject_from_binary(data))
    return answer


def changes(body: bytes) -> list[Change]:
    """Read a DataChangeNotification: each value with its type, status and times, as OPC 10000-6 writes them."""
    found: list[Change] = []
    (count,), at = WORD.unpack_from(body), 4
    plain, head, new = PLAIN, HEAD.unpack_from, found.append
    for _ in range(count):
        handle, parts = head(body, at)
        value, code, stamp = None, 0, 0
        at += 5
        if parts & VALUE:
            if (form := plain.get(body[at])) is not None:
                (value,) = form.unpack_from(body, at + 1)
                at += 1 + form.size
            else:
                value, at = _odd(body, at)
        if parts & STATUS:
            (code,) = WORD.unpack_from(body, at)
            at += 4
        if parts & SOURCE_TIME:
            (stamp,) = LONG.unpack_from(body, at)
            at += 8
        if parts & SOURCE_PICOS:
            at += 2
        if parts & SERVER_TIME:
            stamp = stamp or LONG.unpack_from(body, at)[0]
            at += 8
        if parts & SERVER_PICOS:
            at += 2
        new(Change(handle, value, code, EPOCH + timedelta(microseconds=stamp // 10) if 0 < stamp < LATEST else None))
    return found


def of_value(handle: int, answer: ua.DataValue) -> Change:
    """The same, of a value that was read and not told."""
    stamp = answer.SourceTimestamp or answer.ServerTimestamp
    return Change(
        handle,
        answer.Value.Value if answer.Value is not None else None,
        answer.StatusCode.value if answer.StatusCode is not None else 0,
        stamp if stamp is None or stamp.tzinfo else stamp.replace(tzinfo=UTC),
    )


def _odd(body: bytes, at: int) -> tuple[Any, int]:
    """Arrays, structures, moments, texts in two languages: rare, and the library knows them all."""
    rest = Buffer(body, at)
    return variant_from_binary(rest).Value, rest.cur_pos


def _word(data: Buffer) -> int:
    return int(WORD.unpack(data.read(4))[0])


def _count(data: Buffer) -> int:
    """The length of what follows; -1 stands for nothing."""
    return max(int.from_bytes(data.read(4), "little", signed=True), 0)
