"""Energy of SRAM: per read, write and idle cycle, and leakage, from a table of CACTI 7 runs.

Access times are of the same runs. The energies are the least certain figures of the ledger:
``SramModel.factor`` scales them all, and reports sweep it. docs/sram.md says where they come from
and how far to trust them.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError

__all__ = ["NODES", "SramEnergies", "SramModel", "node_scaling"]

Cell = Literal["hp", "lstp"]
FloatArray = NDArray[np.float64]

# Supplies (V) of the CACTI runs: CACTI 7, tech_params/*.dat, row Vdd.
_SUPPLY: dict[Cell, dict[int, float]] = {
    "hp": {90: 1.2, 65: 1.1, 45: 1.0, 32: 0.9, 22: 0.8},
    "lstp": {90: 1.3, 65: 1.2, 45: 1.1, 32: 1.0, 22: 0.8},
}
# Nodes without a run: the node whose runs are scaled, and the usual supply (V) of the node's core.
_SCALED = {180: (90, 1.8), 130: (90, 1.2), 16: (22, 0.8)}
NODES = tuple(sorted({*_SUPPLY["hp"], *_SCALED}, reverse=True))
"""Nodes (nm) that the model covers."""

# Coefficients a2, a1, a0 of E(V) = a2 V² + a1 V + a0: Stillmaker & Baas, Integration 58 (2017),
# 74-81, the energy table; from 45 nm on the high-performance (HP) rows. 22 nm is their 20 nm.
_POLYNOMIALS = {
    180: (0.0, 24.64, -17.98),
    130: (7.171, -6.709, 2.904),
    90: (4.762, -4.781, 2.092),
    65: (3.755, -4.398, 1.975),
    45: (1.018, -0.3107, 0.1539),
    32: (0.8367, -0.4341, 0.1701),
    22: (0.373, -0.1582, 0.04104),
    16: (0.2958, -0.1241, 0.03024),
}
_WIDTH = 32  # bits of the port in the table
# Part of an access that does not grow with the word's width. CACTI's own runs at 8 bits give 0.11,
# at 16 bits 0.08 in the median over nodes, cells and sizes (docs/sram.md).
_SHARED = 0.1
# Idle cycle over read: the clock pin of IHP's SG13G2 512x32 macro takes 0.32 to 1.22 pJ a cycle
# when deselected and 36.0 pJ for a read: 0.9 to 3.4 % (IHP-Open-PDK, sg13g2_sram, typ_1p20V_25C).
_IDLE = 0.03


def node_scaling(node: int, voltage: float, to_node: int, to_voltage: float) -> float:
    """Energy of the same circuit at ``to_node`` (nm) and ``to_voltage`` (V) over that at the first.

    Stillmaker & Baas, Integration 58 (2017), 74-81: a polynomial of the voltage for each node.

    Raises
    ------
    ParameterError
        A node without coefficients.
    """
    for given in (node, to_node):
        if given not in _POLYNOMIALS:
            raise ParameterError(f"node must be one of {_listed(_POLYNOMIALS)} nm, not {given!r}")
    return float(
        np.polyval(_POLYNOMIALS[to_node], to_voltage) / np.polyval(_POLYNOMIALS[node], voltage)
    )


@dataclass(frozen=True, slots=True)
class SramEnergies:
    """A memory's cost: ``read``, ``write``, ``idle`` in J per clock cycle, ``leakage`` in W.

    ``idle`` is a cycle in which the clock runs and no port is enabled.
    """

    read: float
    write: float
    idle: float
    leakage: float


@dataclass(frozen=True)
class SramModel:
    """SRAM of one technology.

    Parameters
    ----------
    node_nm:
        One of ``NODES``.
    voltage:
        Supply (V), 0.5 to 1.3 times that of the node's runs, which ``None`` stands for. Energy of
        an access goes with its square (every node of CACTI's array swings in proportion), leakage
        with its first power (the currents are held).
    cell:
        ITRS transistors of cells and periphery: ``lstp`` (low standby power) or ``hp`` (high
        performance: the same energy per access within a quarter, and 10³ to 10⁵ times the leakage).
    factor:
        Multiplies all energy and leakage.

    Raises
    ------
    ParameterError
        A parameter out of its range.
    """

    node_nm: int = 45
    voltage: float | None = None
    cell: Cell = "lstp"
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.node_nm not in NODES:
            raise ParameterError(f"node_nm must be one of {_listed(NODES)}, not {self.node_nm!r}")
        if self.cell not in _SUPPLY:
            raise ParameterError(f"cell must be 'hp' or 'lstp', not {self.cell!r}")
        if not 0 < self.factor < float("inf"):
            raise ParameterError(f"factor must be above 0 and finite, not {self.factor!r}")
        low, high = 0.5 * self.nominal_voltage, 1.3 * self.nominal_voltage
        if self.voltage is not None and not low <= self.voltage <= high:
            raise ParameterError(
                f"voltage must be {low:.2f} to {high:.2f} V at {self.node_nm} nm "
                f"({self.cell}), not {self.voltage!r}"
            )

    @property
    def nominal_voltage(self) -> float:
        """Supply (V) that the node's figures are for, before ``voltage`` scales them."""
        if self.node_nm in _SCALED:
            return _SCALED[self.node_nm][1]
        return _SUPPLY[self.cell][self.node_nm]

    def energies(self, words: int, width: int) -> SramEnergies:
        """Cost of a memory of ``words`` words of ``width`` bits with one port.

        By words, the table's 32-bit memories: linear in the logarithms of both; above 16 384 words
        at the mean slope of the last three octaves. Below 32 words accesses are linear in the
        words, so that what each costs whatever the size (decoder, sense amplifiers, output drivers)
        stays, and leakage is in proportion.
        By width at the same words: ``0.1 + 0.9 width / 32`` for accesses (columns beside each
        other, one decoder) and ``width / 32`` for leakage.

        Raises
        ------
        ParameterError
            ``words`` or ``width`` below 1.
        """
        _check_size(words, width)
        read, write, leakage = self._at_32_bits(words)
        swing = 1.0 if self.voltage is None else self.voltage / self.nominal_voltage
        access = self.factor * swing**2 * (_SHARED + (1 - _SHARED) * width / _WIDTH)
        return SramEnergies(
            read=read * access,
            write=write * access,
            idle=_IDLE * read * access,
            leakage=leakage * self.factor * swing * width / _WIDTH,
        )

    def access_s(self, words: int, width: int) -> float:
        """Time (s) from the clock's edge to the read data of such a memory, at the node's supply.

        By words as ``energies``, and that of 32 words below; the width and ``voltage`` do not
        change it (docs/energy.md). A node without runs takes that of the node that is scaled, in
        proportion to the feature size: constant-field scaling (Dennard et al. 1974).

        Raises
        ------
        ParameterError
            ``words`` or ``width`` below 1.
        """
        _check_size(words, width)
        base = _SCALED.get(self.node_nm, (self.node_nm, 0.0))[0]
        sizes, *_, access = _table(base, self.cell)
        scale = self.node_nm / base
        return _over_words(words, sizes, access) * scale

    def _at_32_bits(self, words: int) -> tuple[float, float, float]:
        """Read (J), write (J) and leakage (W) at the node's own supply."""
        base = _SCALED.get(self.node_nm, (self.node_nm, 0.0))[0]
        sizes, *columns, _ = _table(base, self.cell)
        read, write, leakage = (_over_words(max(words, float(sizes[0])), sizes, y) for y in columns)
        if words < sizes[0]:
            read, write = (_line(words, sizes, column) for column in columns[:2])
            leakage *= words / float(sizes[0])
        if base == self.node_nm:
            return read, write, leakage
        supply = _SUPPLY[self.cell][base]
        scale = node_scaling(base, supply, self.node_nm, self.nominal_voltage)
        # Nothing published scales leakage: the currents of the base node are kept.
        return read * scale, write * scale, leakage * self.nominal_voltage / supply


def _check_size(words: int, width: int) -> None:
    for name, value in (("words", words), ("width", width)):
        if value < 1:
            raise ParameterError(f"{name} must be 1 or more, not {value!r}")


def _line(words: int, sizes: FloatArray, values: FloatArray) -> float:
    """Value on the line through the two smallest memories."""
    slope = (values[1] - values[0]) / (sizes[1] - sizes[0])
    return float(values[0] - slope * (sizes[0] - words))


def _over_words(words: float, table_words: FloatArray, values: FloatArray) -> float:
    # `interp` stays at the last value beyond the table; `beyond` goes on at the slope of its end.
    x, y = np.log(table_words), np.log(values)
    beyond = max(np.log(words) - x[-1], 0.0) * (y[-1] - y[-4]) / (x[-1] - x[-4])
    return float(np.exp(np.interp(np.log(words), x, y) + beyond))


@lru_cache
def _table(node: int, cell: Cell) -> tuple[FloatArray, ...]:
    """Words of 32 bits, ascending, and for each: read, write (J), leakage (W), access (s)."""
    file = resources.files("spikewatt.energy").joinpath("data", "cacti7_sram.csv")
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    rows = [
        (
            int(row["size_bytes"]) * 8 / _WIDTH,
            float(row["read_pJ"]) * 1e-12,
            float(row["write_pJ"]) * 1e-12,
            (float(row["leak_mW"]) + float(row["gate_leak_mW"])) * 1e-3,
            float(row["access_ns"]) * 1e-9,
        )
        for row in csv.DictReader(lines)
        if row["node_nm"] == str(node) and row["cell"] == f"itrs-{cell}"
    ]
    return tuple(np.array(sorted(rows)).T)


def _listed(nodes: tuple[int, ...] | dict[int, tuple[float, float, float]]) -> str:
    return ", ".join(str(node) for node in nodes)
