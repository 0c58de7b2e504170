# Every target does its own set-up: Python 3.11 or newer with venv, and make, are all that is needed.
# Another interpreter: make PYTHON=python3.13 ...

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes that share the tests out, file by file.
WORKERS ?= 2
PROJECTS := pyproject.toml schemas/pyproject.toml agents/pyproject.toml

# Given by the environment so that they reach the isolated builds too, which `pip install -c` does not.
export PIP_CONSTRAINT := constraints.txt
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONNOUSERSITE := 1

.PHONY: help install demo test lint lint-rules lint-format lint-types lint-imports bench lab-test neo4j-test \
	browser-test wheels clean python-check

help:
	@echo "make demo        scan this machine and a small estate, ask what breaks, and serve until Ctrl-C (ONCE=1, KEEP=1)"
	@echo "make test        every test that needs neither root nor a server"
	@echo "make lint        ruff, mypy, import contracts"
	@echo "make bench       the benchmarks (SCALE=0.01 for a hundredth)"
	@echo "make lab-test    tests against the lab (root)"
	@echo "make neo4j-test  tests against a real Neo4j (JDK 17 and Maven)"
	@echo "make browser-test  what is served, in a real Chromium (Debian: chromium, chromium-driver)"
	@echo "make wheels      the three distributions, into dist/"

install: $(STAMP)

$(STAMP): $(PROJECTS) constraints.txt
	@$(MAKE) --no-print-directory python-check
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV) (once; about half a minute)"
	@$(BIN)/python -m pip install --quiet -e schemas -e 'agents[ssh,snmp]' -e '.[neo4j,test]'
	@touch $@

python-check:
	@command -v $(PYTHON) >/dev/null || { echo "Missing: $(PYTHON). Install Python 3.11 or newer, or name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Missing: Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Missing: ensurepip of $$($(PYTHON) -V 2>&1), which creates .venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

demo: $(STAMP)
	@$(BIN)/python -m demo

test: $(STAMP)
	$(BIN)/python -m pytest -m "not lab and not neo4j and not browser" -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

# Each on its own, so that `make -k lint` tells everything at once.
lint: lint-rules lint-format lint-types lint-imports

lint-rules: $(STAMP)
	$(BIN)/ruff check .

lint-format: $(STAMP)
	$(BIN)/ruff format --check .

lint-types: $(STAMP)
	$(BIN)/mypy

lint-imports: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP)
	@for file in $$(grep -l __main__ benchmarks/*.py); do \
		echo "$$file"; $(BIN)/python -m benchmarks.$$(basename $$file .py) $(if $(SCALE),--scale $(SCALE)) || exit 1; \
	done

lab-test: $(STAMP)
	$(BIN)/python -m pytest -m lab $(PYTEST_ARGS)

neo4j-test: $(STAMP)
	deploy/neo4j/fetch.sh
	$(BIN)/python -m pytest -m neo4j $(PYTEST_ARGS)

browser-test: $(STAMP)
	$(BIN)/python -m pytest -m browser $(PYTEST_ARGS)

wheels: $(STAMP)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist ./schemas ./agents .
	@ls dist

clean:
	rm -rf $(VENV) dist build .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
