"""Many values, one statement of one text: built once, the same for one report and for a flood.

SQLAlchemy prepares each cell of each row by itself and writes out a list anew whenever its length changes. That is what
intake spent most of its time with.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, Connection, Dialect, String, Table, bindparam, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

Row = Mapping[str, Any]
Process = Callable[[Any], Any] | None


def insert_many(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all name the same columns. None: nothing is done."""
    if rows:
        key = connection.dialect.name, table, tuple(rows[0])
        known = _inserts.get(key) or _inserts.setdefault(key, _Insert(connection.dialect, table, list(rows[0])))
        connection.exec_driver_sql(known.text, known.parameters(rows))


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of a list, which is handed in under `name` when it is executed."""
    return _Among(column, bindparam(name, type_=_ListOf(column.type)))


class _Insert:
    def __init__(self, dialect: Dialect, table: Table, names: list[str]) -> None:
        compiled = insert(table).inline().compile(dialect=dialect, column_keys=names)
        self.text = str(compiled)
        self.positional: bool = compiled.positional  # type: ignore[attr-defined]
        self.names: list[str] = compiled.positiontup if self.positional else names  # type: ignore[attr-defined]
        self.cells = [(name, _process(table.c[name], dialect)) for name in self.names]

    def parameters(self, rows: Sequence[Row]) -> Any:
        columns = [_processed([row[name] for row in rows], process) for name, process in self.cells]
        cells = zip(*columns, strict=True)
        return list(cells) if self.positional else [dict(zip(self.names, row, strict=True)) for row in cells]


def _processed(values: list[Any], process: Process) -> list[Any]:
    """Make one column ready for the database. What came together shares most of its values: do those once."""
    if process is None:
        return values
    first, *others = values
    if all([value is first for value in others]):
        return [process(first)] * len(values)
    return [process(value) for value in values]


def _process(column: Column[Any], dialect: Dialect) -> Process:
    return column.type.dialect_impl(dialect).bind_processor(dialect)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # SQLAlchemy would write `(…) = 1`, and SQLite would then look at every row there is


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **options)} = ANY ({compiler.process(values, **options)})"


@compiles(_Among, "sqlite")
def _json_each(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return (
        f"{compiler.process(column, **options)} IN (SELECT value FROM json_each({compiler.process(values, **options)}))"
    )


class _ListOf(TypeDecorator[list[Any]]):
    """A list as one value: an array, or JSON where there are none."""

    impl = String
    cache_ok = True

    def __init__(self, one: TypeEngine[Any]) -> None:
        super().__init__()
        self.one = one

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.one) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return value
        process = self.one.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps([process(one) for one in value] if process else value)


_inserts: dict[tuple[str, Table, tuple[str, ...]], _Insert] = {}
