"""Small files that make a decoder work for minutes, known by their bytes before any decoder sees them."""

import re


def most_points_named(data: bytes) -> int:
    """Return the largest picture size a HEIC or AVIF speaks of, in points; 0 for other files.

    They may show a small window (clap) of a huge picture, or tile it (grid): what counts is what must be decoded.
    """
    sizes = (int.from_bytes(width) * int.from_bytes(height) for width, height in _SIZE_BOX.findall(data))
    return max(sizes, default=0)


def wears_a_decoder_out(data: bytes) -> bool:
    """Tell whether a JPEG or PNG has absurdly many segments, or a JPEG passes over its whole picture again and again.

    Cameras make some hundred segments and ten passes; 5 MB can hold 50 000 passes, forty minutes of work.
    """
    if data.startswith(b"\xff\xd8"):
        parts, passes = _count_jpeg(data)
        return parts > _MAX_PARTS or passes > _MAX_PASSES
    return data.startswith(b"\x89PNG") and _count_png(data) > _MAX_PARTS


_MAX_PARTS = 20_000
_MAX_PASSES = 64
_SIZE_BOX = re.compile(rb"\0\0\0\x14ispe.{4}(.{4})(.{4})", re.DOTALL)
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_SCAN, _END = 0xDA, 0xD9


def _count_jpeg(data: bytes) -> tuple[int, int]:
    """Count segments and scans of the first image: cameras append previews and films after its end."""
    parts = passes = 0
    at = 2
    while parts <= _MAX_PARTS and (found := _JPEG_MARKER.search(data, at)) and found[0][1] != _END:
        parts += 1
        passes += found[0][1] == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return parts, passes


def _count_png(data: bytes) -> int:
    parts, at = 0, 8
    while parts <= _MAX_PARTS and at < len(data):
        parts += 1
        at += 12 + int.from_bytes(data[at : at + 4])
    return parts
