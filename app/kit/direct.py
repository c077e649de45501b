"""Statements that run for every report, written with SQLAlchemy and handed straight to the driver.

Each has one text, whether it is about one report or a flood: it is made once for each kind of database, with what
makes its values ready. SQLAlchemy does that anew for each row and each length of a list, and intake spent most of its
time there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Boolean, Connection, Dialect, Select, String, Table, TextClause, bindparam, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

CURSOR = "direct"

Row = Mapping[str, Any]
Process = Callable[[Any], Any] | None


class Direct:
    """A SELECT that is always the same but for its values."""

    def __init__(self, statement: Select[Any] | TextClause) -> None:
        self._statement = statement
        self._made: dict[str, _Query] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Run it in the transaction of `connection` and return its rows as tuples.

        Raises:
            DBAPIError: what SQLAlchemy would have raised.
        """
        dialect = connection.dialect
        query = self._made.get(dialect.name) or self._made.setdefault(dialect.name, _Query(dialect, self._statement))
        return query.rows(connection, values)


def insert_many(connection: Connection, table: Table, rows: Sequence[Row], **computed: ColumnElement[Any]) -> None:
    """Insert rows that all name the same columns, those with a default too. None: nothing is done.

    `computed` are columns that the database works out for each row: always the same expressions for the same columns.
    """
    if rows:
        key = connection.dialect.name, table, tuple(rows[0])
        made = _inserts.get(key)
        if made is None:
            made = _inserts[key] = _Insert(connection.dialect, table, list(rows[0]), computed)
        made.put(connection, rows)


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of a list, which is handed in under `name` when it is run."""
    return _Among(column, bindparam(name, type_=_ListOf(column.type)))


class _Query:
    def __init__(self, dialect: Dialect, statement: Any) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self.positional: bool = compiled.positional
        self.cells = [
            (name, _before(compiled.binds[name].type, dialect)) for name in compiled.positiontup or compiled.binds
        ]
        self.columns = [_after(column.type, dialect) for column in getattr(statement, "selected_columns", ())]

    def rows(self, connection: Connection, values: Row) -> list[Any]:
        ready = {name: process(values[name]) if process else values[name] for name, process in self.cells}
        found = _run(connection, self.text, tuple(ready.values()) if self.positional else ready).fetchall()
        if not found or not any(self.columns):
            return list(found)
        columns = zip(*found, strict=True)
        done = [map(process, cells) if process else cells for process, cells in zip(self.columns, columns, strict=True)]
        return list(zip(*done, strict=True))


class _Insert:
    """SQLite gets rows of values; PostgreSQL one JSON document, which it takes apart faster than we adapt cells."""

    def __init__(self, dialect: Dialect, table: Table, names: list[str], computed: Row) -> None:
        self.as_document = dialect.name == "postgresql"
        if self.as_document:
            self.text = _from_document(dialect, table, names, computed)
            return
        statement = insert(table).values(computed) if computed else insert(table)
        compiled: Any = statement.inline().compile(dialect=dialect, column_keys=[*names, *computed])
        self.text = str(compiled)
        self.cells = [(name, _before(table.c[name].type, dialect)) for name in compiled.positiontup]

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        if self.as_document:
            _run(connection, self.text, (_encode(rows).decode(),))
        elif len(rows) == 1:
            (row,) = rows
            _run(connection, self.text, [process(row[name]) if process else row[name] for name, process in self.cells])
        else:
            columns = [_processed([row[name] for row in rows], process) for name, process in self.cells]
            _run(connection, self.text, list(zip(*columns, strict=True)), many=True)


def _from_document(dialect: Dialect, table: Table, names: list[str], computed: Row) -> str:
    quote = dialect.identifier_preparer.quote
    given = ", ".join(quote(name) for name in names)
    columns = ", ".join([given, *(quote(name) for name in computed)])
    values = ", ".join([given, *(str(expression.compile(dialect=dialect)) for expression in computed.values())])
    rows = f"json_populate_recordset(NULL::{quote(table.name)}, %s::json)"
    return f"INSERT INTO {quote(table.name)} ({columns}) SELECT {values} FROM {rows}"  # noqa: S608  (all ours)


def _processed(values: list[Any], process: Process) -> list[Any]:
    """Make one column ready for the database. What came together shares most of its values: do those once."""
    if process is None:
        return values
    first = values[0]
    if any(value is not first for value in values):
        return [process(value) for value in values]
    return [process(first)] * len(values)


def _run(connection: Connection, text: str, values: Any, *, many: bool = False) -> Any:
    # One cursor for as long as the connection lives: for psycopg, making one costs half as much as using it.
    cursor = connection.info.get(CURSOR) or connection.info.setdefault(CURSOR, connection.connection.cursor())
    try:
        (cursor.executemany if many else cursor.execute)(text, values)
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(text, values, error, base, dialect=connection.dialect) from error
    return cursor


def _before(type_: TypeEngine[Any], dialect: Dialect) -> Process:
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _after(type_: TypeEngine[Any], dialect: Dialect) -> Process:
    return type_.dialect_impl(dialect).result_processor(dialect, None)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # SQLAlchemy would write `(…) = 1`, and SQLite would then look at every row there is


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _json_each(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  (both compiled, nothing from outside)


class _ListOf(TypeDecorator[list[Any]]):
    """A list as one value: an array, or JSON where there are none."""

    impl = String
    cache_ok = True

    def __init__(self, one: TypeEngine[Any]) -> None:
        super().__init__()
        self.one = one

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.one) if dialect.name == "postgresql" else String())

    def bind_processor(self, dialect: Dialect) -> Process:
        if dialect.name == "postgresql":
            return None
        process = _before(self.one, dialect)
        return lambda values: _encode([process(one) for one in values] if process else values).decode()


_encode = msgspec.json.Encoder(enc_hook=str).encode
_inserts: dict[tuple[str, Table, tuple[str, ...]], _Insert] = {}
