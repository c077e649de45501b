# Two commands do all the set-up: `make run` and `make test`. The rest is for who works on it.

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
given = $(if $(filter command,$(firstword $(origin $(1)))),PULLCORD_$(1)=$($(1)))

.PHONY: run misbehave test check lint quick bench messages migration settings format clean

run: .venv/.for-run ## the demonstration plant; HOST=0.0.0.0 for phones in the same network, PORT=8000
	@sh .ci/packages optional libzbar0
	@$(call given,HOST) $(call given,PORT) exec $(BIN)/pullcord demo

misbehave: .venv/.for-run ## let a machine of the running demonstration leave its limits; STATION=1 to 12
	@$(BIN)/pullcord misbehave $(STATION)

test: .venv/.ready ## every test, on both databases and in real browsers
	@sh .ci/packages required libzbar0 chromium firefox-esr dbus libnotify4 fonts-noto-cjk
	$(BIN)/python -m pytest

check: lint quick ## what must be green before a commit, in a minute or two

lint: .venv/.ready ## format, lint, types, contracts, vendored files, migrations
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
	$(BIN)/pybabel -q update -i .messages.pot -d frontend/locales --no-fuzzy-matching --ignore-obsolete
	@sed -i -E '/^"(POT-Creation-Date|PO-Revision-Date|Report-Msgid-Bugs-To|Last-Translator|Generated-By):/d' frontend/locales/*/LC_MESSAGES/messages.po
	@rm .messages.pot

migration: .venv/.ready ## WHY="what and why"
	$(BIN)/python -m app.kit.migrate --draft "$(WHY)"

settings: .venv/.ready ## write .env.example anew
	$(BIN)/pullcord settings > .env.example

format: .venv/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## forget what was set up; the plant in var/ stays
	rm -rf .venv .uv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# What running needs is there sooner than what tests need; a test set-up serves both.
.venv/.for-run: pyproject.toml uv.lock $(UV)
	@echo "Setting up … 正在准备……"
	@UV_PYTHON=$$(command -v $(PYTHON)) $(UV) sync --quiet --locked --no-dev --inexact
	@touch $@

.venv/.ready: pyproject.toml uv.lock $(UV)
	@echo "Setting up for tests … 正在准备测试……"
	@UV_PYTHON=$$(command -v $(PYTHON)) $(UV) sync --quiet --locked
	@touch $@ .venv/.for-run

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Pullcord needs Python 3.11 or newer. If you have one by another name: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .uv || { rm -rf .uv; echo "python3 has no venv: apt-get install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
