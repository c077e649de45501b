"""Small real files to send."""

import io
import random

from PIL import Image


def jpeg(shade: int = 0) -> bytes:
    """A photo of nothing; another one for each shade."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade * 20 % 256, 90, 160)).save(out, "JPEG")
    return out.getvalue()


def snow(side: int) -> bytes:
    """A photo that cannot be made small: noise, and so some megabytes."""
    points = random.Random(7).randbytes(side * side * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), points).save(out, "JPEG")
    return out.getvalue()
