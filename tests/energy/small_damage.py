"""Waveforms with flipped bytes, read one after another: one line on each.

As a program: ``python -m tests.energy.small_damage FILE READER COUNT``.
"""

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from spikewatt.base.errors import NetlistError, WaveformError
from spikewatt.energy.activity.replay import ReplayOptions, replay_waveform
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist
from tests.energy.small_library import build, read

__all__ = ["PAIR", "A", "B", "outcome"]

PAIR = build(
    {"u": ("NAND", {"A": "a", "B": "b", "Y": "n"}), "v": ("INV", {"A": "n", "Y": "y"})},
    ["a", "b"],
    ["y"],
)
A = [(0, "0"), (10, "1"), (20, "0"), (30, "1"), (50, "0")]
B = [(0, "1"), (20, "0"), (25, "1"), (40, "0")]


def outcome(netlist: Netlist, library: Library, path: Path, reader: Any) -> str:
    """``right`` if it was read, else what it said; another error than ours is raised."""
    try:
        replay_waveform(
            netlist, library, path, "tb.dut", ReplayOptions(unknown="hold"), reader=reader
        )
    except (WaveformError, NetlistError) as error:
        said = str(error)
    else:
        return "right"
    assert len(said.splitlines()) == 1
    return said


def main(name: str, reader: str, count: str) -> None:
    path, source = Path(name), random.Random(reader)
    whole = path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        library = read(Path(folder))
    for _ in range(int(count)):
        data = bytearray(whole)
        for _ in range(source.choice((1, 1, 2, 20))):
            data[source.randrange(len(data))] = source.randrange(256)
        path.write_bytes(data)
        print(outcome(PAIR, library, path, reader), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
