"""Size and speed of the cores on FPGAs: the tables of ``docs/fpga.md``.

Every design is mapped, placed, routed and packed; Fmax is the best and the median of so many seeds
of the placement, as placement is a game of chance of several per cent.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.params import Compare, CoreParams, Fabric, Leak, Reset
from spikewatt.synth.fpga.board_top import BoardTop
from spikewatt.synth.fpga.boards import find_board
from spikewatt.synth.fpga.devices import Device, find_device
from spikewatt.synth.fpga.flow import synthesise_fpga
from spikewatt.synth.fpga.harness import Harness
from spikewatt.synth.verilog import export

# What a neuron of tinyODIN can do: a leak by subtraction, a reset to zero, one kind of neuron, no
# bias, no refractory time, one tick of delay. (Frenkel, Lefebvre, Legat, Bol: A 0.086-mm² 12.7-pJ/SOP
# 64k-synapse 256-neuron online-learning digital spiking neuromorphic processor in 28-nm CMOS, IEEE
# TBioCAS 13(1), 2019, and the project tinyODIN that came of it.)
TINY = CoreParams(
    neurons=256,
    axons=256,
    weight_bits=4,
    lanes=1,
    state_bits=12,
    bias_bits=0,
    delay_slots=2,
    refractory_bits=0,
    types=1,
    leaks=(Leak.SUBTRACT,),
    resets=(Reset.ZERO,),
    compares=(Compare.GREATER_EQUAL,),
    hop_bits=1,
    fabric=Fabric.FPGA,
)
FULL = CoreParams(neurons=256, axons=256, weight_bits=4, lanes=1, fabric=Fabric.FPGA)
LANES = (1, 2, 4, 8, 16)


def measured(
    verilog: str, device: Device, lanes: int, seeds: Sequence[int], constraints: str = ""
) -> dict[str, Any]:
    """What a design takes and how fast it is, over all seeds."""
    results = [
        synthesise_fpga(verilog, "neuro", device, constraints=constraints, seed=seed)
        for seed in seeds
    ]
    speeds = [one.timing.fmax_mhz or 0.0 for one in results]
    fastest = max(speeds)
    return {
        **vars(results[0].usage),
        "fmax_mhz": [round(speed, 2) for speed in speeds],
        "fmax_best": fastest,
        "fmax_median": statistics.median(speeds),
        "sop_per_second": lanes * fastest * 1e6,
    }


def designs(lanes: Sequence[int]) -> Iterator[tuple[str, str, Device, int, str]]:
    """Name, Verilog, device, lanes and constraints of every row."""
    ecp5, up5k = find_device("ecp5"), find_device("ice40")
    for name, params, device in (
        ("as tinyODIN, ECP5", TINY, ecp5),
        ("as tinyODIN, UP5K", replace(TINY, fabric=Fabric.UP5K), up5k),
        ("all that a neuron can do, ECP5", FULL, ecp5),
        ("all that a neuron can do, UP5K", replace(FULL, fabric=Fabric.UP5K), up5k),
    ):
        yield name, export(Harness(NeuroCore(params)), "neuro"), device, 1, ""
    for family, name, params in (
        ("ecp5", "ulx3s", TINY),
        ("ice40", "icebreaker", replace(TINY, fabric=Fabric.UP5K)),
    ):
        board = find_board(family, name)
        text = export(BoardTop(NeuroCore(params), board), "neuro")
        yield f"as tinyODIN, {name} with UART", text, board.device, 1, board.constraints
    for count in lanes:
        core = NeuroCore(replace(TINY, lanes=count))
        yield f"as tinyODIN, ECP5, {count} lanes", export(Harness(core), "neuro"), ecp5, count, ""


def main() -> None:
    """Build everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="placements of each design")
    parser.add_argument("--lanes", type=int, nargs="*", default=LANES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = {}
    print(f"{'':38} LUT4 cells   FF  BRAM SPRAM DSP  Fmax best median   MSOP/s")
    for name, text, device, lanes, constraints in designs(options.lanes):
        row = measured(text, device, lanes, range(1, options.seeds + 1), constraints)
        rows[name] = row
        print(
            f"{name:38} {row['lut4']:4} {row['lut_cells']:5} {row['ff']:4} {row['bram']:5} "
            f"{row['spram']:5} {row['dsp']:3} {row['fmax_best']:10.1f} {row['fmax_median']:6.1f} "
            f"{row['sop_per_second'] / 1e6:8.1f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
