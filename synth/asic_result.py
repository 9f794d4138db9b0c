"""What a mapped design is made of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikewatt.base.report import Report
from spikewatt.synth.liberty.library import FlipFlop, Latch, Library
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.own_verilog import MODELS

__all__ = ["AsicResult", "count"]


@dataclass(frozen=True, kw_only=True)
class AsicResult(Report):
    """A mapped design, and what it is made of.

    Parameters
    ----------
    netlist, verilog:
        The netlist as JSON and as structural Verilog, both with the hierarchy of the RTL.
    area:
        Sum over the cells, in the library's unit (µm² as a rule); memories are not in it.
    gated_flip_flops:
        Flip-flops whose clock comes from a clock gate of the library.
    gating:
        ``library``: with clock gates; ``off``: not asked for; ``none``: the library has none.
    memory_bits:
        Bits of the memories, which are kept whole.
    frontend:
        What read the sources: ``verilog``, yosys's own reader, or ``slang``, for SystemVerilog.
    types, modules:
        Cells by type, and by the path of the RTL module instance that they lie in.
    """

    top: str
    library: str
    netlist: Path
    verilog: Path
    cells: int
    area: float
    flip_flops: int
    gated_flip_flops: int
    latches: int
    clock_gates: int
    gating: str
    memories: int
    memory_bits: int
    types: Mapping[str, int]
    modules: Mapping[str, int]
    frontend: str = "verilog"

    @property
    def simulation(self) -> list[Path]:
        """What a simulator needs beside the cells: the Verilog, and models of its memories."""
        models = self.verilog.with_name(f"{self.verilog.stem}_{MODELS}")
        return [self.verilog, models] if self.memories else [self.verilog]


def count(netlist: Netlist, library: Library, files: tuple[Path, ...], gating: str) -> AsicResult:
    """Count what a netlist holds; ``files`` are its JSON and its Verilog."""
    types = Counter(cell.type for cell in netlist.instances)
    cells = library.cells
    states = [cell for cell in netlist.instances if cells[cell.type].sequential is not None]
    flip_flops = [cell for cell in states if isinstance(cells[cell.type].sequential, FlipFlop)]
    gates = [cell for cell in netlist.instances if cells[cell.type].clock_gate]
    # A clock gate's output is a clock; a flip-flop is gated where its own clock is one of these.
    gated = {
        net
        for cell in gates
        for pin, net in cell.pins.items()
        if cells[cell.type].pins[pin].direction == "output"
    }
    return AsicResult(
        top=netlist.name,
        library=library.name,
        netlist=files[0],
        verilog=files[1],
        cells=len(netlist.instances),
        area=sum(cells[kind].area * count for kind, count in types.items()),
        flip_flops=len(flip_flops),
        gated_flip_flops=sum(
            not gated.isdisjoint(
                cell.pins[pin]
                for pin in _clock_pins(cells[cell.type].sequential)
                if pin in cell.pins
            )
            for cell in flip_flops
        ),
        latches=sum(
            isinstance(cells[cell.type].sequential, Latch) and not cells[cell.type].clock_gate
            for cell in states
        ),
        clock_gates=len(gates),
        gating=gating,
        memories=len(netlist.memories),
        memory_bits=sum(memory.words * memory.width for memory in netlist.memories),
        types=dict(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
        modules=dict(Counter(cell.module for cell in netlist.instances)),
    )


def _clock_pins(sequential: FlipFlop | Latch | None) -> tuple[str, ...]:
    return sequential.clocked_on.inputs if isinstance(sequential, FlipFlop) else ()
