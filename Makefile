# Two commands do all the set-up: `make run` and `make test`. The rest is for who works on it.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never

.PHONY: run test check lint quick bench misbehave messages migration format settings clean

run: .venv/.ready ## the demonstration plant
	@sh .ci/packages optional libzbar0
	@PULLCORD_HOST=$(HOST) PULLCORD_PORT=$(PORT) $(BIN)/pullcord demo

misbehave: .venv/.ready ## let a machine of the running demonstration leave its limits
	@$(BIN)/pullcord misbehave $(STATION)

test: .venv/.ready ## every test, on both databases and in real browsers
	@sh .ci/packages required libzbar0 chromium firefox-esr dbus libnotify4 fonts-noto-cjk
	$(BIN)/python -m pytest

check: lint quick ## what must be green before a commit, in a minute or two

lint: .venv/.ready ## format, lint, types, contracts, catalogues, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python frontend/vendor/vendor.py --check
	$(BIN)/python -m app.kit.migrate --check

quick: .venv/.ready ## the tests without browsers and without the slow ones
	@sh .ci/packages required libzbar0
	$(BIN)/python -m pytest -m "not browser and not slow"

bench: .venv/.ready ## measure; AREA=road runs one part
	$(BIN)/python -m bench $(AREA)

messages: .venv/.ready ## bring the catalogues up to date with code and templates
	$(BIN)/pybabel -q extract -F pyproject.toml -k N_ --no-location --sort-output --omit-header -o .messages.pot .
	$(BIN)/pybabel -q update -i .messages.pot -d frontend/locales --no-fuzzy-matching --ignore-obsolete --omit-header
	@rm .messages.pot

migration: .venv/.ready ## WHY="what and why"
	$(BIN)/python -m app.kit.migrate --draft "$(WHY)"

settings: .venv/.ready ## write .env.example anew
	$(BIN)/pullcord settings > .env.example

format: .venv/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## forget the demonstration's data, keep what was installed
	rm -rf var

.venv/.ready: pyproject.toml uv.lock $(UV)
	@echo "Setting up .venv …"
	@UV_PYTHON=$$(command -v $(PYTHON)) $(UV) sync --quiet --locked
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pullcord needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv .uv || { echo "python3 has no venv: apt-get install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
