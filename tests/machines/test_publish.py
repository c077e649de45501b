"""What a server tells of its tags is read as the library reads it, whatever its type and however little comes with it."""

from datetime import UTC, datetime, timedelta
from struct import pack

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from app.capture.sources.opcua_publish import EPOCH, Change, changes, decode, of_value

V = ua.VariantType
RANGES = {V.SByte: 8, V.Int16: 16, V.Int32: 32, V.Int64: 64}
UNSIGNED = {V.Byte: 8, V.UInt16: 16, V.UInt32: 32, V.UInt64: 64}
CONTENTS: dict[V, st.SearchStrategy[object]] = {
    V.Boolean: st.booleans(),
    **{kind: st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) for kind, bits in RANGES.items()},
    **{kind: st.integers(0, (1 << bits) - 1) for kind, bits in UNSIGNED.items()},
    V.Float: st.floats(width=32, allow_nan=False),
    V.Double: st.floats(allow_nan=False),
    V.String: st.none() | st.text(max_size=20),
    V.DateTime: st.just(datetime(2026, 11, 23, tzinfo=UTC)),
    V.LocalizedText: st.just(ua.LocalizedText("zu heiß", "de")),
    V.ByteString: st.binary(max_size=10),
}
moments = st.none() | st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
scalars = st.sampled_from(list(CONTENTS)).flatmap(
    lambda kind: CONTENTS[kind].map(lambda value: ua.Variant(value, kind))
)
arrays = st.lists(st.floats(allow_nan=False), min_size=1, max_size=3).map(lambda some: ua.Variant(some, V.Double))
values = st.builds(
    ua.DataValue,
    Value=scalars | arrays,
    StatusCode=st.sampled_from([0, 0x480, 0x80340000, 0x40A40000]).map(lambda code: ua.StatusCode(ua.UInt32(code))),
    SourceTimestamp=moments,
    ServerTimestamp=moments,
)


def answer(*notifications: object) -> bytes:
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 7
    response.Parameters.AvailableSequenceNumbers = [3, 4, 5]
    response.Parameters.NotificationMessage = ua.NotificationMessage(
        5, datetime(2026, 11, 23, tzinfo=UTC), list(notifications)
    )
    return struct_to_binary(response)


@given(st.lists(values, max_size=6))
def test_changes_are_read_as_the_library_reads_them(given_values):
    items = [ua.MonitoredItemNotification(handle, value) for handle, value in enumerate(given_values)]
    wire = answer(ua.DataChangeNotification(MonitoredItems=items))

    theirs = struct_from_binary(ua.PublishResponse, Buffer(wire)).Parameters.NotificationMessage.NotificationData[0]
    ours = decode(Buffer(wire))

    assert ours.changes == [of_value(item.ClientHandle, item.Value) for item in theirs.MonitoredItems]
    assert (ours.subscription, ours.sequence, ours.others) == (7, 5, [])


def test_other_kinds_in_one_message_are_left_to_the_library():
    item = ua.MonitoredItemNotification(3, ua.DataValue(ua.Variant(1.5), StatusCode=None))
    status = ua.StatusChangeNotification(Status=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadTimeout)))
    event = ua.EventNotificationList([ua.EventFieldList(9, [ua.Variant(b"id"), ua.Variant("hot")])])

    told = decode(Buffer(answer(event, ua.DataChangeNotification(MonitoredItems=[item]), status)))

    assert told.changes == [Change(3, 1.5, 0, None)]
    assert [type(other) for other in told.others] == [ua.EventNotificationList, ua.StatusChangeNotification]
    assert told.others[0].Events[0].EventFields[1].Value == "hot"


def test_picoseconds_stand_where_the_standard_has_them_which_the_library_does_not():
    """OPC 10000-6, table "DataValue Binary DataEncoding": each right after its time."""
    at = (datetime(2026, 11, 23, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) * 10
    body = pack("<IIBBd", 1, 3, 0b111101, 11, 1.5) + pack("<qHqH", at, 77, at + 10, 88)

    assert changes(body) == [Change(3, 1.5, 0, datetime(2026, 11, 23, tzinfo=UTC))]


def test_a_server_that_is_only_alive_says_nothing():
    assert not decode(Buffer(answer())).says_something


@pytest.mark.parametrize("cut", [1, 20, 45, -3])
def test_half_a_message_is_an_error_and_no_value(cut):
    item = ua.MonitoredItemNotification(3, ua.DataValue(ua.Variant(1.5)))
    wire = answer(ua.DataChangeNotification(MonitoredItems=[item] * 9))

    with pytest.raises(Exception, match=r"."):
        decode(Buffer(wire[:cut] if cut > 0 else wire[: len(wire) // 2]))
