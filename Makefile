# Carbon Desk's commands; `make` alone lists them. Everything lives in .venv/ and .carbon-desk/.

PYTHONS := python3.11 python3.12 python3.13 python3.14 python3 python
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint bench lock screenshots clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/app-installed  ## install what the app needs and open it
	@$(BIN)/python -m streamlit run app.py

test: .venv/dev-installed  ## get what the tests need and run all of them
	@$(BIN)/python -m tests.tools.needs
	@$(BIN)/python -m pytest $(ARGS)

lint: .venv/dev-installed  ## check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test-all: lint test bench  ## lint, test and measure

bench: .venv/dev-installed  ## measure how quickly pages open
	@$(BIN)/python -m tests.tools.needs chromium
	@$(BIN)/python -m tests.bench.page_open

screenshots: .venv/dev-installed  ## take the pictures of the documentation again
	@$(BIN)/python -m tests.tools.needs chromium
	@$(BIN)/python -m tests.browser.screenshots

lock: .venv/lock-installed  ## pin every package again, from requirements.txt and requirements-dev.txt
	@.venv/lock/bin/uv pip compile $(LOCKED) requirements.txt --output-file requirements.lock
	@.venv/lock/bin/uv pip compile $(LOCKED) --constraint requirements.lock requirements-dev.txt \
	  --output-file requirements-dev.lock

# One lock for every platform and Python; where packages come from is each machine's own setting.
LOCKED := --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

clean:  ## remove the environment; orders and ledger in .carbon-desk/ stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@for name in $(PYTHONS); do \
	  if $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making an environment in .venv with $$($$name --version) ..."; \
	    exec $$name -m venv .venv; \
	  fi; \
	done; \
	echo "Carbon Desk needs Python 3.11 or newer with its venv module: install it (Debian and Ubuntu:" \
	  "apt-get install python3 python3-venv; macOS: brew install python) and run make again." >&2; exit 1

.venv/app-installed: requirements.lock | $(BIN)/python
	@echo "Installing what the app needs (about a minute, once) ..."
	@$(PIP) --require-hashes --requirement requirements.lock
	@touch $@

.venv/dev-installed: requirements-dev.lock | $(BIN)/python
	@echo "Installing what the app and its tests need (about a minute, once) ..."
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@touch $@

.venv/lock-installed: | $(BIN)/python
	@$(BIN)/python -m venv .venv/lock
	@.venv/lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	@touch $@
