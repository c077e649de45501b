"""What an edge says: the observation, its key, and its words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.capture.observation import Kind as Seen
from app.capture.sources.alarms import key, observation
from app.machines.rules import BAD, GOOD, SILENT, Kind, Rule, Sample, Transition
from app.machines.watch import Alarm, Edge
from app.machines.words import message, plain

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPINDLE = Alarm(
    Rule(UUID(int=7), Kind.HIGH, setpoint=85.0, deadband=3.0),
    source_id=UUID(int=8),
    tag_id=UUID(int=9),
    station_id=UUID(int=10),
    tag={"en": "Spindle", "zh": "主轴"},
    unit="°C",
    severity=2,
    category="machine",
    component="spindle",
)
HOT = Sample(92.25, GOOD, NOON)


def edge(*, alarm: Alarm = SPINDLE, active: bool = True, number: int = 1, sample: Sample = HOT) -> Edge:
    return Edge(alarm, Transition(active, NOON, NOON + timedelta(seconds=5), number, sample))


def of_kind(kind: str, **fields: object) -> Alarm:
    return replace(SPINDLE, rule=Rule(UUID(int=7), Kind(kind), **fields))  # type: ignore[arg-type]


def test_a_rising_edge_is_an_alarm_that_knows_where_when_and_what():
    seen = observation(edge())

    assert (seen.kind, seen.source, seen.category, seen.severity) == (Seen.ALARM, "opcua", "machine", 2)
    assert (seen.station_id, seen.rule_id, seen.component) == (UUID(int=10), UUID(int=7), "spindle")
    assert (seen.occurred_at, seen.captured_at) == (NOON, NOON)
    assert seen.message == "Spindle too high: 92.25 °C (limit 85)"


def test_rise_and_return_of_one_rule_have_one_fingerprint_and_two_rules_have_two():
    other = replace(SPINDLE, rule=replace(SPINDLE.rule, id=UUID(int=77)))

    assert observation(edge()).fingerprint == observation(edge(active=False, number=2)).fingerprint
    assert observation(edge()).fingerprint != observation(edge(alarm=other)).fingerprint


def test_lost_signals_of_one_source_at_one_station_have_one_fingerprint():
    lost = of_kind("stale")
    other = replace(lost, rule=replace(lost.rule, id=UUID(int=77), kind=Kind.BAD_STATUS), tag_id=UUID(int=99))
    elsewhere = replace(lost, source_id=UUID(int=88))

    prints = [observation(edge(alarm=alarm)).fingerprint.rpartition(":")[0] for alarm in (lost, other, elsewhere)]

    assert prints[0] == prints[1] != prints[2]


def test_the_same_edge_has_the_same_key_wherever_it_is_found_and_no_two_have_one():
    keys = {key(edge(number=n, alarm=a)) for n in range(1, 50) for a in (SPINDLE, of_kind("low", setpoint=1))}

    assert key(edge()) == key(edge(sample=Sample(1.0, GOOD, NOON)))
    assert len(keys) == 49
    assert {(k.version, k.variant) for k in keys} == {(7, "specified in RFC 4122")}
    assert key(edge()).int >> 80 == int(NOON.timestamp() * 1000)


def test_what_was_found_after_a_gap_says_so():
    found = observation(edge(sample=Sample(92.0, GOOD, NOON, after_gap=True)))

    assert found.details["after_gap"] is True
    assert "after_gap" not in observation(edge()).details


@pytest.mark.parametrize(
    ("alarm", "active", "sample", "english", "chinese"),
    [
        (SPINDLE, True, HOT, "Spindle too high: 92.25 °C (limit 85)", "主轴过高：92.25 °C（限值 85）"),
        (SPINDLE, False, Sample(60, GOOD, NOON), "Spindle is back to normal: 60 °C", "主轴已恢复正常：60 °C"),
        (of_kind("low", setpoint=5.2), True, Sample(4.4, GOOD, NOON), "Spindle too low: 4.4 °C (limit 5.2)", None),
        (of_kind("stale"), True, Sample(None, SILENT, NOON), "No signal from Spindle", "主轴：信号丢失"),
        (of_kind("stale"), False, HOT, "The signal of Spindle is back", None),
        (
            of_kind("bad_status"),
            True,
            Sample(None, BAD, NOON, "BadSensorFailure"),
            "Spindle gives no valid value (BadSensorFailure)",
            None,
        ),
        (SPINDLE, False, Sample(None, SILENT, NOON, "NotWatched"), "Spindle is not watched any more", None),
        (replace(SPINDLE, unit=""), True, HOT, "Spindle too high: 92.25 (limit 85)", None),
        (
            replace(SPINDLE, message={"en": "{tag}: {value} {unit}, {nonsense} {value.__class__}"}),
            True,
            HOT,
            "Spindle: 92.25 °C, {nonsense} {value.__class__}",
            None,
        ),
        (replace(SPINDLE, tag={"zh": "主轴"}, message={"en": "{tag} hot"}), True, HOT, "主轴 hot", None),
        (replace(SPINDLE, tag={}, message={"en": "{tag} hot"}), True, HOT, "hot", None),
    ],
)
def test_words(alarm, active, sample, english, chinese):
    said = message(alarm, edge(alarm=alarm, active=active, sample=sample).transition)

    assert said["en"] == english
    assert chinese is None or said["zh"] == chinese


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (92.0, "92"),
        (0.1 + 0.2, "0.3"),
        (1234567.0, "1.23457e+06"),
        (float("nan"), "nan"),
        (True, "True"),
        ("a\0b", "ab"),
        ("\udcff", "?"),
        ("x" * 500, "x" * 80),
        ([1, 2], "[1, 2]"),
    ],
)
def test_any_value_is_short_text_that_every_database_takes(value, text):
    assert plain(value) == text
