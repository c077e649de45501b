"""Column types that SQLModel does not know by itself."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum
from sqlalchemy.dialects.postgresql import JSONB


def choice(kind: type[StrEnum]) -> Enum:
    """An enum stored by its value in a plain text column, the same on every database."""
    return Enum(
        kind,
        values_callable=lambda k: [e.value for e in k],
        native_enum=False,
        length=30,
        create_constraint=False,
    )


Document: Any = JSON().with_variant(JSONB(), "postgresql")
"""JSON. Assign a new value to change it: changes inside are not seen."""

Names = dict[str, str]
"""What a thing is called, by language: {"en": "Press 7", "zh": "7 号冲压机"}."""
