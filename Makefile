# The commands of the project; `make help` lists them. Parts: hack/*.py (standard library only) and the venv's tools.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv/bin
# Next to everything else that is kept between runs, and between checkouts.
CACHE := $(or $(PAYMENTS_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/payment-platform)
export UV_CACHE_DIR ?= $(CACHE)/uv
export MYPY_CACHE_DIR ?= $(CACHE)/mypy
# Sessions of tests side by side; those of integration and fault tests have each a PostgreSQL, Redis, Kafka and
# services of their own (2 GiB); 0: one test after the other.
WORKERS ?= 2
# More of tests that wait for a third of their time.
SESSIONS ?= $(if $(filter 0,$(WORKERS)),0,3)
SOURCES := operator/src services/src cli/src hack tests

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: ## cluster, images, operator, a sample platform, one payment through the load balancer
	$(PYTHON) -m hack.up

.PHONY: demo
demo: ## payments told step by step on the running cluster
	$(PYTHON) -m hack.demo

.PHONY: down
down: ## delete the cluster
	$(PYTHON) -m hack.kind down

.PHONY: test
test: lint unit contract controlplane integration faults-and-up e2e ## everything that CI runs

.PHONY: faults-and-up
faults-and-up: venv docker images
	@# At once: both wait for a third of their time.
	$(MAKE) --no-print-directory --jobs 2 faults up

.PHONY: venv
venv: .venv/installed ## the virtual environment of the tests and tools
.venv/installed: requirements-dev.txt operator/requirements.txt services/requirements.txt
	$(PYTHON) -m venv .venv
	@# uv itself by pip; the rest by uv, at a fifth of the CPU.
	awk '/^uv==/ {own = 1} own; own && !/\\$$/ {exit}' requirements-dev.txt > .venv/uv.txt
	$(VENV)/pip install --quiet --require-hashes --requirement .venv/uv.txt
	$(VENV)/uv pip install --quiet --python $(VENV)/python --require-hashes --requirement requirements-dev.txt
	@touch $@

.PHONY: lint
lint: venv ## style, types, import rules, generated files
	$(VENV)/ruff check $(SOURCES)
	$(VENV)/ruff format --check $(SOURCES)
	$(VENV)/mypy $(SOURCES)
	PYTHONPATH=operator/src:services/src:cli/src $(VENV)/lint-imports
	$(MAKE) --no-print-directory generate-check

.PHONY: format
format: venv ## format the code
	$(VENV)/ruff check --fix $(SOURCES)
	$(VENV)/ruff format $(SOURCES)

.PHONY: unit
unit: venv ## unit tests, in seconds
	$(VENV)/pytest --numprocesses $(WORKERS) --dist loadfile tests/unit

.PHONY: contract
contract: venv tools docker ## contracts between the parts: chart, catalog, RBAC, alerts, generated files
	$(VENV)/pytest --numprocesses $(WORKERS) --dist loadfile tests/contract

.PHONY: controlplane
controlplane: venv ## the operator as a process against a real API server, without pods
	$(VENV)/pytest --numprocesses $(SESSIONS) --dist loadfile tests/controlplane

.PHONY: integration
integration: venv docker images stores ## services against real PostgreSQL, Redis, Kafka, OpenSearch and InfluxDB
	$(VENV)/pytest --numprocesses $(SESSIONS) --dist loadscope --no-loadscope-reorder tests/integration

.PHONY: faults
faults: venv docker images ## kills, races, outages at small sizes: no payment lost, none doubled
	$(VENV)/pytest --numprocesses $(WORKERS) --dist loadfile tests/faults

.PHONY: soak
soak: venv docker images ## the same at full size, on the running cluster too; takes hours
	$(VENV)/python -m hack.soak $(SOAK)

.PHONY: e2e
e2e: venv ## the running cluster of `make up`: payments, reconciling, plain Helm
	$(VENV)/pytest --numprocesses $(WORKERS) --dist loadscope tests/e2e

.PHONY: e2e-slow
e2e-slow: venv ## what of it takes minutes: restores, rotations and upgrades under load, outages of what watches
	$(VENV)/pytest -m slow -rP tests/e2e

.PHONY: chaos
chaos: venv docker ## faults of a whole cluster, on one of three nodes: kills, a drained node, no API server (CHAOS=drain)
	$(VENV)/python -m hack.chaos $(CHAOS)

.PHONY: chaos-down
chaos-down: ## delete its cluster
	$(PYTHON) -m hack.chaos --down

.PHONY: dev
dev: venv docker images ## the services as local processes, load balancer on http://localhost:8081
	$(VENV)/python -m hack.dev

.PHONY: dev-down
dev-down: venv ## remove the containers of `make dev`
	$(VENV)/python -m hack.dev --down

.PHONY: tools
tools: ## kind, kubectl and helm
	@$(PYTHON) -m hack.kind tools >/dev/null

.PHONY: docker
docker: ## a running Docker Engine
	@$(PYTHON) -m hack.kind docker

.PHONY: images
images: ## the container images
	@$(PYTHON) -m hack.images build

.PHONY: stores
stores: ## the images of OpenSearch and InfluxDB
	@$(PYTHON) -m hack.images build opensearch influxdb

.PHONY: generate
generate: venv tools ## CRD, values schema, reference, kustomize base
	$(VENV)/python -m hack.generate

.PHONY: generate-check
generate-check: venv tools
	$(VENV)/python -m hack.generate --check

.PHONY: lock
lock: venv ## lock the dependencies by hashes
	for part in operator services; do \
	  $(VENV)/uv pip compile --quiet $$part/pyproject.toml --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command "make lock" --output-file $$part/requirements.txt; done
	$(VENV)/uv pip compile --quiet requirements-dev.in --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --output-file requirements-dev.txt

.PHONY: verify-money
verify-money: ## prove on the running cluster that no money is lost or doubled (DEV=1: on `make dev`)
	$(if $(DEV),$(VENV)/python,$(PYTHON)) -m hack.verify_money $(if $(DEV),--dev) $(COMMAND)

.PHONY: trace
trace: ## what became of a payment (PAYMENT=<id>): its traces, events, ledger entries and audit chain
	@test -n "$(PAYMENT)" || { echo "name it: make trace PAYMENT=<id>"; exit 2; }
	$(PYTHON) -m hack.trace --payment $(PAYMENT)

.PHONY: bench-operator
bench-operator: venv ## the operator's behaviours and costs, up to 300 platforms; writes hack/bench/OPERATOR.md
	PYTHONPATH=operator/src $(VENV)/python -m hack.bench.operator_report $(ARGUMENTS)

.PHONY: bench
bench: venv ## measure the running cluster; results go to hack/bench/RESULTS.md
	$(VENV)/python -m hack.bench
