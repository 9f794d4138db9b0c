"""Size and speed of the neuromorphic core on FPGAs: the tables of ``docs/fpga.md``.

Every row is a command, ``spikewatt synth``, which maps, places, routes and packs; Fmax is the best
and the median of so many seeds of the placement, which is a game of chance of several per cent.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SIZE = "--core neuro --neurons 256 --axons 256 --weight-bits 4"
TINY = (
    f"{SIZE} --state-bits 12 --bias-bits 0 --delay-slots 2 --refractory-bits 0 --types 1 "
    "--hop-bits 1 --leaks subtract --resets zero --compares greater-equal"
)
"""What a neuron of tinyODIN can do: a leak by subtraction, a reset to zero; one kind of neuron, no
bias, no refractory time, one tick of delay."""
FAMILIES = {"ecp5": "ulx3s", "ice40": "icebreaker"}
"""Targets, and a board with each."""
COMMAND = [sys.executable, "-c", "from spikewatt.flow.cli.main import main; main()"]


def built(words: str, seed: int) -> dict[str, Any]:
    """Report of one bitstream."""
    line = [*COMMAND, "synth", *words.split(), "--seed", str(seed), "--json"]
    return json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)


def measured(words: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Report of the fastest placement, and the speed of all."""
    reports = [built(words, seed) for seed in seeds]
    speeds = [report["fmax_mhz"] for report in reports]
    best = reports[speeds.index(max(speeds))]
    return {**best, "words": words, "speeds": speeds, "median": statistics.median(speeds)}


def rows(lanes: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Name and command of every row."""
    for family, board in FAMILIES.items():
        yield f"like tinyODIN, {family}", f"--target {family} {TINY} --lanes 1"
        words = f"--target {family} --board {board} {TINY} --lanes 1"
        yield f"the same on {board}, with its UART", words
        yield f"all a neuron can do, {family}", f"--target {family} {SIZE} --lanes 1"
    for count in lanes:
        yield f"like tinyODIN, ecp5, {count} lanes", f"--target ecp5 {TINY} --lanes {count}"


def main() -> None:
    """Build everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="placements of each design")
    parser.add_argument("--lanes", type=int, nargs="*", default=(1, 2, 4, 8, 16))
    parser.add_argument("--json", type=Path, help="file for all reports")
    options = parser.parse_args()
    reports = {}
    print(f"{'':36}  LUT4 cells   FF BRAM SPRAM DSP  Fmax median  MSOP/s")
    for name, words in rows(options.lanes):
        reports[name] = row = measured(words, range(1, options.seeds + 1))
        print(
            f"{name:36} {row['lut4']:5} {row['lut_cells']:5} {row['ff']:4} {row['bram']:4} "
            f"{row['spram']:5} {row['dsp']:3} {row['fmax_mhz']:5.1f} {row['median']:6.1f} "
            f"{row['sop_per_second'] / 1e6:7.1f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(reports, indent=1) + "\n")


if __name__ == "__main__":
    main()
