"""When a machine calls is changed without code: as a sentence, checked before it is stored, and taken back."""

import re

import pytest

from app.machines.models import AlarmRule, RuleVersion
from tests.factories import id_of
from tests.journeys.harness import done, on_any_database, refused

RULES = "/machines/rules"
TAG = id_of("tag", "Press 7 overheating")
RULE = id_of("rule", "Press 7 overheating")
OURS = f"{RULES}/{RULE}"


async def fields(plant, path: str, by: str = "Chen Jing") -> dict[str, object]:
    """What a browser would send of the form as it stands."""
    page = await plant.sees(path, by=by)
    assert page.status_code == 200, page.text
    form = page.text.split('<form id="rule"')[1].split("</form>")[0]
    found: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        box = 'type="checkbox"' in tag or 'type="radio"' in tag
        if name and (not box or " checked" in tag):
            found[name[1]] = value[1] if value else ""
    for name, body in re.findall(r'<select name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    return found


async def presses(plant, path: str, form: dict, do: str, by: str = "Chen Jing"):
    return await plant.http.post(path, data=form | {"do": do}, headers=plant._as(by) | {"accept": "text/html"})


async def rule(plant, rule_id=RULE) -> AlarmRule:
    return await plant.db.read(lambda session: session.get_one(AlarmRule, rule_id))


async def test_a_limit_is_changed_read_as_a_sentence_and_taken_back(plant):
    form = await fields(plant, f"{OURS}/edit") | {
        "setpoint": "85",
        "deadband": "3",
        "on_delay_s": "10",
        "off_delay_s": "30",
    }

    checked = await presses(plant, f"{OURS}/edit", form, "check")
    assert "overheating above 85 for 10 s, until 82 for 30 s: severity 2, machine" in checked.text
    assert "An alarm without an action is a message." in checked.text
    assert (await rule(plant)).setpoint == 80.0, "only saving writes"

    done(await presses(plant, f"{OURS}/edit", form, "save"))
    now = await rule(plant)
    assert (now.setpoint, now.deadband, now.on_delay_s, now.off_delay_s) == (85.0, 3.0, 10.0, 30.0)

    versions = (await plant.sees(f"{OURS}/versions", by="Chen Jing")).text
    assert "overheating above 80: severity 2, machine" in versions
    assert "Chen Jing" in versions
    done(await plant.posts(f"{OURS}/versions/1", {}, by="Chen Jing"))
    assert (await rule(plant)).setpoint == 80.0
    assert [one.number for one in await plant.all(RuleVersion)] == [1, 2, 3]


@on_any_database
async def test_the_sentence_is_in_the_readers_language(plant):
    await plant.speaks("Chen Jing", "zh")

    page = (await plant.sees(OURS, by="Chen Jing")).text

    assert "overheating高于 80：2 级" in page


@on_any_database
async def test_a_new_rule_that_looks_at_other_tags_calls_only_when_it_is_meant(plant):
    other = id_of("tag", "Press 7 sensor 1")
    path = f"{RULES}/new?tag={id_of('tag', 'Press 7 sensor 2')}&kind=rate_of_change"
    form = await fields(plant, path)
    form |= {"setpoint": "20", "window_s": "60", "severity": "1", "corrective_action": "Stop the press"}
    form |= {"only.tag.1": str(other), "only.test.1": "above", "only.value.1": "1"}

    checked = await presses(plant, path, form, "check")
    assert "sensor 2 rises by more than 20 within 1 min; only while sensor 1 is above 1: severity 1" in checked.text
    made = await presses(plant, path, form, "save")
    assert done(made).headers["location"].startswith(RULES)

    await plant.machine_shows("Press 7", "sensor 1", 0.0)
    await plant.machine_shows("Press 7", "sensor 2", 10.0)
    await plant.waits(seconds=30)
    assert await plant.machine_shows("Press 7", "sensor 2", 40.0) is None
    anomaly = await plant.machine_shows("Press 7", "sensor 1", 2.0)
    assert anomaly is not None
    assert (await plant.card(anomaly)).severity == 1


@on_any_database
@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        (f"{OURS}/edit", {"setpoint": ""}, "A number is missing: the limit."),
        (f"{RULES}/new?tag={TAG}&kind=low", {"setpoint": "85"}, "The low limit 85 must be below the high limit 80."),
        (f"{RULES}/new?tag={TAG}&kind=low", {"setpoint": "70", "deadband": "10"}, "The dead-band 10 is as wide as"),
        (f"{RULES}/new?tag={TAG}&kind=high", {"setpoint": "80"}, "Another rule of this tag has the same limit 80."),
        (f"{RULES}/new?tag={TAG}&kind=high", {"setpoint": "120", "severity": "4"}, "further out than the limit 80"),
        (f"{RULES}/new?tag={TAG}&kind=count", {"setpoint": "3"}, "Write within how many seconds."),
        (f"{RULES}/new?tag={TAG}&kind=bit_pattern", {}, "Write at least one bit"),
        (f"{RULES}/new?tag={TAG}&kind=state", {}, "Write at least one state"),
        (f"{RULES}/new?tag={TAG}&kind=combination", {}, "Pick at least one tag"),
    ],
)
async def test_what_is_not_right_is_said_and_not_stored(plant, path, changes, said):
    before = len(await plant.all(AlarmRule))
    form = await fields(plant, path) | changes

    page = await presses(plant, path, form, "check")

    assert said in page.text
    if "less severe" not in page.text:
        assert (await presses(plant, path, form, "save")).status_code == 400
        assert len(await plant.all(AlarmRule)) == before


