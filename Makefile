# ipsecbench: `make run` measures this box and recommends; `make test` runs every test. Both install what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
SOURCES := $(wildcard agent/src/*.[ch] agent/src/*.def agent/Makefile)
RUN ?=

.DEFAULT_GOAL := help
.PHONY: help run test check agent agents agent-tests cross-tests lint types unit system reports bench clean

help:
	@echo "make run    set everything up, measure this box, recommend, write dataset and report"
	@echo "            (options for 'ipsecbench run' go into RUN, as in: make run RUN='--quick --goal 500M')"
	@echo "make test   set everything up and run every test"
	@echo "make check  lint, types and unit tests only (under two minutes)"
	@echo "make agents build the agent for routers and other machines, into agent/build/cross (docs/agent-cross.md)"
	@echo "make bench  print the figures of docs/performance.md"
	@echo "make reports  make the example report anew from the dataset in datasets/"
	@echo "make clean  remove what was built"

run: $(STAMPS)/run
	$(BIN)/ipsecbench run $(RUN)

test: $(STAMPS)/test $(STAMPS)/cross system
	sh tests/run-all.sh

check: $(STAMPS)/test lint types unit

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types:
	$(BIN)/mypy

unit:
	$(BIN)/pytest -q -n auto --dist worksteal -m "not slow and not browser" tests/unit

agent: $(STAMPS)/tools
	$(MAKE) --no-print-directory -C agent all sanitize

agents: $(STAMPS)/cross
	PYTHONPATH=. $(BIN)/python agent/cross/build.py

agent-tests:
	$(MAKE) --no-print-directory -C agent all sanitize
	$(MAKE) --no-print-directory -C agent check

# And the roots of the machines that they run on, which are made once (docs/agent-cross.md).
cross-tests:
	PYTHONPATH=. $(BIN)/python agent/cross/build.py --tests
	sh tests/agent_cross/sysroots.sh

bench: $(STAMPS)/test agent
	sh tests/bench/run-all.sh

reports: $(STAMPS)/run
	sh reports/make.sh $(BIN)/ipsecbench

system:
	sh tests/install-system-packages.sh

clean:
	-$(MAKE) --no-print-directory -C agent clean
	rm -rf $(VENV) $(STAMPS) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(STAMPS)/tools:
	@mkdir -p $(STAMPS)
	@for tool in $(PYTHON) cc; do command -v $$tool >/dev/null || \
	  { echo "ipsecbench: '$$tool' is missing: install Python 3.11 or newer with pip and venv, gcc and make" >&2; exit 1; }; done
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ipsecbench: $(PYTHON) is older than Python 3.11; name a newer one, as in: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "ipsecbench: $(PYTHON) has no venv module: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@touch $@

$(BIN)/python: | $(STAMPS)/tools
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/run: pyproject.toml $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(STAMPS)/test: pyproject.toml $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(STAMPS)/run $@

# zig, a compiler for all of them: 100 MB to fetch, 440 MB on the disk.
$(STAMPS)/cross: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cross]'
	@touch $@
