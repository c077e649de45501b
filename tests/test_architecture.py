"""House rules a linter cannot say. Each failure names the file that shows how.

Import order and who may import which library are in pyproject.toml, `[tool.importlinter]`.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.kit.errors import DomainError
from app.kit.i18n import translations

ROOT = Path(__file__).parents[1]
APP, TEMPLATES, TESTS = ROOT / "app", ROOT / "frontend" / "templates", ROOT / "tests"
PYTHON = sorted([*APP.rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
LONGEST = 200

# Where async begins: HTTP, channels, machines, and what hands heavy work to a thread or a process.
EDGES = re.compile(
    r"app/(main|kit/\w+|channels/\w+|\w+/(\w+_)?routes|anomaly/stream|capture/(media|voice|codes|sources/\w+))\.py|workers/.*"
)

# Who writes a status beside anomaly/actions.py: only where an anomaly begins, or was in the past.
BEGINS = {"app/capture/intake.py", "app/triage/actions.py", "app/demo/tale.py"}

# Slices whose pages are named after what people see.
SHOWN_IN = {
    "capture": ["station", "report", "scan", "start"],
    "triage": ["queue", "board", "handover"],
    "dispatch": ["dispatch", "outlets"],
    "rosters": ["duty"],
    "people": ["people", "doctor"],
    "kit": ["shared"],
}


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {name(file): tree(file) for file in PYTHON}


def test_only_one_function_writes_a_status(trees):
    guilty = sorted({file for file, code in trees.items() if any(_status_writes(code))} - BEGINS)

    assert guilty == ["app/anomaly/actions.py"], "call anomalies.advance; see app/resolve/actions.py"


def test_domain_code_knows_no_event_loop(trees):
    asynchronous = (ast.AsyncFunctionDef, ast.Await, ast.AsyncWith, ast.AsyncFor)
    guilty = [
        file
        for file, code in trees.items()
        if not EDGES.fullmatch(file) and any(isinstance(node, asynchronous) for node in ast.walk(code))
    ]

    assert not guilty, "plain `def f(session, …, *, now)`; the route awaits it: see app/resolve/routes.py"


def test_only_one_module_reads_the_clock(trees):
    reads = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|localtime|gmtime))\(")
    guilty = [file for file, code in trees.items() if reads.search(ast.unparse(code)) and file != "app/kit/clock.py"]
    asked = [file for file, code in trees.items() if "utcnow" in _imported(code) and not EDGES.fullmatch(file)]

    assert not guilty, "app/kit/clock.py reads it; everything else is told"
    assert not asked, "domain functions take `now`: see app/resolve/actions.py"


def test_the_time_is_named_by_whoever_hands_it_in(trees):
    guilty = [
        f"{file}: {function.name}"
        for file, code in trees.items()
        for function in ast.walk(code)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and not function.name.startswith("_")
        if "now" in [argument.arg for argument in function.args.args] and not EDGES.fullmatch(file)
    ]

    assert not guilty, "`now` is keyword-only in public functions: see app/resolve/actions.py"


def test_every_slice_that_speaks_http_has_its_pages():
    missing = [
        f"frontend/templates/{folder}"
        for file in APP.glob("*/routes.py")
        for folder in SHOWN_IN.get(file.parent.name, [file.parent.name])
        if not list(TEMPLATES.glob(f"{folder}/*.html"))
    ]

    assert not missing, "like frontend/templates/resolve for app/resolve"


def test_every_slice_has_its_tests():
    slices = {file.parent.name for file in APP.glob("*/__init__.py")} - {"demo"}
    missing = [one for one in sorted(slices) if not list(TESTS.glob(f"{one}/test_*.py"))]

    assert not missing, "like tests/dispatch for app/dispatch"


def test_every_template_folder_belongs_to_a_slice():
    known = {folder for folders in SHOWN_IN.values() for folder in folders}
    known |= {file.parent.name for file in APP.glob("*/routes.py")}

    assert {folder.name for folder in TEMPLATES.iterdir() if folder.is_dir()} <= known


def test_every_table_is_known_to_the_migrations(trees):
    tables = [file for file, code in trees.items() if "table=True" in ast.unparse(code)]
    known = _imported(trees["app/tables.py"])

    assert [file for file in tables if file[:-3].replace("/", ".") not in known] == [], "one line in app/tables.py"


def test_every_error_has_a_code_of_its_own():
    codes: dict[str, type[DomainError]] = {}
    for error in _errors():
        assert "code" in vars(error), f"{error} needs a code: see app/kit/errors.py"
        assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", error.code), error
        assert error.code not in codes, (
            f"{error} and {codes[error.code]} share a code: support could not tell them apart"
        )
        codes[error.code] = error


def test_every_error_is_a_sentence_in_both_languages():
    """What happened, what is safe, what to do: to two thumbs in gloves a bare "failed" says nothing."""
    chinese = translations("zh")
    for error in _errors():
        assert len(re.findall(r"[.?!](?:\s|$)", error.message)) >= 2, f"{error}: see app/kit/errors.py"
        assert re.search("[\u4e00-\u9fff]", chinese.ugettext(error.message)), f"{error.code} is not translated"


def test_no_script_and_no_style_stands_in_a_template():
    inline = re.compile(r"""<style|\sstyle=|\son[a-z]+=|=["']?javascript:|<script(?![^>]*\bsrc=)""", re.IGNORECASE)
    guilty = [name(file) for file in TEMPLATES.rglob("*.html") if inline.search(file.read_text("utf-8"))]

    assert not guilty, "the policy forbids it: see frontend/templates/station/page.html"


