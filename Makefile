# `make` lists the targets. Another interpreter: make run PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
WATCH  := .venv-watch
BIN    := $(VENV)/bin
MADE   := $(VENV)/made-with-$(subst /,-,$(PYTHON))
UV     := $(BIN)/uv pip install --quiet --python $(BIN)/python
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PYTEST := $(BIN)/python -m pytest
CHART  := .venv-chart
CHARTPYTEST := $(CHART)/bin/python -m pytest -c tests/chart/pytest.ini --rootdir=. --confcutdir=tests/chart

# What one process has compiled, hundreds that tests start need not compile again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test real chaos chart image check docs watch bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run ## Set up, then run the gateway in front of the stand-in agencies
	@$(BIN)/python -m gateway demo

# Four workers for two cores, since many tests wait for agencies; those that wait longest come first, as they lie; the ci profile makes hypothesis repeat the same cases in every run.
# What they write lies in memory where 1 GB is free there, since no test is about a disk's own pace; what failed leaves its files.
test: $(VENV)/dev ## Set up, then run the tests (in under 5 minutes on two cores)
	@TMPDIR=$$(mktemp -d -p "$$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 1000000 { print $$6 }')" gw-XXXXXX) && export TMPDIR && \
	  GATEWAYS=forked $(PYTEST) --numprocesses=4 --dist=loadfile --no-loadscope-reorder --hypothesis-profile=ci --ignore=tests/real -o tmp_path_retention_policy=failed && \
	  rm -rf "$$TMPDIR"

real: $(VENV)/dev $(WATCH)/made ## Test against programs pip can't bring; REQUIRE_REAL=1: a skip is a failure
	@CHAOS_KILLS=20 $(PYTEST) tests/real tests/chaos

chaos: $(VENV)/dev ## At length: flows, laws, 200 kills on both stores, an outage watched by Prometheus; prints what came of it
	@$(PYTEST) tests/flows
	@LAWS_LONGER=40 $(PYTEST) tests/laws
	@LAWS_LONGER=20 $(PYTEST) tests/unit/adapters/soap/test_differential.py
	@LEDGER_KILLS=50 SOAK=20000 $(PYTEST) tests/contract/test_sqlite_processes.py tests/contract/test_sending_soak.py
	@CHAOS_KILLS=200 $(PYTEST) -s tests/chaos

chart: $(CHART)/made ## Test the Helm chart and the image's description, in an environment of their own (half a gigabyte)
	@$(CHARTPYTEST) tests/chart

image: $(VENV)/dev ## Build the image twice and run it (as root, with buildah and debootstrap)
	@BUILD_IMAGE=1 $(PYTEST) tests/image

check: $(VENV)/dev ## Lint, format, types, imports, spelling, sizes, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell
	@$(PYTEST) -q tests/test_shape.py tests/test_docs.py tests/test_docs_examples.py

docs: $(VENV)/dev ## Renew the generated parts of the manual
	@$(BIN)/python docs/generate.py

watch: $(WATCH)/made ## Renew the dashboards
	@$(WATCH)/bin/python helm/dashboards helm/opd-gateway/dashboards

bench: $(VENV)/dev ## Measure the cost of a request beside nginx, the ledger, and files (needs wrk, nginx and PostgreSQL)
	@$(BIN)/python bench
	@$(BIN)/python -m bench.ledger --settled 500000 --waiting 25000
	@$(BIN)/python -m bench.delivery
	@$(BIN)/python -m bench.feeds --postgres

lock: $(VENV)/uv ## Renew the pinned requirements
	$(LOCK) --upgrade requirements/bootstrap.in -o requirements/bootstrap.txt
	$(LOCK) --upgrade requirements/run.in -o requirements/run.txt
	$(LOCK) --upgrade requirements/tracing.in -c requirements/run.txt -o requirements/tracing.txt
	$(LOCK) --upgrade requirements/soap-security.in -c requirements/run.txt -o requirements/soap-security.txt
	$(LOCK) --upgrade requirements/drops.in -c requirements/run.txt -o requirements/drops.txt
	$(LOCK) --upgrade requirements/excel.in -c requirements/run.txt -o requirements/excel.txt
	$(LOCK) --upgrade requirements/csv-fast.in -c requirements/run.txt -o requirements/csv-fast.txt
	$(LOCK) --upgrade requirements/dev.in -c requirements/run.txt -c requirements/tracing.txt -c requirements/soap-security.txt -c requirements/drops.txt -c requirements/excel.txt -c requirements/csv-fast.txt -o requirements/dev.txt
	$(LOCK) --upgrade requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(LOCK) --upgrade requirements/chart.in -o requirements/chart.txt
	$(LOCK) --upgrade requirements/watch.in -o requirements/watch.txt

clean: ## Remove the environments and what tools left behind (var/ stays)
	rm -rf $(VENV) $(CHART) $(WATCH) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps below lie inside the environment, so they vanish with it.

$(MADE):
	@command -v $(PYTHON) >/dev/null || { echo \
	  "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "The gateway needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo \
	  "$(PYTHON) has no venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/uv: requirements/bootstrap.txt $(MADE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/run: requirements/run.txt $(VENV)/uv
	@$(UV) --compile-bytecode --require-hashes -r $<
	@touch $@

$(VENV)/tracing: requirements/tracing.txt $(VENV)/run
	@$(UV) --compile-bytecode --require-hashes -r $<
	@touch $@

# What the extras bring, each by its own requirements.
$(VENV)/soap-security $(VENV)/drops $(VENV)/excel $(VENV)/csv-fast: $(VENV)/%: requirements/%.txt $(VENV)/run
	@$(UV) --compile-bytecode --require-hashes -r $<
	@touch $@

# hatchling and editables are among the hashed requirements, so the build needs no network.
$(VENV)/dev: requirements/dev.txt pyproject.toml $(VENV)/tracing $(VENV)/soap-security $(VENV)/drops $(VENV)/excel $(VENV)/csv-fast
	@$(UV) --compile-bytecode --require-hashes -r requirements/dev.txt
	@$(UV) --no-build-isolation --no-deps --no-index --editable .
	@touch $@

# Go fetches the modules that declare custom objects of Kubernetes; without Go the tests that need them are skipped.
# What has been fetched is compared with the sums in crds.txt by the tests, and by nobody on the network.
$(CHART)/made: requirements/chart.txt tests/chart/crds.txt | $(VENV)/dev
	@rm -rf $(CHART)
	@$(PYTHON) -m venv $(CHART)
	@$(BIN)/uv pip install --quiet --python $(CHART)/bin/python --require-hashes -r $<
	@if command -v go >/dev/null; then \
	  cut -d ' ' -f 1 tests/chart/crds.txt | GOFLAGS=-mod=mod GOSUMDB=off xargs go mod download; fi
	@touch $@

$(WATCH)/made: requirements/watch.txt $(VENV)/uv
	@$(PYTHON) -m venv --without-pip $(WATCH)
	@$(BIN)/uv pip install --quiet --python $(WATCH)/bin/python --require-hashes -r $<
	@touch $@
