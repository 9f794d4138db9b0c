"""The designs that are measured: their gates, their inputs, and waveforms of their RTL."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gates import CLOCK, Stimulus, build, drive, inputs_of
from systolic import SystolicArray
from vectors import answers, vectors

from spikewatt.energy.activity.waveform import open_waveform
from spikewatt.flow.run import load_digits, run
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.mapping import map_network
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export

__all__ = ["LIBRARY", "Case", "array_case", "core_case"]

SEED = 7
LIBRARY = read_liberty(default_library_path())
FEW = {"array": 400, "neuro": 20_000}


@dataclass(frozen=True)
class Case:
    """A design with a waveform of its RTL, as FST and as VCD; Icarus runs a ``few`` cycles."""

    name: str
    top: str
    netlist: Netlist
    stimulus: Stimulus
    fst: Path
    vcd: Path
    few: int

    @property
    def periods(self) -> int:
        """Rising edges of the clock."""
        clock = self.stimulus.words[:, 1 + list(self.stimulus.widths).index(CLOCK)]
        return int((np.diff(clock.astype(np.int8)) == 1).sum())

    @property
    def gate_cycles(self) -> int:
        """Cells times periods."""
        return len(self.netlist.instances) * self.periods


def array_case(cycles: int, folder: Path) -> Case:
    """The array, its waveform written by Verilator, its results checked."""
    verilog, (stimulus, results) = export(SystolicArray(), "array"), vectors(cycles, SEED)
    case = _case("8×8 array", "array", verilog, stimulus, folder, folder / "array.fst")
    program, _ = build("array", verilog, stimulus, "fst")
    drive(program, folder / "array.stimulus", 0, case.fst)
    got = answers(open_waveform(case.fst), "array", stimulus)
    assert np.array_equal(got, results), "the array does not multiply"
    return case


def core_case(images: int, folder: Path) -> Case:
    """The core, its waveform and its check by ``spikewatt run``."""
    network, x, y = load_digits()
    verilog = export(Blueprint.of(NeuroCore, map_network(network).params), "neuro")
    report = run(network, x[:images], y[:images], trace="fst", out=folder / "core")
    assert report.bit_exact, "the core is not the golden model"
    fst = folder / "core" / "neuro.fst"
    netlist = _mapped("neuro", verilog)
    stimulus = inputs_of(open_waveform(fst), "neuro", netlist)
    return _case("neuromorphic core", "neuro", verilog, stimulus, folder, fst)


def _mapped(top: str, verilog: str) -> Netlist:
    return read_netlist(synthesise(verilog, top, default_library_path()).netlist, LIBRARY, top=top)


def _case(name: str, top: str, verilog: str, stimulus: Stimulus, folder: Path, fst: Path) -> Case:
    vcd, inputs = folder / f"{top}.vcd", stimulus.save(folder / f"{top}.stimulus")
    program, _ = build(top, verilog, stimulus, "vcd")
    drive(program, inputs, 0, vcd)
    return Case(name, top, _mapped(top, verilog), stimulus, fst, vcd, FEW[top])