def test_a_part_of_a_page_has_no_page_around_it():
    """A part is loaded alone and replaces itself: with a page around it, the page would be shown inside the page."""
    pages = {file for file in TEMPLATES.rglob("*.html") if "{% extends" in file.read_text("utf-8")}
    named = {file for file in TEMPLATES.rglob("*.html") if not file.name.startswith("_")}

    frames = {TEMPLATES / "shared" / "page.html", TEMPLATES / "board" / "board.html"}  # of phones, and of televisions
    assert named - pages == frames, "its name begins with _: see anomaly/_card.html"
    assert pages <= named, "see frontend/templates/anomaly/_card.html"


def test_a_file_says_what_it_is():
    silent = [name(file) for file in PYTHON if file.stat().st_size and not ast.get_docstring(tree(file))]

    assert not silent, "the first line says what it promises: see app/dispatch/ladder.py"


def test_a_long_file_says_why():
    """Files of 60 lines can be read in one go. Whoever needs many more owes the reader a reason."""
    long = {name(file): lines for file in PYTHON if (lines := file.read_text("utf-8").count("\n")) > LONGEST}
    guilty = {
        file: n for file, n in long.items() if not re.search(r"\b[Ll]ong", ast.get_docstring(tree(ROOT / file)) or "")
    }

    assert not guilty, "split it, or say why in its first lines: see app/capture/intake.py"


def test_a_script_is_one_behaviour():
    scripts = {name(file): file.read_text("utf-8").count("\n") for file in (ROOT / "frontend" / "js").glob("*.js")}

    assert not {file: lines for file, lines in scripts.items() if lines > 120}, "see frontend/js/clock.js"


def test_tests_wait_for_conditions_and_not_for_time():
    """A sleep makes a test slow on a good day and wrong on a bad one. To kill at a random moment is another matter."""
    sleeps = re.compile(r"\bsleep\((?!0(\.\d+)?\)|chance\.)")
    guilty = [name(file) for file in TESTS.rglob("*.py") if sleeps.search(file.read_text("utf-8"))]

    assert not guilty, "ask again until a deadline: see `until` in tests/machines/ear.py"


def _status_writes(code: ast.Module) -> Iterator[ast.AST]:
    """Find `….values(status=…)`, `{"status": Status.…}` and `something.status = …`."""
    for node in ast.walk(code):
        match node:
            case ast.Call(func=ast.Attribute(attr="values"), keywords=given):
                if "status" in [keyword.arg for keyword in given]:
                    yield node
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if ast.unparse(key or value) == "'status'" and re.search(r"Status\.|^after$", ast.unparse(value)):
                        yield node
            case ast.Assign(targets=targets):
                for part in (part for target in targets for part in ast.walk(target)):
                    if isinstance(part, ast.Attribute) and part.attr == "status" and ast.unparse(part) != "self.status":
                        yield node


def _imported(code: ast.Module) -> set[str]:
    imports = [node for node in ast.walk(code) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.name for node in imports for alias in node.names}


def _errors() -> list[type[DomainError]]:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        importlib.import_module(module.name)
    found, todo = [], [DomainError]
    while todo:
        error = todo.pop()
        found.append(error)
        todo += error.__subclasses__()
    return [error for error in found if error.__module__.startswith("app.")]
