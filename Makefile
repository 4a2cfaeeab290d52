# Every target does its own set-up.
export PYTHONSAFEPATH = 1
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv with everything that run, test and check need

.PHONY: lock
lock: $(STAMP) ## Resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --extra embedded --extra cpu --extra dev pyproject.toml -o requirements.lock
