"""Questions that are asked for every report, written with SQLAlchemy and handed straight to the driver.

Each has one text, whether it is about one report or a flood, made once for each kind of database. SQLAlchemy writes out
a list anew for each length of it, and goes through ten layers for each statement: intake spent most of its time there.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Boolean, Connection, Dialect, Select, String, TextClause, bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

CURSOR = "direct"

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
        kind = connection.dialect.name
        query = self._made.get(kind)
        if query is None:
            query = self._made[kind] = _Query(connection.dialect, self._statement)
        return query.rows(connection, values)


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of a list, which is handed in under `name` when it is run."""
    return _Among(column, bindparam(name, type_=_ListOf(column.type)))


def run(connection: Connection, text: str, values: Any, *, many: bool = False) -> Any:
    """Have the driver run `text` in the transaction of `connection`, with values as it wants them; return its cursor.

    Raises:
        DBAPIError: what SQLAlchemy would have raised.
    """
    # One cursor for as long as the connection lives: for psycopg, making one costs half as much as using it.
    cursor = connection.info.get(CURSOR)
    if cursor is None:
        cursor = connection.info[CURSOR] = connection.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(text, values)
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(text, values, error, base, dialect=connection.dialect) from error
    return cursor


def into_database(type_: TypeEngine[Any], dialect: Dialect) -> Process:
    """Return what makes a value of this type ready for the driver; None: it is as it is."""
    return type_.dialect_impl(dialect).bind_processor(dialect)


class _Query:
    def __init__(self, dialect: Dialect, statement: Any) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self.positional: bool = compiled.positional
        names = compiled.positiontup or compiled.binds
        self.cells = [(name, into_database(compiled.binds[name].type, dialect)) for name in names]
        columns = getattr(statement, "selected_columns", ())
        self.columns = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]

    def rows(self, connection: Connection, values: dict[str, Any]) -> list[Any]:
        ready = [(name, process(values[name]) if process else values[name]) for name, process in self.cells]
        given: Any = tuple(value for _, value in ready) if self.positional else dict(ready)
        found = run(connection, self.text, given).fetchall()
        if not found or not any(self.columns):
            return list(found)
        columns = zip(*found, strict=True)
        done = [
            map(_Once(process).__getitem__, cells) if process else cells
            for process, cells in zip(self.columns, columns, strict=True)
        ]
        return list(zip(*done, strict=True))


class _Once(dict[Any, Any]):
    """What came of each value. Rows of one answer share most of theirs; making a UUID costs more than finding it."""

    def __init__(self, process: Callable[[Any], Any]) -> None:
        super().__init__()
        self._process = process

    def __missing__(self, value: Any) -> Any:
        made = self[value] = self._process(value)
        return made


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self  # SQLAlchemy would write `(…) = 1`, and SQLite would then look at every row there is


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    kind = compiler.dialect.type_compiler_instance.process(next(iter(element.clauses)).type)
    return f"{column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({values} AS json)))::{kind}[])"


@compiles(_Among, "sqlite")
def _json_each(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  (both compiled, nothing from outside)


class _ListOf(TypeDecorator[list[Any]]):
    """A list as one value, in JSON: the one form that both databases take and that costs next to nothing to write."""

    impl = String
    cache_ok = True

    def __init__(self, one: TypeEngine[Any]) -> None:
        super().__init__()
        self.one = one

    def bind_processor(self, dialect: Dialect) -> Process:
        process = into_database(self.one, dialect)
        return lambda values: _encode([process(one) for one in values] if process else values).decode()


_encode = msgspec.json.Encoder().encode
