"""A core between registers, to place it where its ports are more than a package's pins."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

__all__ = ["ENTERING", "LEAVING", "Harness"]

ENTERING, LEAVING = "entering__", "leaving__"
"""How the names of the harness's registers begin."""

_LEFT_OPEN = ("probe", "started", "adding")  # for test benches; nothing depends on them


class Harness(wiring.Component):
    """A core with a register in front of each input and behind each output.

    The input registers form a shift register, so that two pins and a clock are all it takes; the
    output registers are kept although nothing reads them. So every path of the core lies between
    two registers, none of its logic is optimised away, and the harness takes flip-flops alone.

    Members
    -------
    scan : In(1)
        Into the input registers.
    """

    scan: Signal

    def __init__(self, core: Any) -> None:
        self._core = core
        super().__init__({"scan": In(1)})

    def elaborate(self, platform: object) -> Module:
        """Put the registers around the core."""

        def register(way: str, name: str, bits: int) -> Signal:
            return Signal(bits, name=f"{way}{name}", reset_less=True, attrs={"keep": 1})

        m = Module()
        m.submodules.core = core = self._core
        last: Value = self.scan
        for path, member, port in core.signature.flatten(core):
            if path[0] in _LEFT_OPEN:
                continue
            value, name = Value.cast(port), "__".join(map(str, path))
            if member.flow is In:
                chain = register(ENTERING, name, len(value))
                # One long shift register through all inputs: as wide as the core needs, from a
                # single pin.
                m.d.sync += chain.eq((chain << 1) | last)
                m.d.comb += value.eq(chain)
                last = chain[-1]
            else:
                taken = register(LEAVING, name, len(value))
                m.d.sync += taken.eq(value)
        return m
