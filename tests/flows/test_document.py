"""Flows are documents: strict, complete in both languages, and never changed once published."""

import pytest
from pydantic import ValidationError
from sqlmodel import select

from app.flows import queries, starter
from app.flows.actions import publish
from app.flows.document import FlowDocument, Ladder
from app.flows.ladders import STARTING
from app.flows.models import FlowVersion
from tests.factories import MONDAY, TEAMS

DOCUMENTS = {document.category: document for document in starter.documents()}


def test_there_is_a_flow_for_each_category_of_the_vocabulary():
    assert list(DOCUMENTS) == [
        "machine", "quality", "material", "method", "man", "environment", "measurement", "safety", "information",
    ]  # fmt: skip


@pytest.mark.parametrize("flow", DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_a_starter_flow_is_complete_in_both_languages(flow):
    names = [flow.names, *flow.checklist, *(choice.names for choice in (*flow.symptoms, *flow.causes))]

    assert all(set(name) == {"en", "zh"} and all(name.values()) for name in names)
    assert len({choice.key for choice in flow.symptoms}) == len(flow.symptoms)
    assert len({choice.key for choice in flow.causes}) == len(flow.causes)
    assert set(flow.merge_with) <= set(DOCUMENTS) - {flow.category}
    assert flow.team in TEAMS


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
def test_every_ladder_calls_somebody_at_once_and_asks_somebody_to_verify(severity):
    ladder = STARTING[severity]

    assert ladder.of("accepted")[0].after == 0
    assert ladder.of("verified")[0].after == 0
    assert ladder.of("resolved")


def test_a_severity_without_a_ladder_takes_that_of_the_next_less_severe():
    only = DOCUMENTS["machine"].model_copy(update={"ladders": {2: STARTING[2], 4: STARTING[4]}})

    assert [only.ladder(severity) for severity in (1, 2, 3, 4)] == [STARTING[2], STARTING[2], STARTING[4], STARTING[4]]


def test_the_most_severe_ladder_serves_what_is_below_the_least():
    only = DOCUMENTS["machine"].model_copy(update={"ladders": {2: STARTING[2]}})

    assert only.ladder(4) == STARTING[2]


@pytest.mark.parametrize(
    "change",
    [
        {"script": "import os"},
        {"severity": 0},
        {"severity": 5},
        {"merge_minutes": -1},
        {"ladders": {"1": {"rungs": [{"clock": "accepted", "after": -1, "call": []}]}}},
        {"ladders": {"9": {"rungs": []}}},
        {"symptoms": [{"key": "hot"}]},
    ],
)
def test_what_a_flow_does_not_know_is_refused(change):
    with pytest.raises(ValidationError):
        FlowDocument.model_validate(DOCUMENTS["machine"].model_dump(mode="json") | change)


def test_the_rungs_of_a_clock_come_in_the_order_of_their_times():
    rungs = [{"clock": "accepted", "after": after, "call": []} for after in (300, 0)]

    with pytest.raises(ValidationError, match="order of their times"):
        Ladder.model_validate({"rungs": rungs})


def test_publishing_makes_a_new_version_and_leaves_the_old_one(session):
    first = publish(session, DOCUMENTS["machine"], now=MONDAY)
    before = first.document

    second = publish(session, DOCUMENTS["machine"].model_copy(update={"severity": 4}), now=MONDAY)

    assert [(v.number, v.document["severity"]) for v in session.exec(select(FlowVersion)).all()] == [(1, 2), (2, 4)]
    assert queries.current(session) == [(second.id, FlowDocument.model_validate(second.document))]
    assert queries.document(session, first.id) == FlowDocument.model_validate(before)