@on_any_database
@pytest.mark.parametrize("changes", [{"setpoint": "hot"}, {"bits_on": "99"}, {"severity": "9"}, {"on_delay_s": "-1"}])
async def test_what_is_no_number_is_a_sentence(plant, changes):
    form = await fields(plant, f"{OURS}/edit") | changes

    refused(await plant.posts(f"{OURS}/edit", form | {"do": "save"}, by="Chen Jing"))


@on_any_database
async def test_two_people_at_one_rule(plant):
    mine = await fields(plant, f"{OURS}/edit") | {"setpoint": "85"}
    done(await presses(plant, f"{OURS}/edit", mine, "save"))
    first = second = await fields(plant, f"{OURS}/edit")

    done(await presses(plant, f"{OURS}/edit", first | {"setpoint": "86"}, "save", by="Gao Yan"))
    answer = await plant.posts(f"{OURS}/edit", second | {"setpoint": "87", "do": "save"}, by="Chen Jing")

    assert refused(answer) == "machines.rule_changed_meanwhile"
    assert "Gao Yan" in answer.json()["text"]


@on_any_database
async def test_a_rule_is_switched_off_and_on(plant):
    done(await plant.posts(f"{OURS}/switch", {"on": "no"}, by="Chen Jing"))
    assert "switched off" in (await plant.sees(OURS, by="Zhao Min")).text
    assert await plant.machine_reports("Press 7", "overheating") is None

    done(await plant.posts(f"{OURS}/switch", {"on": "yes"}, by="Chen Jing"))
    assert (await rule(plant)).enabled


@on_any_database
async def test_who_may_look_and_who_may_change(plant):
    for name in ("Chen Jing", "Zhao Min", "Gao Yan"):
        for path in (RULES, OURS, f"{OURS}/edit", "/machines/shelves"):
            assert (await plant.sees(path, by=name)).status_code == 200, (name, path)
    for name in ("Li Wei", "Wang Lei"):
        assert (await plant.sees(RULES, by=name)).status_code == 403
    for name in ("Wang Lei", "Zhao Min"):
        assert refused(await plant.posts(f"{OURS}/switch", {"on": "no"}, by=name)) == "pullcord.not_allowed"
        form = {"kind": "timed", "minutes": "60", "reason": "x"}
        assert refused(await plant.posts(f"/machines/shelves/rule/{RULE}", form, by=name)) == "pullcord.not_allowed"


@on_any_database
async def test_every_kind_has_a_form_and_the_list_tells_how_each_rule_stands(plant):
    page = (await plant.sees(f"{RULES}/new?tag={TAG}", by="Chen Jing")).text
    kinds = re.findall(r"kind=(\w+)", page)
    assert len(kinds) == 11
    for kind in kinds:
        assert (await plant.sees(f"{RULES}/new?tag={TAG}&kind={kind}", by="Chen Jing")).status_code == 200

    await plant.machine_reports("Press 7", "overheating")
    listed = (await plant.sees(f"{RULES}?station={id_of('station', 'Press 7')}", by="Chen Jing")).text
    assert 'data-standing="active"' in listed
    assert "Oven 1" not in listed.split("</form>")[1]


