# Every target sets up what it needs (see scripts/setup).
WORKERS ?= 2

.PHONY: demo test test-all synth-all lint bench clean

demo: ## run the shipped network on the RTL core
	@scripts/setup run
	@.venv/bin/spikewatt demo --out out

test: ## all tests but the long ones
	@scripts/setup test
	.venv/bin/python -m pytest -n $(WORKERS) -m "not long"

test-all: ## all tests, on builds that are optimised as a user's are
	@scripts/setup test
	SPIKEWATT_BUILDS=fast .venv/bin/python -m pytest -n $(WORKERS)

synth-all: ## every core to a bitstream on both families, and its netlist's simulation
	@scripts/setup test
	.venv/bin/python -m pytest -n $(WORKERS) tests/synth/fpga tests/flow/cli/test_synth_fpga.py tests/cosim/test_netlist.py

lint: ## style, types
	@scripts/setup test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright

bench: ## speed of the golden model, the RTL simulation, the replay beside gates, and the demo
	@scripts/setup test
	.venv/bin/python bench/golden.py
	.venv/bin/python bench/rtl.py
	.venv/bin/python bench/replay.py
	.venv/bin/python bench/demo.py

clean:
	rm -rf .venv build out *.egg-info
