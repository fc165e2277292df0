# `make` alone lists the targets. Everything runs from a virtual environment that is made on the first call and made anew
# whenever the lock changes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Python is to keep what it has compiled, wherever it was told not to: a test run starts hundreds of processes that import pandas.
unexport PYTHONDONTWRITEBYTECODE

UV_VERSION := 0.13.9
PYTHON := .venv/bin/python
# And of pyproject.toml, since it says which of our packages are installed.
LOCK_HASH := $(shell cat requirements/dev.lock pyproject.toml | sha256sum | cut -c1-16)
VENV := .venv/.installed-$(LOCK_HASH)
TESTBED := PYTHONPATH=tests $(PYTHON) -m testbed
LEVEL ?= node
COMPILE := .venv/bin/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-annotate \
	--no-emit-find-links --custom-compile-command "make lock"

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV) ## From nothing to decoded alerts, and all down again. CONTEXT=cluster DATA=folder KEEP=1
	@$(PYTHON) examples/demo

.PHONY: demo-end
demo-end: $(VENV) ## End what a demo with KEEP=1 has left.
	@$(PYTHON) examples/demo --end

.PHONY: test
test: lint ## The checks and all tests, on real parts. ARGS="-k name" for pytest
	@$(PYTHON) -m pytest $(ARGS)

.PHONY: test-fast
test-fast: $(VENV) ## All tests but those that need a node.
	@$(PYTHON) -m pytest --ignore=tests/e2e $(ARGS)

.PHONY: lint
lint: $(VENV) ## ruff, mypy and import-linter.
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@MYPYPATH=examples .venv/bin/mypy -p demo
	@MYPYPATH=benchmarks .venv/bin/mypy -p reconcile
	@MYPYPATH=benchmarks:tests/kafka/job:examples .venv/bin/mypy -p distribution
	@PYTHONPATH=operator:jobs .venv/bin/lint-imports

.PHONY: bench-reconcile
bench-reconcile: $(VENV) ## Time the operator with many resources. N=1000 FAMILIES=topics,users,both OUT=rows.json
	@PYTHONPATH=benchmarks:tests $(PYTHON) -m reconcile -n $(or $(N),1000) $(if $(FAMILIES),--families $(FAMILIES)) $(if $(OUT),--out $(OUT))

.PHONY: bench-distribution
bench-distribution: $(VENV) ## Time the distribution job. N=20000 DROPS=1 FILTERS=1,5,20,100,livestream SHARE=20 CUTOUTS=both OUT=rows.json
	@PYTHONPATH=benchmarks:tests:tests/kafka/job:examples:jobs $(PYTHON) -m distribution -n $(or $(N),20000) $(if $(SHARE),--share $(SHARE)) $(if $(DROPS),--drops $(DROPS)) $(if $(FILTERS),--filters $(FILTERS)) $(if $(CUTOUTS),--cutouts $(CUTOUTS)) $(if $(OUT),--out $(OUT))

.PHONY: bench-variants
bench-variants: $(VENV) ## Compare three ways from a pass to Kafka. N=20000 DROPS=5 FILTERS=20 CUTOUTS=without OUT=rows.json
	@PYTHONPATH=benchmarks:tests:tests/kafka/job:examples:jobs $(PYTHON) -m distribution.variants $(if $(N),-n $(N)) $(if $(DROPS),--drops $(DROPS)) $(if $(FILTERS),--filters $(FILTERS)) $(if $(CUTOUTS),--cutouts $(CUTOUTS)) $(if $(OUT),--out $(OUT))

.PHONY: bench-pace
bench-pace: $(VENV) ## Time alerts that come at a pace. CASE=latency|rubin|batches DELIVERY=ExactlyOnce TIMES=60 OUT=row.json
	@PYTHONPATH=benchmarks:tests:tests/kafka/job:examples:jobs $(PYTHON) -m distribution.pace --case $(or $(CASE),latency) $(if $(DELIVERY),--delivery $(DELIVERY)) $(if $(TIMES),--times $(TIMES)) $(if $(OUT),--out $(OUT))

.PHONY: testbed
testbed: $(VENV) ## Start a Kafka and a Kubernetes on this machine. LEVEL=kafka|api|node
	@$(TESTBED) up --level $(LEVEL)

.PHONY: testbed-down
testbed-down: $(VENV) ## End the testbed and delete its data.
	@$(TESTBED) down

.PHONY: images
images: $(VENV) ## Build the operator's and the job's image without Docker, and print their names.
	@$(TESTBED) images

.PHONY: sync
sync: $(VENV) ## Copy crds/, schemas/ and jobs/pom.xml to where they are packed, and generate docs/kinds/.
	@cp crds/*.yaml charts/fink-distribution/files/crds/
	@cp crds/*.yaml operator/fink_distribution/crds/
	@cp schemas/stream-job.schema.json jobs/distribution_job/
	@cp schemas/slack-notifier.schema.json jobs/slack_notifier/
	@cp jobs/pom.xml operator/fink_distribution/local_kafka/connectors.pom.xml
	@$(PYTHON) docs/generate_kinds.py

.PHONY: lock
lock: $(VENV) ## Renew requirements/*.lock from requirements/*.in.
	@$(COMPILE) requirements/operator.in -o requirements/operator.lock
	@$(COMPILE) requirements/jobs.in -o requirements/jobs.lock
	@$(COMPILE) requirements/operator.in requirements/jobs.in requirements/dev.in -o requirements/dev.lock

.PHONY: setup
setup: $(VENV) ## Make the virtual environment with what the lock says.

$(VENV):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed as python3.' >&2; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo 'Missing: sudo apt-get install python3-venv' >&2; exit 1; }; \
	    echo 'Installing python3-venv'; \
	    apt-get install --yes -qq python3-venv >/dev/null 2>&1 || { apt-get update -qq && apt-get install --yes -qq python3-venv >/dev/null; }; }
	@echo 'Making the virtual environment .venv (a minute the first time)'
	@[ -x .venv/bin/uv ] && [ "$$(.venv/bin/uv --version | cut -d' ' -f2)" = $(UV_VERSION) ] || { \
	    python3 -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements/dev.lock
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --no-deps --editable .
	@rm -f .venv/.installed-*
	@touch $@

.PHONY: clean
clean: ## Delete what was made here: environment, testbed, caches. What was built for the testbed stays in the user's cache.
	@[ ! -e .testbed/env ] || $(TESTBED) down
	@rm -rf .venv .testbed build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
