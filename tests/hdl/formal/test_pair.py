"""A merge and the stage behind it: what the one assumes of its receiver, the other keeps."""

from functools import cache
from pathlib import Path
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.click import Merge, Stage
from spikewatt.hdl.router.link import Link
from spikewatt.synth.verilog import export
from tests.hdl.formal.mutants import edited
from tests.hdl.formal.prove import DELAYS, check, model

LONGEST = 18
INDUCTION = 24


class Pair(wiring.Component):
    """A merge, then a stage."""

    a: Any
    b: Any
    o: Any
    rst: Signal

    def __init__(self) -> None:
        link = Link(2)
        super().__init__({"rst": In(1), "a": In(link), "b": In(link), "o": Out(link)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.merge = merge = Merge(2, DELAYS)
        m.submodules.stage = stage = Stage(2, DELAYS)
        m.d.comb += [merge.rst.eq(self.rst), stage.rst.eq(self.rst)]
        wiring.connect(m, wiring.flipped(self.a), merge.a)
        wiring.connect(m, wiring.flipped(self.b), merge.b)
        wiring.connect(m, merge.o, stage.i)
        wiring.connect(m, stage.o, wiring.flipped(self.o))
        return m


@cache
def pair() -> str:
    return export(Pair(), "pair", dialect="assigns")


def test_stage_keeps_what_a_merge_assumes_of_its_receiver(tmp_path: Path) -> None:
    """By induction, with bounded delays: and a token passes in time, without a hazard."""
    place = model(tmp_path, "pair", f"STEPS={LONGEST}", "TIMED", design=pair())
    start = check(place, "bounded", INDUCTION)
    assert start.passed, start.output
    step = check(place, "induction", INDUCTION)
    assert step.passed, step.output
    assert check(place, "cover", 40).names == {"both.two_of_each", "reset.again"}


def test_stage_without_a_matched_delay_does_not(tmp_path: Path) -> None:
    merge, module, stage = pair().partition("module \\pair.stage ")
    undelayed = [
        (r"\.y\(matched_request\)", ".y()"),
        (r"^endmodule", "  assign matched_request = i__req;\nendmodule"),
    ]
    changed = merge + module + edited(stage, undelayed)
    place = model(tmp_path, "pair", "STEPS=1", "TIMED", only="ends.received", design=changed)
    assert check(place, "bounded", 20).names == {"ends.received"}