SHEET = "tag\tkind\tstation\tsetpoint\tdeadband\ton_delay\tcomponent\tseverity\tonly_when\n"


async def test_a_sheet_makes_and_changes_rules_after_it_was_looked_at(plant):
    text = SHEET + "overheating\thigh\tPress 7\t80\t4\t5\toverheating\t1\n"
    text += "sensor 1\tlow\tPress 7\t2\t\t\t\t3\toverheating > 30; no coolant != 4\n"
    before = len(await plant.all(AlarmRule))

    looked = await plant.posts(f"{RULES}/import", {"text": text}, by="Chen Jing", accept="text/html")
    assert "overheating above 80 for 5 s, until 76: severity 1, machine" in looked.text
    assert "sensor 1 below 2; only while overheating is above 30 and no coolant is not 4: severity 3" in looked.text
    assert len(await plant.all(AlarmRule)) == before

    done(await plant.posts(f"{RULES}/import", {"text": text, "publish": "yes"}, by="Chen Jing"))
    assert len(await plant.all(AlarmRule)) == before + 1
    assert ((await rule(plant)).deadband, (await rule(plant)).severity) == (4.0, 1)
    again = await plant.posts(f"{RULES}/import", {"text": text}, by="Chen Jing", accept="text/html")
    assert "The rules say all this already." in again.text


@on_any_database
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("sensor 99\thigh\tPress 7\t1", "Row 3: There is no tag “sensor 99” there."),
        ("sensor 1\thigh\t\t1", "Row 3: Several tags are called “sensor 1”. Write the station too."),
        ("sensor 1\thot\tPress 7\t1", "Row 3: “hot” is no kind. Write one of high, low,"),
        ("sensor 1\thigh\tPress 7\tmany", "Row 3: “many” is no number."),
        ("sensor 1\thigh\tPress 7", "Row 3: A number is missing: the limit."),
        ("sensor 1\thigh\tPress 7\t60\t1\t-5", "Row 3: What stands in “on_delay” cannot be."),
        ("sensor 1\thigh\tPress 7\t60\t\t\t\t9", "Row 3: What stands in “severity” cannot be."),
        ("sensor 1\tlow\tPress 7\t60", "Row 3: The low limit 60 must be below the high limit 50."),
        ("sensor 1\tlow\tPress 7\t6\t\t\t\t3\toverheating is hot", "Row 3: “overheating is hot” is no comparison."),
        ("overheating\thigh\tPress 7\t80\t\t\toverheating", "Row 3: It says the same as row 2. Remove one."),
    ],
)
async def test_a_wrong_row_stops_the_whole_sheet(plant, rows, said):
    text = SHEET + "overheating\thigh\tPress 7\t80\t4\t5\toverheating\t1\n" + rows
    answer = await plant.posts(f"{RULES}/import", {"text": text, "publish": "yes"}, by="Chen Jing", accept="text/html")

    assert answer.status_code == 400
    assert said in answer.text
    assert (await rule(plant)).deadband == 0.0


@on_any_database
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Row 1: It must name the columns; “tag” is missing."),
        ("tag\tkind\tcolour\nx\thigh\tred", "Row 1: “colour” is no column here, or stands there twice."),
        (SHEET, "Row 1: There is no rule below it."),
    ],
)
async def test_a_sheet_without_its_columns(plant, text, said):
    answer = await plant.posts(f"{RULES}/import", {"text": text}, by="Chen Jing", accept="text/html")

    assert said in answer.text


@on_any_database
async def test_an_excel_file_is_read_like_what_is_pasted(plant):
    from tests.kit.test_sheets import workbook

    data = workbook(["变量", "类型", "工位", "限值", "锁存"], ["sensor 1", "high", "Press 7", 70, True])
    files = {"sheet": ("rules.xlsx", data)}
    answer = await plant.http.post(f"{RULES}/import/file", files=files, headers=plant._as("Chen Jing"))

    assert "sensor 1 above 70; stays until somebody resets it: severity 3, machine" in answer.text
    bad = await plant.http.post(
        f"{RULES}/import/file",
        files={"sheet": ("x", b"no")},
        headers=plant._as("Chen Jing") | {"accept": "application/json"},
    )
    assert refused(bad) == "sheet.unreadable"
