# Every target makes the environment that it needs.
export PYTHONSAFEPATH = 1
# The Python to use. Empty: that of the existing environment, or the newest that fits.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# One resolution for all Python versions from this one on, and for all platforms.
RESOLVE := --universal --python-version 3.11 --no-python-downloads
# The client is a part of this checkout, so no lock file has it.
COMPILE := $(BIN)/uv pip compile --quiet $(RESOLVE) --generate-hashes --no-header --no-emit-index-url \
	--no-emit-package headrace-client
# More arguments for the command of a target: make test ARGS="-k ranking -x", make lock ARGS=--upgrade
ARGS ?=
# Docker or a replacement (podman, buildah), and the base image.
ENGINE ?= docker
BASE ?= python:3.13-slim-bookworm
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List all targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

# Make the environment again if it has another Python than the named one, or if its Python is gone.
ifneq ($(PYTHON)$(shell test -x $(BIN)/python || echo gone),)
ifneq ($(shell scripts/make_environment.sh --fits $(VENV) $(PYTHON) 2>/dev/null || echo no),)
.PHONY: $(STAMP)
endif
endif

$(STAMP): requirements.lock pyproject.toml clients/python/pyproject.toml
	@scripts/make_environment.sh $(VENV) $(PYTHON)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e clients/python -e .
	$(BIN)/python scripts/warm_up.py
	touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv with all packages for run, test and check

.PHONY: run
run: $(STAMP) ## Start everything on this machine and replay a sample log; Ctrl-C stops it
	$(BIN)/headrace run $(ARGS)

# Two processes: many tests wait for a server. A file stays in one, for what its tests share.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile
# A test that fails is tried once more: a machine that others use, too, may miss a deadline. The end
# of the run names it, also if it passes then.
SECOND_TRY := --reruns 1 -rR

.PHONY: test
test: $(STAMP) ## Run all tests, two side by side (one after the other: ARGS="-n 0 -x")
	$(BIN)/pytest $(SIDE_BY_SIDE) $(SECOND_TRY) $(ARGS)

# On Apache Kafka: all tests that touch a broker and that it can pass; the short form is for .ci/run.
KAFKA_JARS := .cache/kafka/jars
KAFKA_SHORT := tests/contract/test_outbox.py tests/e2e/test_transactions.py \
	$(addprefix tests/integration/test_,batch_transport.py kafka_login.py)
KAFKA_TESTS := $(KAFKA_SHORT) \
	$(addprefix tests/integration/test_,bench_kafka.py catalogue_log.py doctor_checks.py doctor_keys.py doctor_names_faults.py faust_app.py \
	kafka_replicas.py log_end.py replay_to_kafka.py serve_clicks.py snapshots.py topics.py transaction_markers.py \
	unreadable_records.py workers_of_a_group.py) \
	$(addprefix tests/e2e/test_,compressed_topics.py dead_connection.py doctor_command.py forget_command.py \
	forget_purge.py kafka_cluster.py kafka_rights.py late_writes.py logs_of_apache_kafka.py malformed_messages.py \
	misplaced_events.py producers_clocks.py rebuild_command.py \
	repeats_after_a_restart.py replay_command.py topics_change.py worker.py worker_in_trouble.py \
	worker_logs_in.py worker_restart.py workers_that_disagree.py)

.PHONY: test-kafka
test-kafka: $(STAMP) ## Run the tests that touch a broker on Apache Kafka; needs java and mvn (ARGS="-k login -x")
	scripts/fetch_kafka.sh
	HEADRACE_TEST_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS) $(BIN)/pytest $(KAFKA_TESTS) $(ARGS)

.PHONY: test-kafka-short
test-kafka-short: $(STAMP) ## Run the most important of them, about a minute
	scripts/fetch_kafka.sh
	HEADRACE_TEST_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS) $(BIN)/pytest $(KAFKA_SHORT) $(SECOND_TRY) $(ARGS)

.PHONY: test-examples
test-examples: $(STAMP) ## Run the examples of docs/ in other languages, where node, go, java and mvn are there
	scripts/fetch_examples.sh
	HEADRACE_TEST_EXAMPLES=$(CURDIR)/.cache/examples $(BIN)/pytest tests/integration/test_examples_in_other_languages.py $(SECOND_TRY) $(ARGS)

