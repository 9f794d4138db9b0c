"""Who took the joules: one array, of which every view is a sum."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.pricing.energy import Energy
from spikewatt.energy.pricing.prices import DRIVEN_BY_MEMORY, DRIVEN_BY_PORT, GROUPS, Prices
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "CATEGORIES",
    "LEDGER_GROUPS",
    "TERMS",
    "Ledger",
    "build_ledger",
    "category_of",
    "fold_categories",
]

FloatArray = NDArray[np.float64]
LEDGER_GROUPS = (*GROUPS, "ports")
"""OpenSTA's groups of instances, and the nets that top-level ports drive."""
TERMS = ("switching", "internal", "clock_pins", "leakage")
"""``clock_pins``: internal energy that toggles of the clock network cause."""
CATEGORIES: tuple[str, ...] = ("clock", "control", "datapath", "sram", "router", "leakage")
"""``router``: all that toggles in modules that are of this category, the clock's pins among it."""
_SWITCHING, _INTERNAL, _CLOCK_PINS, _LEAKAGE = range(4)
_CLOCK, _MACRO, _PORTS = (LEDGER_GROUPS.index(name) for name in ("clock", "macro", "ports"))


@dataclass(frozen=True)
class Ledger:
    """Energy by time, module, group and term.

    Parameters
    ----------
    edges_s:
        float64[blocks + 1], s.
    modules:
        Paths of the module instances, ``""`` for the top.
    joules:
        float64[blocks, modules, groups, terms], J.
    """

    edges_s: FloatArray
    modules: tuple[str, ...]
    joules: FloatArray

    @property
    def total(self) -> float:
        """J of everything in the window."""
        return float(self.joules.sum())

    @property
    def duration_s(self) -> float:
        """Length of the window, s."""
        return float(self.edges_s[-1] - self.edges_s[0])

    def by_group(self) -> dict[str, Energy]:
        """Energy of each of OpenSTA's groups."""
        sums = self.joules.sum((0, 1))
        return {name: _energy(sums[k]) for k, name in enumerate(GROUPS)}

    def instances(self) -> Energy:
        """Energy of all instances, as OpenSTA counts: without the nets of top-level ports."""
        return _energy(self.joules[:, :, : len(GROUPS)].sum((0, 1, 2)))

    @property
    def ports(self) -> float:
        """J of the nets that top-level ports drive."""
        return float(self.joules[:, :, _PORTS].sum())

    def by_module(self) -> dict[str, float]:
        """J of each module instance."""
        return dict(zip(self.modules, self.joules.sum((0, 2, 3)).tolist(), strict=True))

    def by_category(self, category: Callable[[str], str]) -> dict[str, float]:
        """J of each of ``CATEGORIES``; ``router`` only where a module is of it.

        ``category`` says what a module is: control, datapath or router.
        """
        joules = dict(zip(CATEGORIES, self.categories(category).sum(0).tolist(), strict=True))
        if all(category(module) != "router" for module in self.modules):
            del joules["router"]
        return joules

    def categories(self, category: Callable[[str], str]) -> FloatArray:
        """float64[blocks, categories], J."""
        return fold_categories(self.joules, self.modules, category)

    def blocks(self) -> FloatArray:
        """float64[blocks], J."""
        return self.joules.sum((1, 2, 3))


def fold_categories(
    joules: FloatArray, modules: Sequence[str], category: Callable[[str], str]
) -> FloatArray:
    """float64[blocks, categories] of float64[blocks, modules, groups, terms]."""
    # Each joule has one category: leakage first, whoever leaks; then routers, all that is theirs;
    # of the rest the clock's, the memories', and what is left by the module that it is in.
    out = np.zeros((len(joules), len(CATEGORIES)))
    clock, control, datapath, sram, router, leakage = range(len(CATEGORIES))
    out[:, leakage] = joules[..., _LEAKAGE].sum((1, 2))
    kinds = [category(module) for module in modules]
    routing = np.array([kind == "router" for kind in kinds], np.bool_)
    out[:, router] = joules[:, routing, :, :_LEAKAGE].sum((1, 2, 3))
    own = joules[:, ~routing]
    out[:, clock] = own[..., _CLOCK_PINS].sum((1, 2))
    out[:, clock] += own[:, :, _CLOCK, :_CLOCK_PINS].sum((1, 2))
    out[:, sram] = own[:, :, _MACRO, :_CLOCK_PINS].sum((1, 2))
    rest = [g for g in range(len(LEDGER_GROUPS)) if g not in (_CLOCK, _MACRO)]
    for m, kind in enumerate(kinds):
        if kind != "router":
            place = datapath if kind == "datapath" else control
            out[:, place] += joules[:, m][:, rest, :_CLOCK_PINS].sum((1, 2))
    return out


def _energy(terms: FloatArray) -> Energy:
    """Energy of the ledger's terms: what clock pins take is internal, as OpenSTA counts."""
    switching, internal, clock_pins, leakage = terms.tolist()
    return Energy(switching, internal + clock_pins, leakage)


