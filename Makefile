# Two commands on a fresh machine: `make run` plays, `make test` checks everything.

# The first Python that LiveVAE runs on (some installations have commands that only complain).
PYTHON := $(shell for python in python3.11 python3.12 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin
ARGS ?=

.PHONY: run test check clean
.DELETE_ON_ERROR:

run: .venv/run
	@tools/with-midi $(BIN)/livevae run $(ARGS)

test: .venv/test check
	$(BIN)/pytest

check: .venv/test
	$(BIN)/ruff check livevae tests
	$(BIN)/ruff format --check livevae tests
	$(BIN)/mypy

.venv/run: pyproject.toml constraints.txt
	@tools/system-packages run
	@$(MAKE) --no-print-directory .venv/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[jack]'
	@touch $@

.venv/test: pyproject.toml constraints.txt
	@tools/system-packages test
	@$(MAKE) --no-print-directory .venv/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[jack,plots,dev]'
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "LiveVAE needs Python 3.11 or 3.12; install one and try again" >&2; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
