# Every target makes its own environment in .venv, from the lock. Another interpreter: make test PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
LOCK := requirements/dev.txt
READY := .venv/.ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test cover check bench chaos golden lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## a canary, a bad image caught, a rollback, all on screen
	@$(BIN)/phoenix demo $(ARGS)

test: $(READY) ## the tests; ARGS="-k name" picks some
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

cover: $(READY) ## branch coverage of what decides: core, strategies, engine
	@$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --include='phoenix/core/*,phoenix/strategies/*,phoenix/engine/*'

check: $(READY) ## format, lint, types, import layers, sizes, words
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict phoenix tests tools
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.check_size
	@$(BIN)/python -m tools.check_words

bench: $(READY) ## how long a tick takes, and how many calls it makes
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(READY) ## crashes, overlaps and lies; SEEDS=20000 runs long, SEED=1234 runs one again, ARGS="--crashes" all crash points
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

golden: $(READY) ## rewrite the expected output in tests/golden; review the diff as code
	@$(BIN)/pytest --golden-update $(ARGS)

lock: ## rewrite the lock after a change to pyproject.toml; ARGS=--upgrade takes newer versions
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip -qq --disable-pip-version-check install 'uv>=0.7'
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
		--output-file $(LOCK) $(ARGS) pyproject.toml

clean: ## remove what the other targets made, except the environment
	@rm -rf build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an interrupted install is repeated, not trusted.
$(READY): $(LOCK) pyproject.toml
	@echo "preparing .venv from $(LOCK)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes --requirement $(LOCK)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
