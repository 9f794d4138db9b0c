"""What is mapped does what the RTL does, and its state has the RTL's names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.library import FlipFlop, Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.synth.designs import DESIGNS
from tests.synth.side_by_side import PERIOD, RESET_STEPS, STEPS, simulate
from tests.synth.sparse_library import SPARSE

LIBRARIES = ("built-in", "sparse")


def library_file(name: str, folder: Path) -> Path:
    if name == "built-in":
        return default_library_path()
    path = folder / "sparse.lib"
    path.write_text(SPARSE)
    return path


def states(netlist: Netlist, library: Library) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every flip-flop, and the names of its output and of what is its inverse."""
    inverse = {
        one.pins[pin]: one.pins[out]
        for one in netlist.instances
        if (found := _inverter(library, one.type))
        for pin, out in [found]
    }
    for one in netlist.instances:
        if not isinstance(library.cells[one.type].sequential, FlipFlop):
            continue
        names: list[str] = []
        for pin, net in one.pins.items():
            if library.cells[one.type].pins[pin].direction == "output":
                names += netlist.names[net]
                names += netlist.names[inverse[net]] if net in inverse else ()
        yield one.name, tuple(names)


def _inverter(library: Library, kind: str) -> tuple[str, str] | None:
    pins = library.cells[kind].pins.values()
    outputs = [pin for pin in pins if pin.direction == "output"]
    inputs = [pin for pin in pins if pin.direction == "input"]
    if len(outputs) != 1 or len(inputs) != 1 or (function := outputs[0].function) is None:
        return None
    return (inputs[0].name, outputs[0].name) if function.truth((inputs[0].name,)) == 1 else None


@pytest.mark.parametrize("gating", [True, False], ids=["gated", "plain"])
@pytest.mark.parametrize("technology", LIBRARIES)
@pytest.mark.parametrize("top", DESIGNS)
def test_the_netlist_does_what_the_rtl_does(
    top: str, technology: str, gating: bool, tmp_path: Path
) -> None:
    if technology == "sparse" and gating:
        pytest.skip("this library has no clock gate")
    path = library_file(technology, tmp_path)
    library = read_liberty(path)
    result = synthesise(DESIGNS[top], top, path, clock_gating=gating)
    netlist = read_netlist(result.netlist, library)
    (tmp_path / "rtl.v").write_text(DESIGNS[top])
    (tmp_path / "cells.v").write_text(powered_up(verilog_models(library, result.types)))
    rtl = simulate(netlist, [tmp_path / "rtl.v"], tmp_path / "rtl")
    gates = simulate(netlist, [result.verilog, tmp_path / "cells.v"], tmp_path / "gates")
    registers = dict(states(netlist, library))
    nameless = [flop for flop, names in registers.items() if not any(n in rtl for n in names)]
    assert nameless == []
    ports = [name for p, port in netlist.ports.items() for name in bits(p, len(port.nets))]
    found = [name for names in registers.values() for name in names if name in rtl]
    compared = 0
    for name in [*ports, *found]:
        for time in range(RESET_STEPS * PERIOD - 1, STEPS * PERIOD, PERIOD // 2):
            expected = rtl.at(name, time)
            if expected != "x":
                assert gates.at(name, time) == expected, (name, time)
                compared += 1
    assert compared > STEPS


def powered_up(models: str) -> str:
    """Cells whose state powers up known: mapped logic need not get from ``x`` to its reset."""
    return re.sub(r"^  reg (\S+);$", r"  reg \1 = $random;", models, flags=re.MULTILINE)


def bits(name: str, width: int) -> list[str]:
    return [name] if width == 1 else [f"{name}[{place}]" for place in range(width)]
