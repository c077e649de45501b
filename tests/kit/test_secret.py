"""One secret, made at the first start and kept; and what follows from it."""

import stat
from concurrent.futures import ThreadPoolExecutor

from app.kit.ids import new_id
from app.kit.secret import digest, fits, keep, token


def test_it_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    file = tmp_path / "new" / "secret.key"

    first = keep(file)

    assert keep(file) == first
    assert len(first) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_processes_that_start_together_end_with_the_same(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: keep(tmp_path / "secret.key"), range(64)))

    assert len(made) == 1
    assert len(made.pop()) == 32


def test_a_token_is_of_one_secret_one_purpose_and_one_name():
    tokens = {token(s, p, n) for s in (b"a", b"b") for p in ("call", "badge") for n in ("1", "2")}

    assert len(tokens) == 8
    assert token(b"a", "call", "1") == token(b"a", "call", "1")


def test_only_the_right_one_fits():
    right = token(b"a", "call", "1")

    assert fits(right, right)
    assert not any(fits(wrong, right) for wrong in ("", right[:-1], right + "0", "机" * 43))


def test_what_is_stored_of_a_secret_is_not_the_secret():
    assert digest("badge") != digest("badge ")
    assert "badge" not in digest("badge")


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
