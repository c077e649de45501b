"""Rows and lists go straight to the driver: what comes back must be what SQLAlchemy itself would have stored."""

from datetime import date, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import Date, bindparam, column, literal_column, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col
from sqlmodel import select as pick

from app.flows.models import Flow
from app.kit.db import Database
from app.kit.direct import Direct, among
from app.kit.ids import new_id
from app.kit.many import insert_many, insert_together, update_many
from app.machines.models import LinkState, Source
from app.people.models import Address, Person, Role
from app.plant.models import Site
from tests.factories import MONDAY

SITE, PERSON, ADDRESS, SOURCE = Site.__table__, Person.__table__, Address.__table__, Source.__table__


def person(site: UUID, name: str, **more: object) -> dict[str, object]:
    unset = {"language": "", "email": "", "pin": "", "password": "", "failed_logins": 0}
    return {"id": new_id(), "site_id": site, "name": name, "role": Role.OPERATOR, **unset, **more}


def settle(session: Session) -> UUID:
    """One site to hang people on."""
    site = {"id": new_id(), "names": {"en": "Suzhou", "zh": "苏州"}, "timezone": "Asia/Shanghai"}
    insert_many(session.connection(), SITE, [site])
    return site["id"]


@pytest.mark.parametrize("count", [1, 3])
def test_what_went_in_comes_out(session, count):
    site = settle(session)
    there = timezone(timedelta(hours=8))
    people = [
        person(site, f"Li Wei “{n}” %s ? :x {{}}", role=list(Role)[n], locked_until=MONDAY.astimezone(there))
        for n in range(count)
    ]

    insert_many(session.connection(), PERSON, people)

    found = {row.id: row for row in session.exec(pick(Person))}
    assert {key: (row.name, row.role, row.locked_until, row.team_id) for key, row in found.items()} == {
        row["id"]: (row["name"], row["role"], MONDAY, None) for row in people
    }
    assert session.exec(pick(Site)).one().names == {"en": "Suzhou", "zh": "苏州"}


def test_documents_keep_their_shape(session):
    site = settle(session)
    whose = person(site, "Li Wei")
    insert_many(session.connection(), PERSON, [whose])
    targets = [{"a": 1}, {"a": True}, {"a": 1.0}, {"a": None, "b": ["“", {"c": "线"}]}]
    rows = [
        {
            "id": new_id(), "person_id": whose["id"], "channel": "webpush", "fingerprint": f"{n}", "target": target,
            "label": "", "created_at": MONDAY, "seen_at": MONDAY,
        }
        for n, target in enumerate(targets)
    ]  # fmt: skip

    insert_many(session.connection(), ADDRESS, rows)

    stored = session.exec(pick(Address).order_by(col(Address.fingerprint))).all()
    assert [repr(row.target) for row in stored] == [repr(target) for target in targets]


def test_several_tables_at_once(session):
    site = {"id": new_id(), "names": {"en": "Suzhou"}}
    people = [person(site["id"], name) for name in ("Li Wei", "Wang Lei")]

    insert_together(
        session.connection(),
        (SITE, [site], {"timezone": literal_column("'Asia/' || 'Shanghai'")}),
        (SOURCE, [], {}),
        (PERSON, people, {}),
    )

    assert session.exec(pick(Site)).one().timezone == "Asia/Shanghai"
    assert {row.name for row in session.exec(pick(Person))} == {"Li Wei", "Wang Lei"}
    assert session.exec(pick(Source)).all() == []


def test_of_several_tables_all_or_none(session):
    site = settle(session)
    twice = person(site, "Li Wei")

    with pytest.raises(IntegrityError), session.begin_nested():
        insert_together(
            session.connection(),
            (SITE, [{"id": new_id(), "names": {}, "timezone": "UTC"}], {}),
            (PERSON, [twice, twice], {}),
        )

    assert [row.id for row in session.exec(pick(Site))] == [site]


def test_nothing_to_insert_is_no_statement(session):
    insert_together(session.connection(), (SITE, [], {}), (PERSON, [], {}))
    insert_many(session.connection(), SITE, [])
    assert update_many(session.connection(), SITE, [], where=("id",)) == 0


