# make demo    sets everything up and makes the map of the mock box
# make test    sets everything up and runs all tests
# make serve   shows the map of a run:  make serve RUN=demo PORT=8000
# make report  pages on a run's figures, metrics and provenance:  make report RUN=mine CONFIG=mine.yaml
# make bench   measures every stage against its limit and its peers; make bench-full takes longer
PYTHON ?= python3
RUN ?= demo
CONFIG ?= config/config.yaml
PORT ?= 8000
BIN := .venv/bin
# A run that was killed leaves Snakemake's lock behind. It is removed unless a run is under way.
UNLOCK := pgrep -f "[s]nakemake --profile profiles/local" > /dev/null || \
  $(BIN)/snakemake --quiet all --profile profiles/local --unlock > /dev/null 2>&1 || true
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test serve report bench bench-full setup format lint docs lock clean

demo: setup
	@$(UNLOCK)
	$(BIN)/snakemake --profile profiles/local --configfile $(CONFIG)
	@echo "The finished map: results/demo/site/index.html"
	@echo "make serve shows it on http://127.0.0.1:$(PORT)/site/"

# Workers wait for Slurm, servers, browsers and deadlines a good part of the time.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist loadgroup

serve: setup
	$(BIN)/python -m morphosphere.explorer.serve --folder results/$(RUN) --port $(PORT)

report: setup
	$(BIN)/snakemake --profile profiles/local --configfile $(CONFIG) \
	  --report results/$(RUN)/report.zip

bench: setup
	$(BIN)/python -m benchmarks --document docs/benchmarks.md

bench-full: setup
	$(BIN)/python -m benchmarks --full --document docs/benchmarks.md

setup: .venv/installed node_modules/.package-lock.json

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "morphosphere needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

node_modules/.package-lock.json: package.json package-lock.json .venv/installed
	$(BIN)/npm ci --no-fund --no-audit --loglevel=error
	touch $@

format: setup
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/snakefmt --quiet Snakefile workflow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

docs: setup
	$(BIN)/python -m morphosphere.documentation

# The one lock file, for every platform and Python. The environments of the rules follow it, by what
# the installed packages say that they need: this takes Python 3.11 on Linux (make PYTHON=python3.11).
lock:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --no-header --no-annotate --output-file requirements.lock
	$(MAKE) setup
	$(BIN)/python envs/update.py

clean:
	rm -rf results .snakemake .venv-peers
