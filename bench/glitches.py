"""What glitches add, and the shortest period, of two designs: ``docs/energy.md``.

One image on the digits core, and 300 cycles of random operands on the 8×8 array.
"""

import tempfile
import time
from pathlib import Path

from cases import LIBRARY, array_case
from vectors import HALF_PERIOD

import spikewatt as sw
from spikewatt.energy.activity.prepared import Prepared, prepare
from spikewatt.energy.delays.timing import analyse_timing
from spikewatt.energy.glitches.bound import glitch_factor
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.targets.neuro import NeuroTarget

CYCLES = 300


def core() -> tuple[Prepared, PricedActivity, tuple[float, float] | None]:
    """The digits core with 8 lanes; its window is the image."""
    network, x, _ = sw.load_digits()
    priced = NeuroTarget(network, lanes=8).price(network.stimulus(x[:1]))
    return priced.prepared, priced.estimate, None


def array(folder: Path) -> tuple[Prepared, PricedActivity, tuple[float, float] | None]:
    """The array of this folder."""
    case = array_case(2 * CYCLES, folder)
    prepared = prepare(case.netlist, LIBRARY, case.vcd)
    # Reset, weights and the first vectors before the window, whose ends are just before an edge.
    period = 2 * HALF_PERIOD * prepared.tick_s
    begin = (CYCLES // 10 + 0.45) * period
    window = (begin, begin + CYCLES * period)
    return prepared, price_waveform(prepared, LIBRARY), window


def main() -> None:
    """Print a line for each design."""
    with tempfile.TemporaryDirectory() as name:
        for title, case in (("digits core", core()), ("8×8 array", array(Path(name)))):
            prepared, priced, window = case
            start = time.perf_counter()
            timing = analyse_timing(prepared.netlist, LIBRARY, prepared.clock_roots)
            analysed = time.perf_counter() - start
            start = time.perf_counter()
            report = glitch_factor(prepared, priced, window=window).report()
            print(
                f"{title}: combinational × {report.combinational_j.factor:.3f}, dynamic × "
                f"{report.dynamic_j.factor:.3f}, toggles × {report.toggles.factor:.3f}, "
                f"{time.perf_counter() - start:.0f} s; {len(prepared.netlist.instances):,} cells "
                f"meet {timing.period_s * 1e9:.2f} ns, analysed in {analysed:.1f} s"
            )


if __name__ == "__main__":
    main()
