# One command for each thing; `make` alone lists them.
#
# A machine needs Python 3.11 or later and make. Everything else goes into .venv, and pip installs
# it, because pip obeys the machine's own settings (mirrors, certificates, folders of wheels).
# Every package is locked with its hash in requirements/.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet
# The interpreter to build .venv with, for example `make test PYTHON=python3.12`.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python
# How the tests share the machine's cores; each process has its own PostgreSQL. Many tests wait, so
# four processes are quicker on two cores, too.
PARALLEL ?= --numprocesses 5 --dist worksteal
# Other versions of PostgreSQL to test with, where systems keep them.
POSTGRES ?= $(wildcard /usr/lib/postgresql/1[5-9]/bin/postgres /usr/pgsql-1[5-9]/bin/postgres \
	/opt/homebrew/opt/postgresql@1[5-9]/bin/postgres)
OF_VERSIONS := tests/contract tests/upgrade tests/unit/query tests/e2e/test_sdk.py
# Arguments for the command behind a target, for example `make test ARGS="tests/unit -x"`.
ARGS ?=

ASYNC_CLIENT := $(wildcard src/benefit_programs/client/asynchronous/*.py)
SYNC_CLIENT := src/benefit_programs/client/synchronous/__init__.py

MODERN := import sys; sys.exit(sys.version_info < (3, 11))
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml

# Python keeps what it has compiled, whatever the machine says: the tests start it a thousand times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  make \1	\2/p' Makefile | expand -t 22

.PHONY: serve
serve: $(VENV)/.runtime $(SYNC_CLIENT) ## Run the service on this machine, with its data in ./data
	@exec $(VENV)/bin/benefits serve $(ARGS)

.PHONY: setup
setup: $(VENV)/.dev ## Install everything that the other commands need

.PHONY: test
test: $(VENV)/.dev node-packages ## Run the tests (a real PostgreSQL, a Node and a browser are set up for them)
	$(PY) -m pytest $(PARALLEL) $(ARGS)

.PHONY: test-full
test-full: $(VENV)/.dev node-packages ## Run all tests, the long ones too
	$(PY) -m pytest $(PARALLEL) -m "full or not full" --timeout 1800 $(ARGS)
	$(MAKE) test-versions

.PHONY: test-versions
test-versions: $(VENV)/.dev node-packages ## Test what stores promise on other versions of PostgreSQL
	@for version in $(POSTGRES); do \
		echo "With $$version:"; \
		BENEFITS_TEST_POSTGRES_BIN="$$(dirname "$$version")" $(PY) -m pytest $(PARALLEL) \
			-k "not sqlite" $(ARGS) $(OF_VERSIONS) || exit 1; \
	done

.PHONY: check
check: $(VENV)/.dev ## Check format, lint, types and architecture
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest tests/architecture

.PHONY: format
format: $(VENV)/.dev ## Format the code and mend what the linter can mend
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

.PHONY: docs
docs: $(VENV)/.dev ## Write what is generated from the code: reference pages, parts of the client
	$(PY) -m tools.generate_client
	$(PY) -m tools.record_examples
	$(PY) -m benefit_programs.cli.reference docs/reference
	$(PY) -m tools.render_chart schema

.PHONY: site
site: $(VENV)/.dev ## Build the documentation as a site into ./site
	$(PY) -m tools.site

.PHONY: site-serve
site-serve: $(VENV)/.dev ## Serve the site on this machine, and build it anew after changes
	$(PY) -m tools.site --serve

.PHONY: chart
chart: $(VENV)/.dev ## Render the Helm chart anew for the tests (needs helm)
	$(PY) -m tools.render_chart

.PHONY: bench
bench: $(VENV)/.dev ## Measure against the bare SQL limit and an everyday implementation, in minutes
	$(PY) -m bench all --rounds 5 --seconds 1.5 --warmup 0.5 $(ARGS)

.PHONY: bench-full
bench-full: $(VENV)/.dev ## The same, long enough for figures to publish
	$(PY) -m bench all --rounds 5 --seconds 10 --warmup 2 --pools 10000 1000000 5000000 $(ARGS)
	$(PY) -m bench jobs --rounds 5 --seconds 10 --warmup 2 --pools 10000 1000000 $(ARGS)

.PHONY: dist
dist: $(VENV)/.dev ## Build what is released into dist/: wheels, source archives, sums, bill of materials
	$(PY) -m tools.dist

.PHONY: lock
lock: $(VENV)/.created ## Lock all packages anew, at the newest versions that pyproject.toml allows
	$(PIP) --require-hashes -r requirements/uv.txt
	$(LOCK) --upgrade --output-file requirements/runtime.txt
	$(LOCK) --upgrade --extra agents --extra otel --constraints requirements/runtime.txt \
		--output-file requirements/container.txt
	$(LOCK) --upgrade --extra agents --extra otel --group dev --group site \
		--constraints requirements/container.txt --output-file requirements/dev.txt
	$(subst pyproject.toml,,$(LOCK)) --upgrade --group build --output-file requirements/build.txt
	$(subst pyproject.toml,,$(LOCK)) --upgrade --group lock --output-file requirements/uv.txt
	$(PIP) --require-hashes -r requirements/dev.txt
	PYTHONPATH=src $(PY) -m tools.sbom

.PHONY: clean
clean: ## Remove what the commands made, but not ./data
	rm -rf $(VENV) dist site .site tests/e2e/js/node_modules $(dir $(SYNC_CLIENT))
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: node-packages
node-packages: $(VENV)/.dev
	@$(PY) -m tests.support.node

# Each stamp is newer than all that it stands for, so a second make starts at once.

$(VENV)/.created:
	@for python in $(PYTHON); do \
		if command -v "$$python" >/dev/null 2>&1 && "$$python" -c '$(MODERN)' 2>/dev/null; then \
			"$$python" -m venv $(VENV) || exit 1; \
			touch $@; \
			exit 0; \
		fi; \
	done; \
	echo "Python 3.11 or later is needed, and none of these is: $(PYTHON)." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(VENV)/.runtime: pyproject.toml requirements/build.txt requirements/runtime.txt $(VENV)/.created
	@echo "Installing the service into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The installation makes it too; this is for async modules that have changed since.
$(SYNC_CLIENT): hatch_build.py $(ASYNC_CLIENT) | $(VENV)/.runtime
	@$(PY) hatch_build.py
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime | $(SYNC_CLIENT)
	@echo "Installing the tools for development ..."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
