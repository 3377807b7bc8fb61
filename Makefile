# What a developer or a curious person runs. Needs git, make and Python 3.11 or newer; each target makes the
# environment that it needs, in .venv, and makes it again when pyproject.toml changes.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV ?= .venv
BIN := $(VENV)/bin
NEWEST := python3 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for p in $(NEWEST); do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

# Arguments for the program that a target runs, as in: make demo ARGS="--seconds 60", make test ARGS=-x
ARGS ?=
# How much of the package the tests must run, in percent. What counts is what runs in the tests that share the
# machine, both in their own process and in all the processes that they start: servers, helpers, workers, searches.
# The others, marked `alone`, would be slowed down by counting: what they alone run (work on a cluster, MLflow
# that is away) counts as not run, which is why the figure is not higher.
COVERED := 90
# Tests of one file stay together, since they share servers.
SHARED := -n 2 --dist loadfile --no-loadscope-reorder -m "not alone"

# The application: what it is made of, and what stands for all that is made of it.
APP := automl_jupyter/static/page.js
APP_SOURCES := $(wildcard $(addprefix labextension/,package.json yarn.lock tsconfig.json schema/* scripts/*.mjs style/* \
	src/*/*.ts src/*/*.tsx src/core/words/*.ts))

PO := $(wildcard automl_jupyter/locale/*/LC_MESSAGES/*.po)
SUITES := $(patsubst tests/%/,%,$(sort $(wildcard tests/*/)))

export COVERAGE_FILE := $(CURDIR)/.coverage
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Answers in English whatever the machine speaks, and no server but the one that a test starts. Threads that wait for
# each other do not spin meanwhile: what runs beside them could not go on.
TEST_ENV = env -u JUPYTER_TOKEN -u JUPYTER_URL -u JUPYTER_SERVER_URL -u LANGUAGE LC_ALL=C.UTF-8 OMP_WAIT_POLICY=PASSIVE \
	AUTOML_TEST_BOOSTERS="$(wildcard $(BOOSTERS))"

# pip is the way out where uv cannot be had, or cannot reach the index that pip is configured for.
install = $(BIN)/uv pip install --quiet --python $(BIN)/python $(packages) \
	|| $(BIN)/python -m pip install --quiet $(packages)

.PHONY: help
help: ## Say what there is to run
	@echo "make <target>, where <target> is one of:"
	@sed -n 's/^\([a-z%-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
	@echo "Suites of test-%: $(SUITES)"

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none of $(NEWEST) is." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv || echo "no uv here: pip does its work, only slower" >&2
	touch $@

# For people: the extension, JupyterLab, the flights of the demonstration.
$(VENV)/.made-demo: packages = -e '.[demo]'
$(VENV)/.made-demo: pyproject.toml $(APP_SOURCES) $(VENV)/.made
	$(install)
	touch $@

# For developers. hatchling is there so that a test can build the wheel without fetching it.
$(VENV)/.made-dev: packages = -e '.[demo,dev,docs]' hatchling
$(VENV)/.made-dev: pyproject.toml $(VENV)/.made
	$(install)
	touch $@

# Installing has built it; this is for what was changed since.
$(APP): $(APP_SOURCES) $(PO) | $(VENV)/.made-dev
	cd labextension && jlpm install --immutable && jlpm build:prod
	rm -rf $(VENV)/share/jupyter/labextensions/automl_jupyter
	mkdir -p $(VENV)/share/jupyter/labextensions
	cp -r automl_jupyter/labextension $(VENV)/share/jupyter/labextensions/automl_jupyter
	cp labextension/install.json $(VENV)/share/jupyter/labextensions/automl_jupyter/
	touch $@

# CatBoost and XGBoost apart from all else, so that only the tests of them search with them.
BOOSTERS := $(CURDIR)/$(VENV)/boosters
$(VENV)/.made-boosters: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(BOOSTERS) "catboost>=1.2.7" "xgboost-cpu>=3.0"
	touch $@

.PHONY: demo
demo: $(VENV)/.made-demo ## Train on real flights and predict others, in about a minute
	$(BIN)/python -m automl_jupyter.demo $(ARGS)

.PHONY: lab
lab: $(VENV)/.made-demo ## Open JupyterLab with the extension on
	$(BIN)/jupyter lab $$(test "$$(id -u)" -ne 0 || echo --allow-root) $(ARGS)

.PHONY: check
check: static $(VENV)/.made-dev $(APP) ## Style, types, import directions and the fast tests
	$(TEST_ENV) $(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow and not alone" $(ARGS)

.PHONY: test
test: static app $(VENV)/.made-dev $(VENV)/.made-boosters ## All that CI runs: static checks, documentation, all tests
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	mkdir -p artifacts
	@# Whatever becomes of the first part, the second is run.
	status=0; \
	$(TEST_ENV) $(BIN)/python -m pytest $(SHARED) --durations=15 \
		--junitxml=artifacts/tests.xml $(ARGS) | tee artifacts/pytest.txt || status=$$?; \
	$(TEST_ENV) $(BIN)/python -m pytest -m alone --durations=15 \
		--junitxml=artifacts/tests-alone.xml $(ARGS) | tee artifacts/pytest-alone.txt || status=$$?; \
	tail -q -n 1 artifacts/pytest.txt artifacts/pytest-alone.txt; \
	exit $$status

.PHONY: coverage
coverage: app $(VENV)/.made-dev $(VENV)/.made-boosters ## How much of the package the tests run (a third slower than they are)
	rm -f .coverage .coverage.*
	$(TEST_ENV) $(BIN)/python -m coverage run -m pytest -q $(SHARED) $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	@# What is left is of processes that were killed in the middle of writing.
	rm -f .coverage.*
	$(BIN)/python -m coverage report --fail-under=$(COVERED)

.PHONY: test-%
test-%: $(VENV)/.made-dev ## One suite alone, a folder of tests/
	$(TEST_ENV) $(BIN)/python -m pytest tests/$* $(ARGS)

.PHONY: static
static: $(VENV)/.made-dev ## Style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

.PHONY: app
app: $(APP) ## Build the application where it was changed; its style and its unit tests
	cd labextension && jlpm lint && jlpm test

.PHONY: bench
bench: $(VENV)/.made-dev ## Run the benchmarks (takes long)
	@test -f benchmarks/__main__.py || { echo "This checkout has no benchmarks." >&2; exit 1; }
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: docs
docs: $(VENV)/.made-dev ## Build the documentation into docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html $(ARGS)

.PHONY: messages
messages: $(VENV)/.made-dev ## Compile the sentences (.po) into what the program reads (.mo)
	for po in $(PO); do $(BIN)/pybabel -q compile -f -i "$$po" -o "$${po%.po}.mo"; done

.PHONY: clean
clean: ## Remove what the other targets made, the environment as well
	rm -rf labextension/node_modules labextension/lib labextension/build automl_jupyter/labextension automl_jupyter/static
	rm -rf $(VENV) build dist artifacts docs/_build docs/_generated .coverage .coverage.* htmlcov \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find automl_jupyter tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
