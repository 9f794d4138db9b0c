"""Counts: how often what happened in which module, for whom; what estimators of energy need.

A ledger says what a run cost; counts say what it did, in words that every model of energy knows:
reads and writes of a memory, additions, updates of a neuron, events, hops of a packet.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from spikewatt.base.report import Report

__all__ = ["Count", "Counts", "What"]

What = Literal["read", "write", "add", "multiply", "update", "event", "hop"]


@dataclass(frozen=True)
class Count:
    """How often one thing happened.

    Parameters
    ----------
    module:
        Where: a memory or a part of the datapath, by its name in the hardware.
    what:
        A ``read`` or ``write`` of a word, an ``add`` or ``multiply``, an ``update`` of a neuron,
        an ``event`` that arrives, a ``hop`` of a packet through a router.
    count:
        How often, over all samples.
    layer:
        Population or layer that it is done for; empty where it is done for all.
    """

    module: str
    what: What
    count: int
    layer: str = ""


@dataclass(frozen=True)
class Counts(Report):
    """All counts of a run of so many samples.

    Parameters
    ----------
    images:
        Samples.
    rows:
        A row for each module, thing and layer that is told apart.
    """

    images: int
    rows: tuple[Count, ...]

    def total(
        self, what: What | None = None, module: str | None = None, layer: str | None = None
    ) -> int:
        """Sum of the rows that match; ``None`` matches all."""
        return sum(
            row.count
            for row in self.rows
            if what in (None, row.what)
            and module in (None, row.module)
            and layer in (None, row.layer)
        )

    def by(self, name: Literal["module", "what", "layer"]) -> dict[str, int]:
        """Sums of the rows by one of their names."""
        sums: dict[str, int] = {}
        for row in self.rows:
            key = getattr(row, name)
            sums[key] = sums.get(key, 0) + row.count
        return sums

    @classmethod
    def of(cls, images: int, rows: Iterable[Count]) -> "Counts":
        """Counts of rows, without those in which nothing happened."""
        return cls(images, tuple(row for row in rows if row.count))
