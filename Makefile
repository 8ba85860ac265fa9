# make demo           the main job on a real Kafka and the sandbox, with real data: VENDOR=bloom_growth, liquid_decisions, salesforce
# make test           lint, types, unit and integration tests, in four processes side by side: WORKERS=4
# make chaos          kill, stop and mislead writers while they deliver, then audit: ROUNDS=30 SEED=1 VENDOR=bloom_growth
# make bench          the figures of the README, about 9 minutes: RECORDS=1000000
# make bench-sandbox  the figures of the stand-in vendors, about a minute
# make install        only the virtual environment
# make schemas        write schemas/ and docs/api.md anew from the code
# make format         format the code
# make constraints    pin the newest dependencies that all supported Pythons share
# Each makes its own virtual environment, .venv, when there is none.

PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null)) python3)
BIN := .venv/bin
SOURCES := services tests examples
ROUNDS ?= 30
RECORDS ?= 1000000
# Most tests wait: four processes keep two cores busy, and take 5 GB of memory, as each starts its own Kafka.
WORKERS ?= 4

.PHONY: help install demo test lint format chaos bench bench-sandbox schemas constraints clean

help:
	@sed -n 's/^# //p' Makefile

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Sluice needs Python 3.11 or later; PYTHON=%s is %s. Set PYTHON=/path/to/python3.13" % (sys.executable, sys.version.split()[0]) if sys.version_info < (3, 11) else 0)'
	@echo "installing into .venv with $$($(PYTHON) --version) (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,tracker]'
	@touch $@

install: .venv/installed

demo: .venv/installed
	@$(BIN)/python -m demo $(if $(VENDOR),--vendor $(VENDOR)) $(if $(API),--api $(API))

test: lint
	@# Tests start many short processes, which begin sooner when Python may keep what it has compiled.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(WORKERS)

lint: .venv/installed
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy

format: .venv/installed
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

chaos: .venv/installed
	@$(BIN)/python -m tests.chaos --rounds $(ROUNDS) $(if $(VENDOR),--vendor $(VENDOR)) $(if $(SEED),--seed $(SEED))

bench: .venv/installed
	@$(BIN)/python -m tests.bench --records $(RECORDS)

bench-sandbox: .venv/installed
	@$(BIN)/python -m tests.bench.sandbox

schemas: .venv/installed
	@$(BIN)/python -m sluice.spec.json_schemas
	@$(BIN)/python -m sluice.spec.api_page

constraints:
	@$(PYTHON) -m venv .venv-pins
	@.venv-pins/bin/python -m pip install --quiet '.[dev,tracker]'
	@(sed -n '1,2p' constraints.txt; .venv-pins/bin/python -m pip freeze | grep -v '^sluice') > constraints.new
	@mv constraints.new constraints.txt && rm -rf .venv-pins build

clean:
	rm -rf .venv build *.egg-info services/*.egg-info
