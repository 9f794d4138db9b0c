"""Toggles of a netlist with delays, counted by Icarus."""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError, ToolError
from spikewatt.base.files import scratch
from spikewatt.base.process import run_contained, tool_failure
from spikewatt.energy.glitches.annotated import DUMP, Playback, bench_verilog, gates_verilog
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["count_toggles"]


def count_toggles(
    netlist: Netlist, library: Library, delays: NDArray[np.int64], playback: Playback
) -> NDArray[np.int64]:
    """int64[nets]: changes between 0 and 1 of every net, in an event-driven simulation.

    Raises
    ------
    ToolError
        Icarus is missing, or refuses the netlist.
    SimulationError
        A net is unknown within the time that counts.
    """
    driven = {net: bit for bit, net in enumerate([*playback.clocks, *playback.others])}
    types = list(dict.fromkeys(instance.type for instance in netlist.instances))
    texts = {
        "bench.v": bench_verilog(playback, range(2, len(netlist.names))),
        "gates.v": gates_verilog(
            netlist, library, delays, driven, playback.states, playback.settled
        ),
        "cells.v": verilog_models(library, types),
        # $readmemb has the highest bit first.
        "rows": "\n".join("".join("1" if b else "0" for b in row[::-1]) for row in playback.bits),
        "times": "\n".join(f"{time:x}" for time in playback.times),
    }
    with scratch() as folder:
        for file, text in texts.items():
            (folder / file).write_text(text)
        compiler = _icarus()
        sources = ["bench.v", "gates.v", "cells.v"]
        _run([compiler, "-g2005", "-s", "bench", "-o", "bench.vvp", *sources], folder)
        _run([str(Path(compiler).with_name("vvp")), "-n", "bench.vvp"], folder)
        return _counted(folder / DUMP, netlist)


def _icarus() -> str:
    if path := shutil.which("iverilog"):
        return path
    raise ToolError(
        "glitches are simulated with Icarus Verilog, which is missing: install iverilog"
    )


def _run(command: Sequence[str], folder: Path) -> None:
    log = folder / "log"
    if status := run_contained(command, cwd=folder, env=os.environ, log=log):
        output = log.read_text(errors="replace")
        reason = f"status {status}: {' '.join(output.split())[:300]}"
        raise tool_failure(Path(command[0]).name, reason, output, folder)


def _counted(path: Path, netlist: Netlist) -> NDArray[np.int64]:
    """Toggles from the dump, whose variables are all one bit wide."""
    codes: dict[str, list[int]] = {}  # one for nets that Icarus has joined
    changes: Counter[str] = Counter()
    with path.open() as file:
        for line in file:
            if line.startswith("$var"):
                _, _, _, code, net, *_ = line.split()
                codes.setdefault(code, []).append(int(net.removeprefix("n")))
            elif line.startswith("$enddefinitions"):
                break
        level: dict[str, str] = {}
        unknown = set[str]()
        for line in file:
            value, code = line[0], line[1:-1]  # `1!`; times and keywords begin with # and $
            if value in "01":  # the first is no toggle; a pulse of no width is dumped as none
                changes[code] += level.get(code, value) != value
                level[code] = value
            elif value in "xz":
                unknown.add(code)
    if unknown:
        bad = sorted(net for code in unknown for net in codes[code])
        raise SimulationError(
            f"net {netlist.names[bad[0]][0]} is unknown in the simulation of the gates "
            f"(and {len(bad) - 1} more): the waveform must show every flip-flop, without X"
        )
    toggles = np.zeros(len(netlist.names), np.int64)
    for code, nets in codes.items():
        toggles[nets] = changes[code]
    return toggles
