.PHONY: demo test check lint types docs bench clean
PYTHON ?= python3
# add `postgres` and `spark` to run the tests of these engines too
EXTRAS ?= demo,notebooks,docs,dev
BIN := .venv/bin
# LightGBM's threads otherwise spin beside another busy process
export OMP_WAIT_POLICY ?= passive
export MLFLOW_DISABLE_TELEMETRY ?= true

demo: .venv/ready  ## the whole job on a simulated CRM, into the folder demo
	$(BIN)/leadml demo

test: .venv/ready  ## tests and doctests
	$(BIN)/pytest tests
	$(BIN)/pytest --doctest-modules leadml --ignore leadml/registry/served.py

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: .venv/ready
	$(BIN)/mypy

docs: .venv/ready  ## the documentation site, into the folder site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

check: lint types docs test  ## all that CI runs

bench: .venv/ready  ## ratios against named peers
	$(BIN)/python -m benchmarks

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf .venv demo site
