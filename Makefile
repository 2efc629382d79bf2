# Everything the project can be asked to do.  `make` alone lists it.
#
#   PORT=8001           listen elsewhere                            (demo, run)
#   DATABASE_URL=…      a PostgreSQL 15 or later of your own        (demo, run, test, check)
#   RESET=1             begin afresh                                (demo)
#   TESTS=tests/domain  these tests only; WORKERS=0: in one process (test)
#   ARGS="…"            passed on to the command                    (demo, run, test, bench)
#   PYTHON=…            the Python to make .venv with

.DEFAULT_GOAL := help
.PHONY: help demo run test check lint types contracts schema isolation bench explorer lock clean venv \
	venv-dev

# The first Python the locks are made for; if there is none, the doctor says so.
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	2>/dev/null && echo $$python && exit; done; echo python3)
endif
BIN := .venv/bin
# Much of what tests do is wait for browsers and services: three fill two cores.
WORKERS ?= 3
# In CI a test that fails gets two more chances; whoever works on it wants to see it fail.
PYTEST := $(if $(CI),.ci/pytest,$(BIN)/python -m pytest)
# Dozens of processes load the same modules, so what is compiled is kept, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

# What is installed is known by what it was installed from, and where: scripts hold their place.
KEY := $(shell { pwd; cat pyproject.toml requirements/*.txt; } | cksum | tr ' ' -)
RUN_READY := .venv/.run-$(KEY)
DEV_READY := .venv/.dev-$(KEY)
# -I: the files beside the doctor must not stand in for the standard library's.
DOCTOR := $(PYTHON) -I infra/doctor.py --quiet

help:  ## list what can be asked for
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@sed -n '3,8s/^# \{0,3\}/  /p' Makefile

demo: $(RUN_READY)  ## everything at once: database, believable data, service; Ctrl-C stops it
	@$(DOCTOR)
	@exec $(BIN)/smarketing demo $(if $(RESET),--reset) $(ARGS)

run: $(RUN_READY)  ## migrate and serve on the PostgreSQL of DATABASE_URL
	@test -n "$$DATABASE_URL" || { echo "make run needs DATABASE_URL; make demo brings its own database." >&2; exit 2; }
	@$(DOCTOR)
	@$(BIN)/smarketing migrate
	@exec $(BIN)/smarketing serve $(ARGS)

test: $(DEV_READY)  ## run the tests
	$(PYTEST) -n $(WORKERS) $(or $(TESTS),tests) $(ARGS)

check: lint types contracts schema  ## everything that must hold before a change lands
	$(PYTEST) -n $(WORKERS) tests

lint: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV_READY)
	$(BIN)/mypy

contracts: $(DEV_READY)
	$(BIN)/lint-imports

schema: $(DEV_READY)
	$(BIN)/smarketing schema export --check

isolation: $(DEV_READY)  ## prove, over the migrated schema, that no tenant reads or writes another's rows
	$(BIN)/python -m pytest tests/infra/test_isolation.py

explorer: $(RUN_READY)  ## bring GraphiQL for /graphql, with npm; else a small page stands in
	@$(BIN)/smarketing explorer fetch

bench: $(DEV_READY)  ## measure; the figures go to docs/benchmarks.md
	$(BIN)/python -m bench $(ARGS)

venv: $(RUN_READY)
venv-dev: $(DEV_READY)

# Everything is installed by hash.  uv reads the same locks as pip in a quarter of the time; where
# it cannot be had, or cannot reach the packages (it does not read pip's settings), pip does it.
define install
	@$(DOCTOR) --not-serving
	@$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
		|| { echo "Making .venv"; $(PYTHON) -m venv --clear .venv; }
	@echo "Installing $(1)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements/uv.txt 2>/dev/null || echo "  without uv, which takes a little longer"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r $(1) 2>/dev/null \
		|| $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-index --no-deps \
		--no-build-isolation --config-settings editable_mode=compat -e .
	@! command -v npm >/dev/null || $(BIN)/smarketing explorer fetch --lenient
	@rm -f .venv/.run-* .venv/.dev-*
endef

$(RUN_READY):
	$(call install,requirements/run.txt)
	@touch $@

$(DEV_READY):
	$(call install,requirements/dev.txt)
	@touch $(RUN_READY) $@

# Keeps the versions that are locked already; UPGRADE=1 takes the newest.  The locks name no index.
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade)

lock: $(RUN_READY)  ## lock the packages anew from pyproject.toml; UPGRADE=1 takes newer ones
	echo uv | $(COMPILE) -o requirements/uv.txt -
	$(COMPILE) --group build -o requirements/run.txt pyproject.toml
	$(COMPILE) --group build --group dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	@! grep -nE '://|^-(-index|i|f|-find)' requirements/*.txt

clean:  ## remove what can be made again, but not the demo's data (.local)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find api bench domain infra migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +
