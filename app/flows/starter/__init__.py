"""The flows a plant starts with, one file a category, in the order of the tiles."""

import tomllib
from importlib.resources import files

from app.flows.document import FlowDocument
from app.flows.ladders import STARTING


def documents() -> list[FlowDocument]:
    """Return the starter flows, in the order of the tiles on a station's page."""
    found = sorted(files(__name__).iterdir(), key=lambda f: f.name)
    texts = [f.read_text("utf-8") for f in found if f.name.endswith(".toml")]
    return [FlowDocument.model_validate({**tomllib.loads(text), "ladders": STARTING}) for text in texts]
