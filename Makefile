# make run [PORT=8000] [HOST=127.0.0.1] [WORKERS=n] | test | lint | bench | bench-search | bench-train | bench-headline | pictures | messages | clean
VENV := .venv
BIN := $(VENV)/bin
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11
PIP := $(BIN)/python -m pip install --disable-pip-version-check
LINTED := manage.py nas searches workers nasweb tests benchmarks

.PHONY: run test lint types pytest bench bench-search bench-train bench-headline pictures messages clean installed installed-dev

run: installed
	@$(BIN)/python manage.py up $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST)) $(if $(WORKERS),--workers $(WORKERS))

test: lint types pytest

lint: installed-dev
	$(BIN)/ruff check $(LINTED)
	$(BIN)/ruff format --check $(LINTED)
	$(BIN)/lint-imports

types: installed-dev
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run

# In the order of tests/conftest.py, which begins with what takes longest.
pytest: installed-dev
	$(BIN)/python -m pytest -n logical --maxprocesses=4 --no-loadscope-reorder

bench: installed-dev
	$(BIN)/python -m benchmarks.whole_stack
	$(BIN)/python -m benchmarks.trainer

# Needs NAS_DATA_DIR with nasbench201.npz; writes its tables into docs/performance.md.
bench-search: installed-dev
	$(PIP) -q -r requirements-bench.txt
	$(BIN)/python -m benchmarks.search --write

# A quarter of an hour on a quiet machine; writes its tables into docs/performance.md.
bench-train: installed-dev
	OMP_NUM_THREADS=2 $(BIN)/python -m benchmarks.trainer --write

# An hour and forty minutes on a quiet machine with Fashion-MNIST; writes what came of it into docs/performance.md.
bench-headline: installed-dev
	OMP_NUM_THREADS=2 $(BIN)/python -m benchmarks.headline --write

pictures: installed-dev
	PICTURES=1 $(BIN)/python -m pytest -p no:randomly tests/browser/test_tour.py tests/browser/test_races.py

messages: installed-dev
	$(BIN)/python locale/extract.py

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage staticfiles
	find nas searches workers nasweb tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# What was installed is remembered in the virtual environment, so a second start looks at two small files only.
installed: $(BIN)/python
	@cmp -s requirements.txt $(VENV)/installed.txt || { \
	  echo "Installing what NASWeb needs into $(VENV), once; with torch about 1 GB."; \
	  $(PIP) -r requirements.txt && cp requirements.txt $(VENV)/installed.txt; }

installed-dev: installed
	@cmp -s requirements-dev.txt $(VENV)/installed-dev.txt || { \
	  $(PIP) -r requirements-dev.txt && cp requirements-dev.txt $(VENV)/installed-dev.txt; }

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "NASWeb needs Python 3.11 or newer and found none. Install one, or name it: make run PYTHON=/path/to/python3" >&2; \
	  exit 2; \
	fi; \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$$found cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
