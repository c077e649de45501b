"""Many rows in one statement, straight to the driver: what a flood writes.

SQLite gets rows of values, each column made ready at once; PostgreSQL one JSON document, which it takes apart faster than
we could adapt its cells one by one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.sql.expression import ColumnElement

from app.kit.direct import Process, into_database, run

Row = Mapping[str, Any]


def insert_many(connection: Connection, table: Table, rows: Sequence[Row], **computed: ColumnElement[Any]) -> None:
    """Insert rows that all name the same columns, those with a default too. None: nothing is done.

    `computed` are columns that the database works out for each row, the same ones whenever it is this table.
    """
    if rows:
        _Statement.of(connection, table, "insert", tuple(rows[0]), computed).put(connection, rows)


def update_many(connection: Connection, table: Table, rows: Sequence[Row], *, by: str, adding: bool = False) -> None:
    """Set the columns that `rows` name, or add to them, each row in that one where column `by` is the same."""
    if rows:
        _Statement.of(connection, table, f"add {by}" if adding else f"set {by}", tuple(rows[0]), {}).put(
            connection, rows
        )


class _Statement:
    """One text for one table and these columns, and what makes their values ready."""

    def __init__(self, dialect: Dialect, table: Table, what: str, names: tuple[str, ...], computed: Row) -> None:
        write = _Writing(dialect, table, computed)
        self.as_document = write.as_document
        verb, _, by = what.partition(" ")
        order = [*(name for name in names if name != by), by] if by else list(names)
        self.text = write.update(order[:-1], by, adding=verb == "add") if by else write.insert(order)
        self.cells = [(name, into_database(table.c[name].type, dialect)) for name in order]

    @classmethod
    def of(cls, connection: Connection, table: Table, what: str, names: tuple[str, ...], computed: Row) -> "_Statement":
        key = connection.dialect.name, table, what, names
        made = _statements.get(key)
        if made is None:
            made = _statements[key] = cls(connection.dialect, table, what, names, computed)
        return made

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        if self.as_document:
            run(connection, self.text, (_encode(rows).decode(),))
        elif len(rows) == 1:
            (row,) = rows
            run(connection, self.text, [process(row[name]) if process else row[name] for name, process in self.cells])
        else:
            columns = [_processed([row[name] for row in rows], process) for name, process in self.cells]
            run(connection, self.text, list(zip(*columns, strict=True)), many=True)


class _Writing:
    """Spells out statements. Names of tables and columns are ours, so there is nothing to inject."""

    def __init__(self, dialect: Dialect, table: Table, computed: Row) -> None:
        self.quote = dialect.identifier_preparer.quote
        self.as_document = dialect.name == "postgresql"
        self.table = self.quote(table.name)
        self.given = f"FROM json_populate_recordset(NULL::{self.table}, %s::json) AS given"
        self.computed = {self.quote(name): str(made.compile(dialect=dialect)) for name, made in computed.items()}

    def insert(self, names: Sequence[str]) -> str:
        columns = ", ".join([*map(self.quote, names), *self.computed])
        values = ", ".join([*map(self._value, names), *self.computed.values()])
        rows = f"SELECT {values} {self.given}" if self.as_document else f"VALUES ({values})"
        return f"INSERT INTO {self.table} ({columns}) {rows}"

    def update(self, names: Sequence[str], by: str, *, adding: bool) -> str:
        old = f"{self.table}.{{0}} + " if adding else ""
        changes = ", ".join(f"{self.quote(n)} = {old.format(self.quote(n))}{self._value(n)}" for n in names)
        rows = f" {self.given}" if self.as_document else ""
        return f"UPDATE {self.table} SET {changes}{rows} WHERE {self.table}.{self.quote(by)} = {self._value(by)}"

    def _value(self, name: str) -> str:
        return f"given.{self.quote(name)}" if self.as_document else "?"


def _processed(values: list[Any], process: Process) -> list[Any]:
    """Make one column ready for the database. What came together shares most of its values: do those once."""
    if process is None:
        return values
    first = values[0]
    if any(value is not first for value in values):
        return [process(value) for value in values]
    return [process(first)] * len(values)


_encode = msgspec.json.Encoder(enc_hook=str).encode
_statements: dict[tuple[str, Table, str, tuple[str, ...]], _Statement] = {}
