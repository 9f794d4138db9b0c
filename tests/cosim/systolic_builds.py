"""Systolic cores that the tests build, and networks for them."""

import zlib
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.systolic.program import SystolicProgram, fit_systolic
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.params.systolic import Loading, Rounding, SystolicParams
from tests.model.quantised_networks import NetworkKind, random_inputs, random_network

__all__ = [
    "BUILDS",
    "LONG_BUILDS",
    "OPTIONS",
    "Build",
    "SystolicCase",
    "cases",
    "pairs_of_options",
]

IntArray = NDArray[np.int64]
ROWS, SHIFT = Loading
FLOOR, HALF_UP, HALF_EVEN = Rounding


@dataclass(frozen=True, kw_only=True)
class Build:
    """Options of a core, and what its networks may use; its sizes follow from the networks."""

    options: dict[str, Any]
    kind: NetworkKind
    batch: int
    networks: int = 12


@dataclass(frozen=True, kw_only=True)
class SystolicCase:
    """A network on its build's core, and batches of inputs int64[n, inputs]."""

    name: str
    program: SystolicProgram
    batches: list[IntArray]


def _build(
    shape: str,
    loading: Loading,
    flags: str,
    bits: tuple[int, int],
    *,
    batch: int = 6,
    networks: int = 12,
    widest: int = 22,
    **kind: Any,
) -> Build:
    """``shape``: rows x columns / tile; ``flags``: a letter for each option that is on."""
    whole, _, tile = shape.partition("/")
    names = ("rows", "columns", "tile_rows", "tile_columns")
    sizes = (*whole.split("x"), *(tile or "1x1").split("x"))
    options = dict(zip(names, map(int, sizes), strict=True))
    assert set(flags) <= set(OPTIONS)
    options |= {name: letter in flags for letter, name in OPTIONS.items()}
    wanted = NetworkKind(activation_bits=bits[0], weight_bits=bits[1], widest=widest, **kind)
    return Build(
        options={"loading": loading, **options}, kind=wanted, batch=batch, networks=networks
    )


OPTIONS = {
    "d": "double_buffer",
    "a": "isolate_activations",
    "w": "isolate_weights",
    "i": "gate_idle",
    "c": "clock_gating",
}
_PLAIN = {"biases": False, "shifts": (9,), "roundings": (HALF_UP,)}
_FEW = {"shifts": (0, 5, 11), "roundings": (HALF_EVEN, FLOOR)}
_ALL = {"shifts": (13, 2, 7, 1), "roundings": (FLOOR, HALF_UP, HALF_EVEN)}

BUILDS = {
    "one element": _build("1x1", ROWS, "", (1, 2), widest=7, batch=3, **_ALL),
    "plain": _build("2x3", SHIFT, "", (4, 4), **_PLAIN),
    "tall": _build("5x2", ROWS, "dac", (3, 5), **_ALL),
    "tall, of tiles": _build("6x2/3x2", SHIFT, "dwi", (8, 8), **_FEW),
    "tall, one column": _build("4x1/2x1", ROWS, "aic", (2, 3), **_FEW, layers=3),
    "wide": _build("3x7", ROWS, "dwc", (5, 6), widest=30, **_FEW),
    "wide, one row": _build("1x4/1x2", SHIFT, "dwi", (7, 2), **_ALL),
    "square, everything": _build("4x4/2x2", ROWS, "dawic", (6, 7), batch=9, **_ALL),
}
"""Small cores, in every run of the tests."""

LONG_BUILDS = {
    "all of it": _build("8x8", ROWS, "dawic", (8, 8), widest=50, batch=16, **_ALL),
    "shifted": _build("8x8/2x4", SHIFT, "dc", (4, 8), widest=50, **_PLAIN),
    "one tile": _build("5x3/5x3", ROWS, "wi", (6, 3), **_FEW),
    "one tile, shifted": _build("3x5/3x5", SHIFT, "da", (2, 8), **_ALL),
    "one column of eight": _build("8x1", ROWS, "dac", (1, 8), **_ALL),
    "eight columns": _build("1x8", ROWS, "i", (8, 4), **_FEW),
    "twelve rows": _build("12x5/4x1", ROWS, "di", (4, 4), widest=60, **_ALL),
    "five rows of twelve": _build("5x12/1x3", ROWS, "aw", (3, 3), widest=60, **_ALL),
    "seven by seven": _build("7x7/7x1", SHIFT, "awic", (5, 5), widest=40, **_FEW),
    "seven by five": _build("7x5/1x5", ROWS, "di", (7, 7), widest=40, batch=1, **_ALL),
    "sixteen by three": _build("16x3/4x3", ROWS, "ac", (4, 2), widest=70, **_ALL),
    "shifted, tall": _build("9x4/3x4", SHIFT, "i", (8, 6), widest=40, **_ALL),
    "many layers": _build("2x2", ROWS, "dic", (3, 4), layers=9, widest=9, **_ALL),
    "large batches": _build("3x2", SHIFT, "dic", (2, 4), widest=9, batch=65, **_PLAIN),
}
"""Larger ones, and more of every kind."""


def _networks(name: str, build: Build) -> list[QuantisedNetwork]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return [random_network(rng, build.kind, f"{name}, network {k}") for k in range(build.networks)]


def _enough(cores: list[SystolicParams], build: Build) -> SystolicParams:
    """The smallest core with room for all that each of these has room for."""
    sizes = [
        *("activation_bits", "weight_bits", "accumulator_bits", "bias_bits", "multiplier_bits"),
        *("layers", "weight_words", "bias_words", "activation_rows", "accumulator_rows", "batch"),
    ]
    assert set(sizes) <= {field.name for field in fields(SystolicParams)}
    largest = {name: max(getattr(core, name) for core in cores) for name in sizes}
    return SystolicParams(
        **largest, shifts=build.kind.shifts, roundings=build.kind.roundings, **build.options
    )


@lru_cache(maxsize=64)
def cases(name: str) -> list[SystolicCase]:
    """The cases of a build, the same in every run; all of them fit one core."""
    build = (BUILDS | LONG_BUILDS)[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), 1])
    networks = _networks(name, build)
    params = _enough(
        [fit_systolic(network, batch=build.batch, **build.options) for network in networks], build
    )
    drawn = []
    for network, whole in zip(networks, np.resize([True, False], len(networks)), strict=True):
        batch = build.batch if whole else int(rng.integers(1, build.batch + 1))
        counts = [batch, 1, int(rng.integers(1, batch + 1))]
        drawn.append(
            SystolicCase(
                name=network.name,
                program=SystolicProgram(params, network, batch),
                batches=[random_inputs(rng, network, count) for count in counts],
            )
        )
    return drawn


def pairs_of_options(builds: dict[str, Build]) -> set[tuple[tuple[str, Any], tuple[str, Any]]]:
    """Every two settings of options that occur together."""
    names = ("loading", *OPTIONS.values())
    found = set()
    for build in builds.values():
        set_to = [(name, build.options[name]) for name in names]
        found |= {(a, b) for a, b in product(set_to, set_to) if a[0] < b[0]}
    return found
