# Every target does its own set-up.
export PYTHONSAFEPATH = 1
# Which Python to use; empty: that of the environment that is there, or the newest that fits
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# One resolution for every Python from this one on, and for every platform
RESOLVE := --universal --python-version 3.11 --no-python-downloads
COMPILE := $(BIN)/uv pip compile --quiet $(RESOLVE) --generate-hashes --no-header --no-emit-index-url
# More arguments for what a target runs: make test ARGS="-k ranking -x", make lock ARGS=--upgrade
ARGS ?=
# Docker or what takes its place (podman, buildah), and the image to start from
ENGINE ?= docker
BASE ?= python:3.13-slim-bookworm
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

# An environment that was made with another Python than the named one, or whose Python is gone, is made again.
ifneq ($(PYTHON)$(shell test -x $(BIN)/python || echo gone),)
ifneq ($(shell scripts/make_environment.sh --fits $(VENV) $(PYTHON) 2>/dev/null || echo no),)
.PHONY: $(STAMP)
endif
endif

$(STAMP): requirements.lock pyproject.toml
	@scripts/make_environment.sh $(VENV) $(PYTHON)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python scripts/warm_up.py
	touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv with everything that run, test and check need

.PHONY: run
run: $(STAMP) ## Start everything on this machine and replay a sample log; Ctrl-C stops it
	$(BIN)/headrace run $(ARGS)

.PHONY: test
test: $(STAMP) ## Run all tests
	$(BIN)/pytest $(ARGS)

.PHONY: chaos
chaos: $(STAMP) ## Disturb real workers in seeded ways and check all that they stored (ARGS="--runs 50 --seed 7 --json")
	PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

.PHONY: smoke-pythons
smoke-pythons: $(STAMP) ## Install and try Headrace with every other Python on this machine that it is made for
	scripts/smoke_pythons.sh

.PHONY: check
check: check-code check-text check-image check-helm check-architecture ## Run every check that must be clean

.PHONY: check-code
check-code: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy app agents models tests scripts

.PHONY: check-text
check-text: $(STAMP)
	$(BIN)/codespell
	$(BIN)/yamllint --strict .
	$(BIN)/shellcheck scripts/*.sh .ci/run

.PHONY: check-image
check-image: $(STAMP)
	$(BIN)/hadolint Dockerfile

.PHONY: check-helm
check-helm: $(STAMP) ## Lint and render the Helm chart, and validate what comes out
	scripts/check_helm.sh

.PHONY: check-architecture
check-architecture: $(STAMP)
	$(BIN)/pytest --quiet tests/architecture

.PHONY: lock
lock: $(STAMP) ## Resolve both lock files from pyproject.toml (ARGS=--upgrade: to the newest versions)
	$(COMPILE) $(ARGS) --extra embedded --extra cpu --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --no-annotate --constraint requirements.lock --extra cpu pyproject.toml -o requirements-runtime.lock

# The export tools live in an environment of their own: torch is large, and a worker never needs it.
EXPORT := .venv-export
EXPORT_STAMP := $(EXPORT)/.installed

$(EXPORT_STAMP): requirements-export.lock pyproject.toml
	@scripts/make_environment.sh $(EXPORT) $(PYTHON)
	$(EXPORT)/bin/pip install --quiet -r requirements-export.lock
	$(EXPORT)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.PHONY: export-setup
export-setup: $(EXPORT_STAMP) ## Make .venv-export with what exporting and training models needs

.PHONY: export-lock
export-lock: $(STAMP) ## Resolve requirements-export.lock anew
	scripts/export_lock.sh $(RESOLVE) $(ARGS)

# ITEMS: catalogues whose titles models are calibrated and compared on
ITEMS ?= ../shared/data/uci_online_retail ../shared/data/product_listings ../shared/data/fashion_catalog ../shared/data/amazon_gift_cards_2018
MULTILINGUAL_ITEMS ?= ../shared/data/chinese_product_titles/titles.csv.gz

.PHONY: model
model: $(EXPORT_STAMP) ## Make the embedding model's artefact anew (ITEMS="catalogue.csv …")
	$(EXPORT)/bin/headrace models export --items $(ITEMS) $(ARGS)
	$(EXPORT)/bin/headrace models bench --items $(ITEMS) --record

.PHONY: model-multilingual
model-multilingual: $(EXPORT_STAMP) ## Make multilingual-e5-small (Chinese, English, …) the embedding model; 118 MB
	$(EXPORT)/bin/headrace models export --source multilingual-e5-small --prefix "query: " --max-tokens 256 --items $(ITEMS) $(MULTILINGUAL_ITEMS) $(ARGS)

.PHONY: model-bench
model-bench: $(EXPORT_STAMP) ## Time the embedding model against the plain export and PyTorch (ITEMS="catalogue.csv …")
	$(EXPORT)/bin/headrace models bench --items $(ITEMS) $(ARGS)

.PHONY: model-second-judge
model-second-judge: $(EXPORT_STAMP) ## Make SmolLM2-135M the second judge of doubtful texts, in build/second-judge; 170 MB (ITEMS="catalogue.csv …")
	$(EXPORT)/bin/headrace models export-judge --items $(ITEMS) $(ARGS)

# The name up to 0.1.0.
.PHONY: model-second-stage
model-second-stage: model-second-judge

.PHONY: env-example
env-example: $(STAMP) ## Write .env.example and the chart's list of settings anew
	$(BIN)/python scripts/env_example.py

.PHONY: image
image: ## Build the container image (ENGINE=docker, BASE=python:3.13-slim-bookworm)
	$(ENGINE) build --build-arg BASE=$(BASE) --tag headrace:$(VERSION) .

.PHONY: clean
clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) $(EXPORT) .cache build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find app agents models tests scripts -name __pycache__ -prune -exec rm -rf {} +
