"""The frame of Feishu's long connection: nine fields of protocol buffers, read and written by hand.

The library that knows them imports the whole platform, seven seconds of it. Tests compare what we write with what it
reads, and the other way round.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Self

CONTROL, DATA = 0, 1  # what `method` says
VARINT, BYTES = 0, 2
LONGEST: Final = 10  # bytes of a number
SEQ, LOG, SERVICE, METHOD, HEADER, ENCODING, TYPE, PAYLOAD, LOG_NEW = range(1, 10)


class Unreadable(ValueError):
    """These bytes are no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    seq: int = 0
    log: int = 0
    service: int = 0
    method: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    payload: bytes = b""
    more: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a frame.

        Raises:
            Unreadable
        """
        numbers: dict[int, int] = {}
        headers: dict[str, str] = {}
        payload, more = b"", []
        for number, value in _fields(raw):
            if isinstance(value, int):
                numbers[number] = value
            elif number == HEADER:
                pair = {place: text for place, text in _fields(value) if isinstance(text, bytes)}
                headers[pair.get(1, b"").decode(errors="replace")] = pair.get(2, b"").decode(errors="replace")
            elif number == PAYLOAD:
                payload = value
            else:
                more.append((number, value))
        first = (numbers.get(SEQ, 0), numbers.get(LOG, 0), numbers.get(SERVICE, 0), numbers.get(METHOD, 0))
        return cls(*first, headers, payload, tuple(more))

    def written(self) -> bytes:
        out = b""
        for number, value in ((SEQ, self.seq), (LOG, self.log), (SERVICE, self.service), (METHOD, self.method)):
            out += _varint(number << 3 | VARINT) + _varint(value)
        for key, text in self.headers.items():
            out += _bytes(HEADER, _bytes(1, key.encode()) + _bytes(2, text.encode()))
        for number, raw in self.more:
            out += _bytes(number, raw)
        return out + (_bytes(PAYLOAD, self.payload) if self.payload else b"")

    def answered(self, payload: bytes) -> "Frame":
        """The same frame with an answer in it, as it goes back."""
        return replace(self, payload=payload)


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(raw):
        key, place = _number(raw, place)
        value, place = _number(raw, place)
        if key & 7 == VARINT:
            yield key >> 3, value
        elif key & 7 == BYTES and place + value <= len(raw):
            yield key >> 3, raw[place : place + value]
            place += value
        else:
            raise Unreadable


def _number(raw: bytes, place: int) -> tuple[int, int]:
    value = 0
    for length, byte in enumerate(raw[place : place + LONGEST]):
        value |= (byte & 127) << (7 * length)
        if byte < 128:
            return value, place + length + 1
    raise Unreadable


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _bytes(number: int, raw: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(raw)) + raw
