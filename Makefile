# `make demo` and `make test` set up all they need in a fresh clone: Python 3.11-3.13 is enough.

# the first interpreter that starts and is in range (a name alone may be a version manager's empty shim)
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(shell \
	$(p) -c 'import ensurepip, sys, venv; 0x30B0000 <= sys.hexversion < 0x30E0000 and print("$(p)")' 2>/dev/null)))
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

HANDTRACKJS := handtrackjs-0.1.5.tgz

PLUGINS := $(wildcard plugins/*)

.DEFAULT_GOAL := help
.PHONY: help demo test test-plugins check site verify-import oracle peers clean

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 was found: install one, or name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,train]'
	@touch $@ .venv/run.stamp

demo: .venv/run.stamp  ## track the hands of the demo clip: out/table.jsonl and out/table.png
	mkdir -p out
	$(BIN)/hybridtrack run examples/data/table.mp4 --detect-every 3 --json out/table.jsonl
	$(BIN)/hybridtrack run examples/data/table.mp4 --detect-every 3 --image out/table.png
	@echo "made out/table.jsonl and out/table.png"

test: .venv/dev.stamp  ## all tests
	$(BIN)/python -m pytest

test-plugins: .venv/dev.stamp  ## install the plugins, run their tests, uninstall them
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PLUGINS:%='./%[test]')
	@$(BIN)/python -m pytest $(PLUGINS); status=$$?; \
	$(BIN)/python -m pip uninstall --quiet --yes --disable-pip-version-check $(notdir $(PLUGINS)); exit $$status

check: .venv/dev.stamp  ## style, types and the import order
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

site: .venv/dev.stamp  ## the website: out/site/index.html; fails where a link leads nowhere
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

verify-import: .venv/dev.stamp .cache/$(HANDTRACKJS)  ## compare our network with the published graph, from npm
	$(BIN)/python -m models.import_handtrackjs .cache/$(HANDTRACKJS)

.cache/$(HANDTRACKJS):
	mkdir -p .cache
	cd .cache && npm pack --silent handtrackjs@0.1.5

oracle: .venv/dev.stamp .cache/oracle/oracle.stamp  ## compare the metrics with TrackEval, in an environment of its own
	$(BIN)/python -m tests.oracle --python .cache/oracle/$(notdir $(BIN))/python

# not in .venv: trackeval brings another OpenCV, which overwrites ours
.cache/oracle/oracle.stamp: tests/oracle/requirements.txt | $(BIN)/pip
	rm -rf .cache/oracle
	$(BIN)/python -m venv .cache/oracle
	.cache/oracle/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

peers: .venv/dev.stamp  ## the environments of the libraries that ours is compared with, under .cache/peers
	$(BIN)/python -m tests.benchmarks.peers.environments

clean:  ## remove what was made, the environment included
	rm -rf .venv out build dist .cache
