"""Every Click element, side by side in one design, and what each is to do with its tokens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spikewatt.cosim.simulate import Simulator
from spikewatt.hdl.router.click import Demux, Fork, Join, Merge, Stage
from spikewatt.model.params import Delays
from spikewatt.synth.click import simulation_cells
from spikewatt.synth.verilog import export

__all__ = ["DELAYS", "ELEMENTS", "WIDTH", "Element", "verilog"]

WIDTH = 16
# Of the tests alone: faults are sized by them, whatever the defaults are.
DELAYS = Delays(fire=150, link=250, route=500, mutex=80)
Streams = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Element:
    """An element's links, and tokens out for tokens in; by whom a merged token came is its top bit.

    ``late``: the lateness of data that its matched delays have to cover, ps.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    expected: Callable[[Streams], Streams]
    late: int = DELAYS.link


def _squeezed(word: int) -> int:
    return (5 * word + 3) % 2**WIDTH


def _picked(words: Sequence[int], output: int) -> list[int]:
    return [(word + 1) % 2**WIDTH for word in words if word % 3 == output]


ELEMENTS: Mapping[str, Element] = {
    "stage": Element(("i",), ("o",), lambda s: {"o": s["i"]}),
    "logic": Element(("i",), ("o",), lambda s: {"o": [_squeezed(w) for w in s["i"]]}, DELAYS.route),
    "fork": Element(("i",), ("a", "b"), lambda s: {"a": s["i"], "b": s["i"]}),
    "join": Element(
        ("a", "b"),
        ("o",),
        lambda s: {"o": [a | b << WIDTH for a, b in zip(s["a"], s["b"], strict=True)]},
    ),
    "merge": Element(("a", "b"), ("o",), lambda s: {"o": [*s["a"], *s["b"]]}),
    "demux": Element(
        ("i",),
        ("o__0", "o__1", "o__2"),
        lambda s: {f"o__{n}": _picked(s["i"], n) for n in range(3)},
        DELAYS.route,
    ),
}


def _route(word: Any) -> tuple[list[Any], Any]:
    return [word % 3 == n for n in range(3)], (word + 1)[:WIDTH]


class _Elements(wiring.Component):
    """One of each; member ``merge_a`` is member ``a`` of the merge."""

    rst: Signal

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {
            "stage": Stage(WIDTH, DELAYS),
            "logic": Stage(WIDTH, DELAYS, logic=lambda word: (5 * word + 3)[:WIDTH]),
            "fork": Fork(WIDTH, DELAYS),
            "join": Join(WIDTH, WIDTH, DELAYS),
            "merge": Merge(WIDTH, DELAYS),
            "demux": Demux(WIDTH, 3, _route, DELAYS),
        }
        members: dict[str, Any] = {"rst": In(1)}
        for name, part in self._parts.items():
            for member, shape in part.signature.members.items():
                if member != "rst":
                    members[f"{name}_{member}"] = shape
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, part in self._parts.items():
            m.submodules[name] = part
            m.d.comb += part.rst.eq(self.rst)
            for member in part.signature.members:
                if member != "rst":
                    outer, inner = getattr(self, f"{name}_{member}"), getattr(part, member)
                    pairs = (
                        zip(outer, inner, strict=True)
                        if member == "o" and name == "demux"
                        else [(outer, inner)]
                    )
                    for one, other in pairs:
                        wiring.connect(m, wiring.flipped(one), other)
        return m


@lru_cache
def verilog(simulator: Simulator) -> str:
    """Module ``elements`` with the models of its cells."""
    dialect = "assigns" if simulator == "icarus" else "blocks"
    return simulation_cells() + export(_Elements(), "elements", dialect=dialect)
