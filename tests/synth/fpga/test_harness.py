"""The registers around a core: it loses nothing, and they are not counted."""

import json
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.params import CoreParams, Fabric
from spikewatt.synth.fpga.devices import Family, find_device
from spikewatt.synth.fpga.flow import map_fpga, synthesise_fpga
from spikewatt.synth.fpga.harness import Harness
from spikewatt.synth.verilog import export


class Adder(wiring.Component):
    """A sum of what enters, one cycle later; a probe that nothing needs."""

    i: Any
    o: Any
    probe: Signal

    def __init__(self) -> None:
        members = {"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)), "probe": Out(64)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total = Signal(8)
        m.d.comb += [self.o.payload.eq(total), self.o.valid.eq(1), self.i.ready.eq(self.o.ready)]
        with m.If(self.i.valid):
            m.d.sync += total.eq(total + self.i.payload)
        return m


def test_every_input_is_shifted_in() -> None:
    """What enters first goes farthest: the ready of the output, valid, payload from its top."""
    core = Adder()
    harness = Harness(core)
    word = 0b10110001

    async def bench(ctx: Any) -> None:
        for bit in (1, 0, *(word >> k & 1 for k in reversed(range(8)))):
            ctx.set(harness.scan, bit)
            await ctx.tick()
        assert ctx.get(core.i.payload) == word
        assert ctx.get(core.i.valid) == 0
        assert ctx.get(core.o.ready) == 1

    simulator = Simulator(harness)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_every_output_is_taken(family: Family) -> None:
    """Registers that nothing reads stay; the probe has none."""
    folder = map_fpga(export(Harness(Adder()), "adder"), "adder", find_device(family))
    module = json.loads((folder / "netlist.json").read_text())["modules"]["adder"]
    driven = {
        bit
        for cell in module["cells"].values()
        if cell["type"].startswith(("TRELLIS_FF", "SB_DFF"))
        for bit in cell["connections"]["Q"]
    }
    registers = {name: net["bits"] for name, net in module["netnames"].items()}
    assert set(registers["leaving__o__payload"]) <= driven
    assert set(registers["leaving__i__ready"]) <= driven
    assert not [name for name in registers if "probe" in name]


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_its_flip_flops_are_not_counted(family: Family) -> None:
    result = synthesise_fpga(export(Harness(Adder()), "adder"), "adder", find_device(family))
    assert result.usage.ff == 8
    assert {hop.kind for hop in result.timing.path} <= {"input", "register", "logic", "output"}


@pytest.mark.long
@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_a_core_is_as_large_as_without(family: Family) -> None:
    """On pins, where there are enough, within what mapping makes of other names."""
    params = CoreParams(
        neurons=8, axons=8, lanes=1, delay_slots=2, weight_bits=2, hop_bits=1, fabric=Fabric.FPGA
    )
    device = find_device(family, {"ecp5": "85k", "ice40": "hx8k"}[family])
    inside = synthesise_fpga(export(Harness(NeuroCore(params)), "neuro"), "neuro", device)
    alone = synthesise_fpga(_ports_only(params), "neuro", device)
    assert inside.usage.ff == alone.usage.ff
    assert inside.usage.bram == alone.usage.bram
    assert inside.usage.lut_cells == pytest.approx(alone.usage.lut_cells, rel=0.03, abs=0)


def _ports_only(params: CoreParams) -> str:
    """The core on pins; its probe is left open, as in the harness."""

    class Alone(wiring.Component):
        idle: Signal

        def __init__(self) -> None:
            self.core = NeuroCore(params)
            members = dict(self.core.signature.members)
            del members["probe"]
            super().__init__(members)

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.submodules.core = self.core
            for name in self.signature.members:
                if name == "idle":
                    m.d.comb += self.idle.eq(self.core.idle)
                else:
                    wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(self.core, name))
            return m

    return export(Alone(), "neuro")
