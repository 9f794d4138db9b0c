"""Meshes of two columns with a switch for each fault: one build for all of them.

The seed of the delays chooses the fault: it is what a simulation is told when it begins.
"""

import re
from dataclasses import dataclass

from spikewatt.model.params import MeshParams, RouterKind
from spikewatt.synth.verilog import export_mesh

__all__ = ["FAULTS", "broken_mesh", "fault_seed"]

_SWITCH = """
module fault_switch #(parameter int N = 0) (input wire works, broken, here, output wire y);
  int unsigned chosen;
  initial if (!$value$plusargs("delay_seed=%d", chosen)) chosen = 0;
  assign y = here && chosen == N ? broken : works;
endmodule
"""
_FIRST = 101


@dataclass(frozen=True)
class Fault:
    """A port of an instance that is always ``value``.

    ``value`` may name, in braces, the net at another port of the instance. An instance that is not
    a tile is in every tile, and that at (1, 0) is broken. ``output``: it is what comes out of the
    port that is broken.
    """

    instance: str
    port: str
    value: str = "1'b0"
    output: bool = False


FAULTS: dict[RouterKind, dict[str, tuple[Fault, ...]]] = {
    RouterKind.CLICK: {
        "the link to the east": (Fault("tile_0_0", "o__0__ack"),),
        "the link to the west": (Fault("tile_1_0", "o__1__ack"),),
        "the exit": (Fault("tile_0_0", "o__2__ack"),),
        "the entry": (Fault("tile_0_0", "i__1__ack", output=True),),
        "a packet is lost": (
            Fault("tile_0_0", "o__0__ack", "{o__0__req}"),
            Fault("tile_1_0", "i__1__req"),
        ),
        "a core takes nothing": (
            Fault("core", "i__valid"),
            Fault("core", "i__ready", output=True),
        ),
        "a tile's way out": (Fault("departures", "o__ack"),),
    },
    RouterKind.SYNC: {
        "the link to the east": (
            Fault("tile_0_0", "o__0__ready"),
            Fault("tile_1_0", "i__1__valid"),
        ),
        "the link to the west": (
            Fault("tile_1_0", "o__1__ready"),
            Fault("tile_0_0", "i__0__valid"),
        ),
        "the exit": (
            Fault("tile_0_0", "o__2__ready"),
            Fault("tile_0_0", "o__2__valid", output=True),
        ),
        "the entry": (
            Fault("tile_0_0", "i__1__ready", output=True),
            Fault("tile_0_0", "i__1__valid"),
        ),
        "a packet is lost": (
            Fault("tile_0_0", "o__0__ready", "1'b1"),
            Fault("tile_1_0", "i__1__valid"),
        ),
        "a core takes nothing": (
            Fault("core", "i__valid"),
            Fault("core", "i__ready", output=True),
        ),
        "a tile's way out": (
            Fault("router", "i__4__ready", output=True),
            Fault("router", "i__4__valid"),
        ),
    },
}
"""What is broken, by the kind of the routers, and by name."""


def fault_seed(name: str) -> int:
    """Seed of the delays that chooses a fault."""
    return _FIRST + list(FAULTS[RouterKind.CLICK]).index(name)


def broken_mesh(params: MeshParams) -> str:
    """Verilog of the mesh with all the switches."""
    verilog = export_mesh(params)
    for name, faults in FAULTS[params.router].items():
        for fault in faults:
            verilog = _add_switch(verilog, fault, fault_seed(name))
    return verilog + _SWITCH


def _add_switch(verilog: str, fault: Fault, seed: int) -> str:
    """Put a switch between a port and its net."""
    module = "mesh" if fault.instance.startswith("tile_") else "tile"
    found = re.search(rf"^module {module}\(.*?^endmodule$", verilog, re.DOTALL | re.MULTILINE)
    assert found, module
    body = found[0]
    pattern = rf"^  \S+ +\\?{fault.instance} +\(\n.*?^  \);$"
    (instance,) = re.finditer(pattern, body, re.DOTALL | re.MULTILINE)
    nets = dict(re.findall(r"^    \.(\S+)\((.*)\),?$", instance[0], re.MULTILINE))
    net, wire = nets[fault.port], f"switched_{seed}_{fault.instance}_{fault.port}"
    works, y = (wire, net) if fault.output else (net, wire)
    ports = {
        "works": works,
        "broken": fault.value.format(**nets),
        "here": "1'b1" if module == "mesh" else "home_dx != 0",
        "y": y,
    }
    connections = ", ".join(f".{port}({value})" for port, value in ports.items())
    switch = f"  wire {wire};\n  fault_switch #({seed}) \\{wire}_switch ({connections});\n"
    mended = instance[0].replace(f".{fault.port}({net})", f".{fault.port}({wire})")
    assert mended != instance[0]
    start, end = instance.span()
    return verilog.replace(body, body[:start] + switch + mended + body[end:], 1)
