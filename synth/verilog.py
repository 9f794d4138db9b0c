"""Verilog export, in the dialect that all our simulators agree on."""

import re

from amaranth.back import verilog
from amaranth.lib import wiring

__all__ = ["export"]

_MEMORY_INIT = re.compile(r"^  initial begin\n(?:    \S+\[\d+\] = [^\n]+;\n)+  end\n", re.M)
_COMBINATIONAL = re.compile(r"\balways @\*")


def export(component: wiring.Component, name: str) -> str:
    """Verilog of ``component`` as module ``name``.

    Two changes to what Amaranth writes. Memories lose their initial contents: a real SRAM powers up
    undefined, and nothing may rely on it. And ``always @*`` becomes ``always_comb``: Icarus 11 does
    not evaluate the former at time zero, which leaves outputs undefined after reset.
    """
    text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    return _COMBINATIONAL.sub("always_comb", _MEMORY_INIT.sub("", text))
