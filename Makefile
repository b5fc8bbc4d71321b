# Everything a fresh machine needs: `make report` and `make test`. Python 3.11 or newer and make are enough.
PYTHON ?= python3
DATASET ?= digits
# `make … TORCH_BACKEND=cpu` installs the smaller CPU build of torch.
TORCH_BACKEND ?=

BIN := .venv/bin
# Compiling at once spares every kernel that work where Python may not write beside the sources.
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint requirements.lock \
	$(if $(TORCH_BACKEND),--torch-backend $(TORCH_BACKEND))

# Three processes on two cores, since one or another waits; each takes a file of tests after another, and the study and
# its reports are made once for all.
TOGETHER := --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 20 --durations-min 1
ESLINT := tests/node_modules/.bin/eslint

.PHONY: report test test-all setup lint format lock bench gpu soak mutants picture clean

report: .venv/report
	$(BIN)/normstudy run -p dataset $(DATASET)
	$(BIN)/normstudy render --dataset $(DATASET)

setup: .venv/report

# All but what needs kernels, renderers, a browser or kills: some minutes.
test: .venv/test lint
	$(BIN)/pytest $(TOGETHER) -m "not slow"

test-all: .venv/test lint
	$(BIN)/pytest $(TOGETHER)

# Some minutes on a machine that does nothing else; tests/benchmarks/README.md says what is measured.
bench: .venv/test
	$(BIN)/python -m tests.benchmarks

# All that wants an NVIDIA GPU, in some minutes: its tests, and its row of the benchmark.
gpu: .venv/test
	$(BIN)/pytest -m gpu -rs
	$(BIN)/python -m tests.benchmarks gpu

# The tests that kill commands at random moments, with fifty kills each; most of an hour.
soak: .venv/test
	NORMSTUDY_KILLS=50 $(BIN)/pytest --timeout=0 tests/test_kills.py

# Small changes of the code that no test notices; an hour or two for all, `make mutants MODULES=statistics` for one.
mutants: .venv/test
	$(BIN)/python -m tests.mutants $(MODULES)

# The picture in README: the first screen of the report.
picture: .venv/test report
	$(BIN)/python -m tests.picture

lint: .venv/test
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if [ -x $(ESLINT) ] || [ -n "$$CI" ]; then $(ESLINT) --config tests/eslint.config.mjs report/interactive tests/interactive; \
		else echo "ESLint is not installed: the page's scripts are not checked."; fi

format: .venv/test
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# The pins of every dependency, for every platform; no download addresses.
lock: .venv/uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --no-header --no-annotate \
		--output-file requirements.lock pyproject.toml

.venv/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	@touch $@

# quarto-cli downloads Quarto itself while it is installed; where that is not possible the report is made without it.
.venv/report: .venv/uv pyproject.toml requirements.lock
	$(INSTALL) --editable .
	@command -v quarto >/dev/null || $(INSTALL) quarto-cli 2>/dev/null \
		|| echo "Quarto could not be installed: the report will be made with Pandoc and Typst."
	@touch $@

.venv/test: .venv/report tests/package.json
	$(INSTALL) --editable '.[dev]'
	@(cd tests && npm install --silent --no-package-lock --no-audit --no-fund) || { test -z "$$CI" \
		&& echo "npm could not install ESLint and axe-core: the page's scripts and its accessibility are not checked."; }
	@touch $@

clean:
	rm -rf .venv .quarto _report report/executed report/shown _variables.yml report/_metadata.yml