.PHONY: chaos
chaos: $(STAMP) ## Disturb real workers in seeded ways and check all that they stored (ARGS="--runs 50 --seed 7 --json")
	PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

.PHONY: fuzz
fuzz: $(STAMP) ## Look for bytes that break a reader of messages, Redis or files (ARGS="events moved --seconds 300")
	PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

.PHONY: explore
explore: $(STAMP) ## Run the property tests on other examples than make test, which tries the same ones in each run
	$(BIN)/pytest $$(grep -rl --include='test_*.py' hypothesis tests) --hypothesis-profile explore $(ARGS)

.PHONY: smoke-pythons
smoke-pythons: $(STAMP) ## Install and try Headrace with every other supported Python on this machine
	scripts/smoke_pythons.sh

.PHONY: check
check: check-code check-text check-image check-helm check-architecture ## Run all checks: code, text, image, chart, architecture

.PHONY: check-code
check-code: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy app agents models tests scripts clients/python/src

.PHONY: check-text
check-text: $(STAMP)
	$(BIN)/codespell
	$(BIN)/yamllint --strict .
	$(BIN)/shellcheck scripts/*.sh .ci/run

.PHONY: check-image
check-image: $(STAMP)
	$(BIN)/hadolint Dockerfile

.PHONY: check-helm
check-helm: $(STAMP) ## Lint and render the Helm chart, and validate the manifests
	scripts/check_helm.sh

.PHONY: check-architecture
check-architecture: $(STAMP)
	$(BIN)/pytest --quiet tests/architecture

.PHONY: bench-check
bench-check: $(STAMP) ## Hold the instructions per event of the pure core to the baseline, with valgrind (ARGS=--record: new baseline)
	$(BIN)/python scripts/bench_check.py $(ARGS)

.PHONY: bench-kafka
bench-kafka: $(STAMP) ## Measure on Apache Kafka, which it fetches and starts (ARGS="freshness --shares 50"); needs java and mvn
	scripts/fetch_kafka.sh
	HEADRACE_TEST_KAFKA_JARS=$(CURDIR)/$(KAFKA_JARS) PYTHONPATH=tests $(BIN)/python scripts/bench_on_kafka.py $(ARGS)

.PHONY: bench-peers
bench-peers: $(STAMP) ## Compare lists with those of well-known recommenders (ARGS="--data DIR --limit 5000")
	$(BIN)/pip install --quiet --no-build-isolation -e '.[bench]'
	$(BIN)/headrace bench peers $(ARGS)

.PHONY: lock
lock: $(STAMP) ## Resolve both lock files from pyproject.toml (ARGS=--upgrade: to the newest versions)
	$(COMPILE) $(ARGS) --extra embedded --extra keep --extra cpu --extra tracing --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --no-annotate --constraint requirements.lock --extra cpu pyproject.toml -o requirements-runtime.lock

# What looks at the packages from outside has an environment of its own: it must not choose their versions.
AUDIT := .venv-audit
AUDIT_STAMP := $(AUDIT)/.installed
LOCKS := requirements-runtime.lock requirements.lock

$(AUDIT_STAMP): requirements-audit.lock
	@scripts/make_environment.sh $(AUDIT) $(PYTHON)
	$(AUDIT)/bin/pip install --quiet --require-hashes -r requirements-audit.lock
	touch $@

.PHONY: audit-lock
audit-lock: $(STAMP) ## Resolve requirements-audit.lock again
	printf 'pip-audit\ncyclonedx-bom\n' | $(COMPILE) $(ARGS) --no-annotate - -o requirements-audit.lock

.PHONY: audit-deps
audit-deps: $(AUDIT_STAMP) ## Ask PyPI for known weaknesses of all locked packages; says so if it cannot (ARGS="--service osv")
	$(AUDIT)/bin/python scripts/audit_deps.py $(ARGS) $(LOCKS)

.PHONY: sbom
sbom: $(AUDIT_STAMP) ## Write the list of the image's packages as CycloneDX to build/sbom.json
	mkdir -p build
	$(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
		--output-file build/sbom.json requirements-runtime.lock

# MkDocs too: its packages are of no use to whoever runs or changes Headrace.
DOCS := .venv-docs
DOCS_STAMP := $(DOCS)/.installed

$(DOCS_STAMP): requirements-docs.lock
	@scripts/make_environment.sh $(DOCS) $(PYTHON)
	$(DOCS)/bin/pip install --quiet --require-hashes -r requirements-docs.lock
	touch $@

.PHONY: docs-lock
docs-lock: $(STAMP) ## Resolve requirements-docs.lock again
	printf 'mkdocs-material\n' | $(COMPILE) $(ARGS) --no-annotate - -o requirements-docs.lock

.PHONY: docs
docs: $(STAMP) $(DOCS_STAMP) ## Build the documentation site in build/site, and check its links
	PYTHONPATH=scripts $(BIN)/python -m docs_site build/docs
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --quiet --strict --clean $(ARGS)
	PYTHONPATH=scripts $(BIN)/python -m docs_site --check build/site

# The export tools have their own environment: torch is large, and a worker never needs it.
EXPORT := .venv-export
EXPORT_STAMP := $(EXPORT)/.installed

$(EXPORT_STAMP): requirements-export.lock pyproject.toml clients/python/pyproject.toml
	@scripts/make_environment.sh $(EXPORT) $(PYTHON)
	$(EXPORT)/bin/pip install --quiet -r requirements-export.lock
	$(EXPORT)/bin/pip install --quiet --no-deps --no-build-isolation -e clients/python -e .
	touch $@

.PHONY: export-setup
export-setup: $(EXPORT_STAMP) ## Make .venv-export with all packages for exporting and training models

.PHONY: export-lock
export-lock: $(STAMP) ## Resolve requirements-export.lock again
	scripts/export_lock.sh $(RESOLVE) $(ARGS)

# ITEMS: catalogues whose titles calibrate the models and compare their variants.
ITEMS ?= ../shared/data/uci_online_retail ../shared/data/product_listings ../shared/data/fashion_catalog ../shared/data/amazon_gift_cards_2018
MULTILINGUAL_ITEMS ?= ../shared/data/chinese_product_titles/titles.csv.gz

.PHONY: model
model: $(EXPORT_STAMP) ## Make the embedding model's artefact again (ITEMS="catalogue.csv …")
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

# The former name, up to version 0.1.0.
.PHONY: model-second-stage
model-second-stage: model-second-judge

.PHONY: env-example
env-example: $(STAMP) ## Write .env.example and the chart's list of settings from the code
	$(BIN)/python scripts/env_example.py

.PHONY: metrics-page
metrics-page: $(STAMP) ## Write docs/metrics.md from the declarations of the metrics
	PYTHONPATH=scripts $(BIN)/python scripts/metrics_page.py

.PHONY: dashboards
dashboards: $(STAMP) ## Write the Grafana dashboards from scripts/dashboards
	PYTHONPATH=scripts $(BIN)/python -m dashboards

.PHONY: chart-readme
chart-readme: $(STAMP) ## Write the chart's README from the comments of its values
	PYTHONPATH=scripts $(BIN)/python scripts/chart_readme.py

.PHONY: drawing
drawing: $(STAMP) ## Draw docs/architecture.svg from the topics and keys in the code
	$(BIN)/python scripts/drawing.py

.PHONY: features-page
features-page: $(STAMP) ## Write docs/features.md from the declarations of the ranker's features
	PYTHONPATH=scripts $(BIN)/python scripts/features_page.py

.PHONY: image
image: ## Build the container image (ENGINE=docker, BASE=python:3.13-slim-bookworm)
	$(ENGINE) build --build-arg BASE=$(BASE) --build-arg VERSION=$(VERSION) --tag headrace:$(VERSION) .

.PHONY: clean
clean: ## Remove the environments and all built files
	rm -rf $(VENV) $(EXPORT) $(AUDIT) $(DOCS) .cache build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find app agents models tests scripts clients -name __pycache__ -prune -exec rm -rf {} +
