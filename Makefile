# Every target says what it does behind its name; `make help` collects that.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEBIAN := chromium fonts-noto-cjk

.DEFAULT_GOAL := help
.PHONY: help demo test browser lint docs sample bench lock clean

help: ## Show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## Install into .venv and run the calendar spread on the simulated sample
	$(BIN)/sibt run strategies/calendar_reverse.py

test: $(VENV)/.dev ## Run the whole test suite
	$(BIN)/python -m pytest

browser: ## Install what tests/browser needs: Debian's Chromium and a Chinese font
	@dpkg --status $(DEBIAN) >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $(DEBIAN) >/dev/null; \
	else \
	  echo "make browser: needs root and apt-get; or install Chromium and a Chinese font yourself"; \
	fi

lint: $(VENV)/.dev ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev ## Write the texts of docs/ as a site that opens from disk, to site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

sample: $(VENV)/.run ## Make the simulated sample market anew
	$(BIN)/python -m sibt.sources.sample data/sample

bench: $(VENV)/.dev requirements-bench.txt ## Time a sweep against a bare loop, vectorbt and backtrader
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/runs.py
	$(BIN)/python benchmarks/sweep.py

lock: $(VENV)/.dev ## Pin all dependencies with their hashes anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra excel --group build --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra excel --group dev --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group bench --no-annotate --custom-compile-command "make lock" -o requirements-bench.txt

clean: ## Remove the environment and all caches
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The build backend is locked too, so nothing is fetched unpinned.
$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run
