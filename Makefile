# Each target does its own set-up: all it needs is Python 3.11 or later, make, and git.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
# An installed uv is used; where there is none, one is put into a folder of its own that git ignores.
UV := $(shell command -v uv || echo .venv-uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
PYTEST := $(RUN) pytest
WORKERS ?= auto
# One more than there are cores: now and then the quick tests wait, for a disk or for a process of theirs.
QUICK_WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
# Without bytecode every process that a test starts would compile all of scikit-learn anew.
unexport PYTHONDONTWRITEBYTECODE


# What tries more where it is asked to.
EXPLORING := $(addprefix tests/,cli core faults histories hooks hostile importing inspection registry training workers)

.PHONY: help setup data train reproduce demo test test-s3 test-slow test-browser test-peers test-cluster faults faults-s3 bench docs lint types package clean

help: ## Say what there is
	@grep -E '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.venv-uv/bin/uv:
	@$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv

setup: $(filter .venv-uv/bin/uv,$(UV)) ## Install artreg and what it needs into .venv, as uv.lock pins it
	@$(UV) sync --frozen --quiet --inexact

data: setup ## Make the churn table in data/
	@test -f data/churn.csv || $(RUN) artreg data churn

train: data ## Train the churn model and publish it into registry/
	@$(RUN) artreg train

reproduce: train ## Train twice and compare the bytes; then the newest version, from its records alone
	@$(RUN) artreg reproduce
	$(RUN) artreg reproduce churn@latest

demo: setup ## The whole story, in a registry of its own
	@$(RUN) bash scripts/demo

test: setup ## The quick tests: no network, no S3 server
	@$(PYTEST) -n $(QUICK_WORKERS) --dist worksteal

test-s3: setup ## The S3 tests, against S3_TEST_ENDPOINT, or a Ceph started for the purpose
	@$(RUN) bash scripts/test-s3 -n $(WORKERS) --dist loadfile

faults: setup ## Every fault, at the sizes that docs/reliability.md states: an hour or two
	@export ARTREG_TEST_FULL=1 ARTREG_TEST_NIGHTLY=1
	$(PYTEST) -n $(WORKERS) -rP $(EXPLORING)
	$(PYTEST) -n 0 -m slow -s tests/faults
	$(RUN) python scripts/soak.py --minutes 30

faults-s3: setup ## The same against an S3 server
	@ARTREG_TEST_NIGHTLY=1 $(RUN) bash scripts/test-s3 -n 0 -s tests/faults tests/histories

test-slow: setup ## The tests that take minutes, or need a package index: versions reproduced from a fresh clone
	@$(PYTEST) -m slow -n $(WORKERS) --dist loadfile

test-browser: setup ## The pages of the site in a real browser: Debian's chromium, or any other
	@$(PYTEST) -m browser -n $(WORKERS) --dist loadfile

test-peers: setup ## Against real MLflow and other tools, each in an environment of its own
	@$(PYTEST) -m peers -n $(WORKERS) --dist loadfile

test-cluster: setup ## On a real Dask cluster and a real Ray, whose workers are killed meanwhile
	@$(UV) sync --frozen --quiet --inexact --extra dask --extra ray
	$(PYTEST) -m cluster

bench: setup ## Time artreg against the limits of this machine and its peers; writes docs/benchmarks.md
	@$(RUN) python scripts/bench $(SECTIONS)

docs: setup ## Build the documentation into build/docs; a broken link or anchor is an error
	@$(UV) sync --frozen --quiet --inexact --group docs
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet --strict
	echo "build/docs/index.html"

lint: setup ## Style, import directions, and the Dockerfile
	@$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) hadolint Dockerfile examples/serving/Dockerfile

types: setup ## Strict types
	@$(RUN) mypy

package: setup ## Build the wheel twice, compare bit for bit, keep one in dist/
	@UV=$(UV) bash scripts/package

clean: ## Remove whatever was made here, models published into registry/ too
	@rm -rf .venv .venv-uv data dist build public .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find registry -mindepth 1 -not -name .gitignore -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
