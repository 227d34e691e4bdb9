# Everything one does with a checkout. `make help` lists it; README.md says more.

PORT ?= 8000
BASE_URL ?= http://127.0.0.1:$(PORT)
DURATION ?= 120
PEOPLE ?= 5000
export PORT BASE_URL

# The newest Python that the project supports and the machine has; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py

.DEFAULT_GOAL := help
.PHONY: help run test lint format fixtures messages bench soak settings screenshots clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/installed .env ## try Backoffice: demo company, web and background worker (PORT=8000, ADMIN_PASSWORD=...)
	@$(MANAGE) setup_demo --port "$(PORT)"
	@# exec, so that whoever stops make stops honcho, and no shell in between can hold a signal back.
	@exec env PYTHONUNBUFFERED=1 DJANGO_RUNSERVER_HIDE_WARNING=true PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start --env /dev/null --port "$(PORT)"

test: $(VENV)/installed-dev ## run every test, on SQLite and (TEST_POSTGRES_URL, or started here) on PostgreSQL
	@.ci/test

lint: $(VENV)/installed-dev ## ruff, mypy, migrations and Django's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE) makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE) check --fail-level WARNING

format: $(VENV)/installed-dev ## put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fixtures: $(VENV)/installed ## write the sample files in fixtures/ anew
	DEBUG=on $(MANAGE) make_fixtures

messages: $(VENV)/installed-dev ## bring the translations in users_profiles/locale and backoffice/locale in step with the code
	@$(BIN)/python docs/update_messages.py

bench: $(VENV)/installed-dev ## how fast people move in, beside stock and the bare database (ARGS="--memory --json FILE")
	@benchmarks/run $(ARGS)

soak: $(VENV)/installed-dev ## two web processes, two workers and busy staff while things are killed (DURATION=120 PEOPLE=5000 ARGS="--seed 7")
	@tests/soak/run.sh --seconds "$(DURATION)" --people "$(PEOPLE)" $(ARGS)

settings: ## write docs/settings.md anew from .env.example
	python3 docs/write_settings.py

screenshots: $(VENV)/installed-dev ## take the pictures in docs/screenshots anew (needs Chromium)
	$(BIN)/python docs/take_screenshots.py

clean: ## remove what was installed and built; your data in var/ and your .env stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.env:
	@cp .env.example .env
	@echo "Wrote .env with settings for trying things out on this machine."

# The stamps make a second run skip the installation, and a changed list of requirements repeat it.
$(VENV)/installed: requirements.txt constraints.txt | $(BIN)/python
	@echo "Installing what Backoffice needs into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements.txt constraints.txt | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/installed

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Backoffice needs Python 3.11 or newer, with its venv module."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Install Python's venv module (Debian: apt install python3-venv)."; exit 1; }