class Keys:
    """Where each net and each internal arc belongs in the ledger.

    A clock net that a port drives is the clock's, in the group of the ports; what a memory drives
    is the memory's.
    """

    def __init__(self, netlist: Netlist, prices: Prices) -> None:
        paths = {instance.module for instance in netlist.instances}
        paths |= {memory.module for memory in netlist.memories} | {""}
        self.modules = tuple(sorted(paths))
        place = {path: k for k, path in enumerate(self.modules)}
        # Keys are flat indices, so that one bincount adds up what a hundred thousand nets took.
        self.shape = (len(self.modules), len(LEDGER_GROUPS), len(TERMS))
        self.size = int(np.prod(self.shape))
        module = np.array([place[i.module] for i in netlist.instances], np.int64)
        self.memory_module = [place[memory.module] for memory in netlist.memories]
        driver, driven = prices.driver, prices.driver >= 0
        self.net = np.full(len(driver), -1, np.int64)  # what nothing drives belongs to nobody
        by = driver[driven]
        self.net[driven] = self.key(module[by], prices.group[by], _SWITCHING)
        for place_of, memory in zip(self.memory_module, netlist.memories, strict=True):
            read = [net for port in memory.ports if port.kind == "read" for net in port.data]
            # A net that a cell or a port drives as well is theirs.
            self.net[[net for net in read if driver[net] == DRIVEN_BY_MEMORY]] = self.key(
                place_of, _MACRO, _SWITCHING
            )
        ports = np.flatnonzero(driver == DRIVEN_BY_PORT)
        term = np.where(prices.clock_net[ports], _CLOCK_PINS, _SWITCHING)
        self.net[ports] = self.key(place[""], _PORTS, term)
        own = prices.internal_instance
        term = np.where(prices.clock_net[prices.internal_net], _CLOCK_PINS, _INTERNAL)
        self.internal = self.key(module[own], prices.group[own], term)
        self.leakage = np.zeros(self.size)
        np.add.at(self.leakage, self.key(module, prices.group, _LEAKAGE), prices.leakage)

    def key(self, module: object, group: object, term: object) -> NDArray[np.int64]:
        """Flat index into [modules, groups, terms]."""
        return np.asarray(
            (np.asarray(module) * self.shape[1] + np.asarray(group)) * self.shape[2]
            + np.asarray(term),
            np.int64,
        )

    def dynamic(self, prices: Prices, toggles: NDArray[np.generic]) -> FloatArray:
        """float64[blocks, modules, groups, terms] of toggles [blocks, nets]."""
        used = self.net >= 0
        out = np.zeros((len(toggles), self.size))
        for block, counts in enumerate(toggles):
            counts = counts.astype(np.float64)
            weights = counts[used] * prices.switching[used]
            out[block] = np.bincount(self.net[used], weights, self.size)
            weights = counts[prices.internal_net] * prices.internal
            out[block] += np.bincount(self.internal, weights, self.size)
        return out.reshape(-1, *self.shape)

    def memories(
        self,
        netlist: Netlist,
        sram: SramModel,
        accesses: NDArray[np.uint64],
        clock_edges: NDArray[np.uint64],
        durations: FloatArray,
    ) -> FloatArray:
        """float64[blocks, modules, groups, terms] of the SRAM macros.

        A port that its clock finds disabled takes its share of an idle cycle: linear in the counts,
        so that cycles add up.
        """
        out = np.zeros((len(durations), *self.shape))
        port = 0
        for k, memory in enumerate(netlist.memories):
            cost = sram.energies(memory.words, memory.width)
            macro = out[:, self.memory_module[k], _MACRO]
            ports = range(port, port + len(memory.ports))
            port += len(memory.ports)
            clocked = sum(each.clock is not None for each in memory.ports)
            for at, each in zip(ports, memory.ports, strict=True):
                energy = cost.read if each.kind == "read" else cost.write
                macro[:, _INTERNAL] += accesses[:, at] * energy
                if each.clock is None:  # asynchronous: no cycles, and so none that is idle
                    continue
                # A memory idles once a cycle, whatever the number of its ports.
                idle = clock_edges[:, at].astype(np.float64) - accesses[:, at]
                macro[:, _INTERNAL] += idle * (cost.idle / clocked)
            macro[:, _LEAKAGE] += cost.leakage * durations
        return out


def build_ledger(
    netlist: Netlist,
    prices: Prices,
    activity: Activity,
    toggles: NDArray[np.generic],
    sram: SramModel | None,
) -> Ledger:
    """Price the toggles and accesses of every block.

    Parameters
    ----------
    toggles:
        [blocks, nets], of any number type: the activity's own, or with the clock's made ideal.
    sram:
        Model of the memories; needed if there are any.
    """
    keys = Keys(netlist, prices)
    durations = np.diff(activity.edges_s)
    joules = keys.dynamic(prices, toggles)
    joules += (durations[:, None] * keys.leakage).reshape(-1, *keys.shape)
    if netlist.memories:
        assert sram is not None
        joules += keys.memories(netlist, sram, activity.accesses, activity.clock_edges, durations)
    return Ledger(activity.edges_s, keys.modules, joules)


def category_of(prefixes: Mapping[str, str]) -> Callable[[str], str]:
    """What a module is by the longest of ``prefixes`` (paths) that it lies in."""

    def category(module: str) -> str:
        parts = module.split(".")
        for length in range(len(parts), 0, -1):
            if (kind := prefixes.get(".".join(parts[:length]))) is not None:
                return kind
        return prefixes.get("", "control")

    return category
