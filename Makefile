# Wanglou 望楼. `make` prints this help.
PY := .venv/bin/python
BIN := .venv/bin
# the tests start stages some hundred times: they read bytecode, even where the shell says that none is to be kept
export PYTHONDONTWRITEBYTECODE :=

help:  ## this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: .venv/run  ## every stage on this machine, a storm played at x120, the page at http://127.0.0.1:8080
	$(BIN)/wanglou demo $(ARGS)

test: .venv/test check  ## all checks and tests (Kafka, PostgreSQL, Prometheus, Chromium where the machine has them)
	$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/test  ## style, types, allowed imports, the packs themselves
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/wanglou check
	$(BIN)/wanglou test

drills: .venv/test  ## twenty ways to break it, with real processes on a real Kafka (ARGS="1 5" some, ARGS=--short quick)
	$(PY) tests/drills/run.py $(ARGS)

fuzz: .venv/test  ## a million fuzzed pushes and records
	$(PY) tests/drills/run.py 17

bench: .venv/test  ## every figure this project claims, as ratios where there is something to compare
	$(BIN)/wanglou bench $(ARGS)

skill: .venv/test  ## what the detectors are worth on open data, beside the simple rules
	$(PY) tests/skill/run.py $(ARGS)

house: .venv/test  ## how large the parts are: a look, not a gate
	$(PY) tests/house.py

lock:  ## write the hashed locks anew after a change of pyproject.toml
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra demo --extra build pyproject.toml -o requirements.txt
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --all-extras -c requirements.txt pyproject.toml -o requirements-test.txt

clean:  ## remove the environment and what the demo left
	rm -rf .venv var

.venv/bin/python:
	python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Wanglou needs Python 3.11; python3 is " + sys.version)'
	python3 -m venv .venv

.venv/run: requirements.txt pyproject.toml | .venv/bin/python
	$(PY) -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
	$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/test: requirements-test.txt pyproject.toml | .venv/bin/python
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-test.txt
	$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ .venv/run

.PHONY: help demo test check drills fuzz bench skill house lock clean
