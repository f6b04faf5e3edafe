# Everything that a fresh machine with Python 3.11+, git and make needs is set up in here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: quickstart test test-fast lint docs clean

quickstart: $(STAMP)  ## data, training, evaluation before and after, report
	$(BIN)/coalm run recipes/quickstart.yaml

test: $(STAMP) lint  ## everything: lint, types, all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: $(STAMP)  ## the tests that need no model and no long work, under a minute
	$(BIN)/python -m pytest -n 2 -m "not slow and not model"

lint: $(STAMP)  ## style, formatting, types
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy

docs: $(STAMP)  ## write docs/cli.md and docs/formats.md anew
	$(BIN)/python -m coalm.cli.reference > docs/cli.md
	$(BIN)/python -m coalm.cli.specimens > docs/formats.md

# Versions are pinned in constraints.txt; pip finds the build of torch that suits the machine.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "coalm needs Python 3.11 to 3.13; name one: make PYTHON=python3.12"; exit 1; }
	@echo "setting up $(VENV) (a few minutes, once)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

clean:  ## remove what was built here; downloads in the cache stay
	rm -rf $(VENV) build dist runs data .mypy_cache .pytest_cache .ruff_cache .hypothesis
