# Every target sets up what it needs (see scripts/setup).
WORKERS ?= 2

.PHONY: demo test test-all lint bench clean

demo: ## run the shipped network on the RTL core
	@scripts/setup run
	@.venv/bin/spikewatt demo --out out

test: ## all tests but the long ones
	@scripts/setup test
	.venv/bin/python -m pytest -n $(WORKERS) -m "not long"

test-all: ## all tests
	@scripts/setup test
	.venv/bin/python -m pytest -n $(WORKERS)

lint: ## style, types
	@scripts/setup test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright

bench: ## speed of the RTL simulation, and of the replay beside gate-level simulation
	@scripts/setup test
	.venv/bin/python bench/rtl.py
	.venv/bin/python bench/replay.py

clean:
	rm -rf .venv build out *.egg-info
