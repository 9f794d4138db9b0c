"""The cells of clockless circuits: fire buffer, matched delay, mutual exclusion."""

from importlib import resources
from typing import Literal

__all__ = ["fpga_cells", "simulation_cells"]


def simulation_cells() -> str:
    """Verilog models of the cells for simulators that keep time; its unit is 1 ps.

    ``+delay_seed=N`` with N > 0 makes every delay random; the models say how.
    """
    return resources.files("spikewatt.synth.click").joinpath("simulation.v").read_text()


def fpga_cells(family: Literal["ecp5", "ice40"]) -> str:
    """Verilog of the cells as look-up tables, for yosys's ``synth_ecp5`` or ``synth_ice40``."""
    return resources.files("spikewatt.synth.click").joinpath(f"{family}.v").read_text()
