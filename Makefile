# Every target makes its own environment in .venv, from the lock. Another interpreter: make test PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements/dev.txt
UV_LOCK := requirements/uv.txt
# uv, which falls back to pip; INSTALLER=pip never asks for uv.
INSTALLER ?= uv
INSTALL := tools/install.py --installer $(INSTALLER)
READY := .venv/.ready
INFRA_LOCK := requirements/infra.txt
INFRA_READY := .venv-infra/.ready
DYNALITE := build/dynalite/node_modules/dynalite/package.json
AXE := build/axe/node_modules/axe-core/axe.min.js
ARGS ?=
# Bytecode is written even if the environment forbids it: each of the hundred programs that the tests start would
# else compile botocore and moto anew.
unexport PYTHONDONTWRITEBYTECODE

# An environment is made anew: what a lock no longer names, or an earlier Python left, would stay in it for ever.
venv = $(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "phoenix needs Python 3.11 or \
	newer, and %s is %s; try: make PYTHON=python3.12 ..." % ("$(PYTHON)", sys.version.split()[0]))' \
	&& $(PYTHON) -m venv --clear $(1)

.DEFAULT_GOAL := help
.PHONY: help demo test quick cover check house site pictures install-check pythons bench e2e analysis chaos mutants golden schemas iam infra-check package lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## a canary, a bad image caught, a rollback, all on screen
	@$(BIN)/phoenix demo $(ARGS)

test: $(READY) $(DYNALITE) $(AXE) ## the tests, in a random order; SEED=1234 repeats one, ARGS="-k name" picks some
	@$(BIN)/pytest -n 2 $(if $(SEED),--randomly-seed=$(SEED)) $(ARGS)

# What needs neither a sandbox for each test nor a program beside it: two tests in five.
QUICK := $(addprefix tests/,core strategies engine views policy tools)

quick: $(READY) ## two tests in five, in seconds, to run all day
	@$(BIN)/pytest -n 2 $(if $(SEED),--randomly-seed=$(SEED)) $(QUICK) $(ARGS)

cover: $(READY) $(DYNALITE) ## branch coverage of what decides: core, strategies, engine
	@$(BIN)/pytest -n 2 --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --include='phoenix/core/*,phoenix/strategies/*,phoenix/engine/*'

check: $(READY) ## format, lint, types, import layers, sizes, words, infra, documents
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict phoenix tests tools
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.check_size
	@$(BIN)/python -m tools.check_words
	@$(MAKE) --no-print-directory infra-check
	@$(BIN)/python -m tools.site

site: $(READY) ## the documentation as pages, every link checked; ARGS=--serve shows them here
	@$(BIN)/python -m tools.site $(ARGS)

house: $(READY) ## figures of the code: sizes, fields, words; ARGS=DIR for those of another checkout
	@$(BIN)/python -m tools.house $(ARGS)

pictures: $(READY) ## rewrite docs/pictures: terminals as they look, run on the sandbox
	@$(BIN)/python -m tools.pictures

install-check: $(READY) ## whether the locks install by uv and by the oldest pip, with newer releases out
	@$(BIN)/python -m tools.install_check $(ARGS)

pythons: $(READY) ## install, import and demo on every supported Python that is here; ARGS="3.12 3.13" for some
	@$(BIN)/python -m tools.pythons $(ARGS)

infra-check: $(READY) $(INFRA_READY) ## infra/ alone: Terraform's and checkov's view of it; ARGS=--again asks for it once more
	@$(BIN)/python -m tools.infra $(ARGS)

package: $(READY) ## the zip for Lambda; ARGS="--policies DIR --architecture arm64"
	@$(BIN)/python -m tools.package $(ARGS)

bench: $(READY) ## how long a tick takes, and how many calls it makes
	@$(BIN)/python -m tests.bench $(ARGS)

e2e: $(READY) ## rotations under real traffic: HAProxy, a process for each instance; ARGS="--speed 3 Standby"
	@$(BIN)/python -m tests.e2e $(ARGS)

analysis: $(READY) ## false alarms and regressions found by the metrics gate: rewrite the figures of docs/analysis.md
	@$(BIN)/python -m tools.analysis $(ARGS)

chaos: $(READY) ## crashes, overlaps and lies; SEEDS=20000 runs long, SEED=1234 runs one again, ARGS="--crashes" all crash points
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

mutants: $(READY) ## which small changes of core, strategies, engine no test notices; ARGS=core.rest for one module, ARGS="--sample 1000" for some
	@$(BIN)/python -m tools.mutants $(ARGS)

golden: $(READY) ## rewrite the expected output in tests/golden; review the diff as code
	@$(BIN)/pytest --golden-update $(ARGS)

schemas: $(READY) ## rewrite docs/json from the types of the JSON documents; review the diff as code
	@$(BIN)/python -m tools.write_schemas

iam: $(READY) ## rewrite infra/iam from what the adapters declare; review the diff as code
	@$(BIN)/python -m tools.write_iam

# Extras are named: a pip that resolves would else take the newest release for an extra, and refuse it for its hash.
COMPILE := build/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock'
# What only a terminal or a browser needs: the command line, and what paints.
NOT_IN_LAMBDA := click colorama rich pygments markdown-it-py mdurl jinja2 markupsafe

lock: ## rewrite the locks after a change to pyproject.toml; ARGS=--upgrade takes newer versions
	@$(call venv,build/lock)
	@build/lock/bin/python -I $(INSTALL) $(UV_LOCK)
	@$(COMPILE) --python-version 3.11 --output-file $(UV_LOCK) $(ARGS) requirements/uv.in
	@$(COMPILE) --python-version 3.11 --output-file requirements/pip.txt $(ARGS) requirements/pip.in
	@$(COMPILE) --python-version 3.11 --all-extras --output-file $(LOCK) $(ARGS) pyproject.toml
	@$(COMPILE) --python-version 3.11 --output-file $(INFRA_LOCK) $(ARGS) requirements/infra.in
	@$(COMPILE) --python-version 3.13 --extra otlp --constraint $(LOCK) $(addprefix --no-emit-package ,$(NOT_IN_LAMBDA)) \
		--output-file requirements/lambda.txt pyproject.toml

clean: ## remove what the other targets made, except the environment
	@rm -rf build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# A second DynamoDB for the tests of the store there. Without npm, or without a registry, they are skipped and say so.
$(DYNALITE):
	@! command -v npm >/dev/null || npm install --prefix build/dynalite --no-save --no-package-lock --ignore-scripts \
		--no-audit --no-fund --loglevel=error --fetch-retries=1 dynalite@4.0.0 || echo "going on without dynalite"

# The rules that the pages' tests hold them to. Skipped in the same way.
$(AXE):
	@! command -v npm >/dev/null || npm install --prefix build/axe --no-save --no-package-lock --ignore-scripts \
		--no-audit --no-fund --loglevel=error --fetch-retries=1 axe-core@4.14.1 || echo "going on without axe-core"

# The stamp is written last: an interrupted install is repeated, not trusted.
$(READY): $(LOCK) $(UV_LOCK) pyproject.toml
	@echo "preparing .venv from $(LOCK)"
	@$(call venv,.venv)
	@$(BIN)/python -I $(INSTALL) --editable $(LOCK)
	@touch $@

# checkov pins versions of libraries that phoenix uses, too: it lives alone.
$(INFRA_READY): $(INFRA_LOCK) $(UV_LOCK)
	@echo "preparing .venv-infra from $(INFRA_LOCK)"
	@$(call venv,.venv-infra)
	@.venv-infra/bin/python -I $(INSTALL) $(INFRA_LOCK)
	@touch $@
