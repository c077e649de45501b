"""Many rows in one statement, straight to the driver: what a flood writes.

SQLite gets rows of values, each column made ready at once; PostgreSQL gets JSON, which it takes apart faster than we
could adapt its cells one by one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.sql.expression import ColumnElement

from app.kit.direct import Process, into_database, run

Row = Mapping[str, Any]
Names = tuple[str, ...]


def insert_many(
    connection: Connection, table: Table, rows: Sequence[Row], *, lock: int = 0, **computed: ColumnElement[Any]
) -> None:
    """Insert rows that all name the same columns, those with a default too. None: nothing is done.

    `computed` are columns that the database works out for each row. `lock` names an advisory lock that is taken before
    the first row gets its number and held until commit (PostgreSQL; SQLite has one writer). Both always the same for
    a table.
    """
    if rows:
        _Statement.of(connection, table, ("insert",), tuple(rows[0]), computed, lock).put(connection, rows)


def insert_together(
    connection: Connection, *inserts: tuple[Table, Sequence[Row], Mapping[str, ColumnElement[Any]]]
) -> None:
    """Insert rows into several tables, each as `insert_many` would (table, rows, computed).

    PostgreSQL gets them as one statement: for a single report the way there and back is most of what one costs.
    """
    parts = [
        (_Statement.of(connection, table, ("insert",), tuple(rows[0]), computed), rows)
        for table, rows, computed in inserts
        if rows
    ]
    if connection.dialect.name != "postgresql":
        for statement, rows in parts:
            statement.put(connection, rows)
    elif parts:
        texts = [statement.text for statement, _ in parts]
        first = ", ".join(f"part{n} AS ({text})" for n, text in enumerate(texts[:-1]))
        run(
            connection,
            f"WITH {first} {texts[-1]}" if first else texts[-1],
            [text for _, rows in parts for text in _documents(rows)],
        )


def update_many(
    connection: Connection, table: Table, rows: Sequence[Row], *, where: tuple[str, ...], adding: bool = False
) -> int:
    """Set what `rows` name, or add to it, each in that row of the table where the columns `where` are as it says.

    Return how many rows of the table were meant.
    """
    if not rows:
        return 0
    verb = "add" if adding else "set"
    cursor = _Statement.of(connection, table, (verb, *where), tuple(rows[0]), {}).put(connection, rows)
    return int(cursor.rowcount)


class _Statement:
    """One text for one table and these columns, and what makes their values ready.

    `what` is insert; or set or add, and the columns of the condition.
    """

    def __init__(self, dialect: Dialect, table: Table, what: Names, names: Names, computed: Row, lock: int) -> None:
        verb, *where = what
        writing = _Writing(dialect, table, computed, lock)
        changed = [name for name in names if name not in where]
        self.as_document = writing.as_document
        self.text = writing.insert(names) if verb == "insert" else writing.update(changed, where, adding=verb == "add")
        self.cells = [(name, into_database(table.c[name].type, dialect)) for name in (*changed, *where)]

    @classmethod
    def of(
        cls, connection: Connection, table: Table, what: Names, names: Names, computed: Row, lock: int = 0
    ) -> "_Statement":
        key = connection.dialect.name, table, what, names
        made = _statements.get(key)
        if made is None:
            made = _statements[key] = cls(connection.dialect, table, what, names, computed, lock)
        return made

    def put(self, connection: Connection, rows: Sequence[Row]) -> Any:
        if self.as_document:
            return run(connection, self.text, _documents(rows))
        if len(rows) == 1:
            (row,) = rows
            cells = [process(row[name]) if process else row[name] for name, process in self.cells]
            return run(connection, self.text, cells)
        columns = [_processed([row[name] for row in rows], process) for name, process in self.cells]
        return run(connection, self.text, list(zip(*columns, strict=True)), many=True)


class _Writing:
    """Spells out statements. Names of tables and columns are ours, so there is nothing to inject."""

    def __init__(self, dialect: Dialect, table: Table, computed: Row, lock: int) -> None:
        self.quote = dialect.identifier_preparer.quote
        self.as_document = dialect.name == "postgresql"
        self.table = self.quote(table.name)
        locked = f"pg_advisory_xact_lock({lock}), " if lock else ""
        shared = f"json_populate_record(NULL::{self.table}, %s::json)"
        self.given = f"FROM {locked}json_populate_recordset({shared}, %s::json) AS given"
        self.computed = {self.quote(name): str(made.compile(dialect=dialect)) for name, made in computed.items()}

    def insert(self, names: Sequence[str]) -> str:
        columns = ", ".join([*map(self.quote, names), *self.computed])
        values = ", ".join([*map(self._value, names), *self.computed.values()])
        rows = f"SELECT {values} {self.given}" if self.as_document else f"VALUES ({values})"
        return f"INSERT INTO {self.table} ({columns}) {rows}"

    def update(self, names: Sequence[str], where: Sequence[str], *, adding: bool) -> str:
        changes = ", ".join(
            f"{self.quote(name)} = {self._old(name) if adding else ''}{self._value(name)}" for name in names
        )
        same = " AND ".join(f"{self.table}.{self.quote(name)} = {self._value(name)}" for name in where)
        rows = f"{changes} {self.given}" if self.as_document else changes
        return f"UPDATE {self.table} SET {rows} WHERE {same}"  # noqa: S608

    def _old(self, name: str) -> str:
        return f"{self.table}.{self.quote(name)} + "

    def _value(self, name: str) -> str:
        return f"given.{self.quote(name)}" if self.as_document else "?"


def _documents(rows: Sequence[Row]) -> tuple[str, str]:
    """Return what all rows share, said once, and what is their own: reading is a quarter of the cost."""
    first, *others = rows
    shared = {name: value for name, value in first.items() if others and all(row[name] is value for row in others)}
    own = [name for name in first if name not in shared]
    return _encode(shared).decode(), _encode([{name: row[name] for name in own} for row in rows]).decode()


def _processed(values: list[Any], process: Process) -> list[Any]:
    """Make one column ready for the database. What came together shares most of its values: do those once."""
    if process is None:
        return values
    first = values[0]
    if any(value is not first for value in values):
        return [process(value) for value in values]
    return [process(first)] * len(values)


_encode = msgspec.json.Encoder(enc_hook=str).encode
_statements: dict[tuple[str, Table, Names, Names], _Statement] = {}
