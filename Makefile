# Everything a fresh Debian 12+ or Ubuntu 24.04+ machine needs comes from its own packages and from PyPI.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
BENCH ?=

.PHONY: setup demo test lint types mutants bench bundle clean lock help

help: ## Show what can be made.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

setup: ## System packages, a virtual environment and digonce in it.
	@scripts/setup.sh

demo: setup ## The main job on the sample city: out/demo/index.html.
	@$(VENV)/bin/digonce demo --out out/demo

test: setup ## Lint, type-check, then run every test.
	@scripts/test.sh

lint: setup ## Style only.
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

types: setup ## Types only.
	@$(VENV)/bin/mypy && $(VENV)/bin/basedpyright

mutants: setup ## Apply each known fault in turn; every one must make a test fail.
	@$(PYTHON) -m tests.mutants

bench: setup ## Run a benchmark (BENCH=imports, overlap, leaks, matching, places, history, million, programme; empty: all) and print its ratios.
	@scripts/bench.sh $(BENCH)

bundle: setup ## Wheels, Debian packages, checksums and an installer for a network without internet.
	@scripts/bundle.sh

lock: ## Write requirements.lock anew from setup.cfg (developers; needs uv).
	@uv pip compile setup.cfg --all-extras --universal --python-version 3.11 --generate-hashes -q -o requirements.lock

clean: ## Remove what was made; the databases stay.
	@rm -rf $(VENV) .setup out build dist bundle *.egg-info
