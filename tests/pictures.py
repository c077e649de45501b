"""Small real files to send."""

import io

from PIL import Image


def jpeg(shade: int = 0) -> bytes:
    """A photo of nothing; another one for each shade."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade * 20 % 256, 90, 160)).save(out, "JPEG")
    return out.getvalue()
