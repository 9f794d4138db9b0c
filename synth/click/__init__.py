"""The cells of clockless circuits: fire buffer, matched delay, mutual exclusion."""

from importlib import resources

__all__ = ["simulation_cells"]


def simulation_cells() -> str:
    """Verilog models of the cells for simulators that keep time; its unit is 1 ps.

    ``+delay_seed=N`` with N > 0 makes every delay random; the models say how.
    """
    return resources.files("spikewatt.synth.click").joinpath("simulation.v").read_text()