def test_the_database_works_out_what_it_is_asked_to(session):
    rows = [{"id": new_id(), "names": {}} for _ in range(3)]

    insert_many(session.connection(), SITE, rows, timezone=literal_column("(SELECT 'Asia' || '/Shanghai')"))

    assert {site.timezone for site in session.exec(pick(Site))} == {"Asia/Shanghai"}


def test_of_a_batch_with_one_bad_row_nothing_stays(session):
    site = settle(session)
    same = person(site, "Li Wei")
    with pytest.raises(IntegrityError):
        insert_many(session.connection(), PERSON, [same, same])
    session.rollback()
    assert session.exec(pick(Person)).all() == []


def test_each_row_changes_its_own(session):
    sources = [Source(name=f"oven {n}", url="opc.tcp://x") for n in range(3)]
    session.add_all(sources)
    session.flush()
    changes = [{"id": source.id, "state": LinkState.RETRYING, "connected_at": MONDAY} for source in sources[:2]]

    changed = update_many(session.connection(), SOURCE, changes, where=("id",))

    session.expire_all()
    assert changed == 2
    assert [source.state for source in sources] == [LinkState.RETRYING, LinkState.RETRYING, LinkState.IDLE]
    assert [source.connected_at for source in sources] == [MONDAY, MONDAY, None]


def test_what_is_no_longer_as_it_was_is_left_alone_and_told(session):
    sources = [Source(name="oven", url="opc.tcp://x", reconnects=5, state=state) for state in LinkState]
    session.add_all(sources)
    session.flush()
    more = [{"id": source.id, "state": LinkState.CONNECTED, "reconnects": 2} for source in sources]

    changed = update_many(session.connection(), SOURCE, more, where=("id", "state"), adding=True)

    session.expire_all()
    assert changed == 1
    assert {source.state: source.reconnects for source in sources} == {
        state: 7 if state == LinkState.CONNECTED else 5 for state in LinkState
    }


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_a_list_of_any_length_is_one_statement(session, count):
    ids = [new_id() for _ in range(300)]
    insert_many(session.connection(), SITE, [{"id": key, "names": {}, "timezone": "UTC"} for key in ids])
    which = Direct(select(SITE.c.id, SITE.c.timezone).where(among(SITE.c.id, "keys")))

    found = which.rows(session.connection(), keys=[*ids[:count], new_id()])

    assert sorted(found) == [(key, "UTC") for key in sorted(ids[:count])]


def test_words_in_a_list_are_words(session):
    words = ["a", "“b", "c,d", '"e"', "{f}", "NULL", "\\g", "线"]
    for word in words:
        session.add(Flow(category=word, current_id=new_id()))
    session.flush()
    which = Direct(select(Flow.category).where(among(col(Flow.category), "words")))

    assert sorted(word for (word,) in which.rows(session.connection(), words=words)) == sorted(words)
    assert which.rows(session.connection(), words=["b"]) == []


def test_moments_are_aware_whatever_the_database_keeps(session):
    site = settle(session)
    insert_many(session.connection(), PERSON, [person(site, "Li Wei", locked_until=MONDAY)])
    which = Direct(select(PERSON.c.locked_until).where(PERSON.c.locked_until >= bindparam("since")))

    assert which.rows(session.connection(), since=MONDAY) == [(MONDAY,)]
    assert which.rows(session.connection(), since=MONDAY + timedelta(microseconds=1)) == []


def test_plain_text_and_dates(session):
    today = date(2026, 11, 23)
    which = Direct(text("SELECT :n AS n, :day AS day").columns(column("n"), column("day", Date)))
    ((_, day),) = which.rows(session.connection(), n="x", day=today)
    assert day == today


async def test_many_writes_on_a_connection_that_was_cut(db, database_url):
    """Nobody asks before a commit whether the connection lives: the writer must mend it by itself."""
    await db.write(settle)
    if db.dialect == "postgresql":
        other = Database(database_url)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        await other.read(lambda session: session.execute(text(cut)).all())
        other.close()

    await db.write(settle)

    assert await db.read(lambda session: len(session.exec(pick(Site)).all())) == 2
