"""Activity of nets that nothing tells, from the probabilities of those that drive them.

OpenSTA's way (power/Power.cc): the inputs of a cell are taken as independent of one another. Then
its output is 1 as often as its truth table says, and toggles with each input as often as the table
depends on it: Najm, IEEE Trans. CAD 12 (1993) 310-323.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.library import Cell, Library
from spikewatt.synth.netlist.netlist import Instance, Netlist

__all__ = ["Propagated", "propagate"]

_MOST_INPUTS = 12
"""Of a cell whose truth table is gone through."""
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Propagated:
    """What was found.

    Parameters
    ----------
    nets:
        Those that follow from what is told.
    untold:
        Those of the rest that a simulation of the RTL would show: inputs, outputs of flip-flops and
        of cells without a function.
    """

    nets: Sequence[int]
    untold: Sequence[int]


@dataclass(frozen=True)
class _Driver:
    instance: Instance
    cell: Cell
    pin: str


@dataclass
class _Propagation:
    """Toggles and duty of each net, filled in from its drivers; ``told`` says which are known."""

    toggles: FloatArray
    duty: FloatArray
    told: NDArray[np.bool_]
    drivers: Mapping[int, _Driver]
    open: set[int] = field(default_factory=set)
    """Nets that wait for one of their inputs: one that is met again is in a loop."""
    closed: set[int] = field(default_factory=set)
    """Nets of which it is clear that they do not follow."""

    def forward(self, net: int) -> None:
        """Find a net's activity, and before it that of all that it depends on."""
        stack = [net]
        while stack:
            here = stack[-1]
            driver = self.drivers.get(here)
            if self.told[here] or driver is None or here in self.closed:
                self.open.discard(here)
                stack.pop()
                continue
            needed = [i for i in _sources(driver) if not self.told[i]]
            if here not in self.open:
                self.open.add(here)
                stack += [i for i in needed if i not in self.open]
                continue
            self.open.discard(here)
            stack.pop()
            if needed:
                self.closed.add(here)
            else:
                self._evaluate(here, driver)

    def _evaluate(self, net: int, driver: _Driver) -> None:
        instance, cell = driver.instance, driver.cell
        if gate := _clock_gate(driver):
            clock, enable = (instance.pins.get(pin, 0) for pin in gate)
            self.toggles[net] = (
                self.toggles[clock] * self.duty[enable] + self.toggles[enable] * self.duty[clock]
            )
            self.duty[net] = self.duty[clock] * self.duty[enable]
        else:
            function = cell.pins[driver.pin].function
            assert function is not None
            self.toggles[net], self.duty[net] = self._function(function, instance)
        self.told[net] = True

    def _function(self, function: Function, instance: Instance) -> tuple[float, float]:
        table, inputs = _table(function)
        nets = [instance.pins.get(pin, 0) for pin in inputs]
        duty = float(_mean(table, self.duty[nets]))
        toggles = 0.0
        for k, net in enumerate(nets):
            depends = np.take(table, 0, k) ^ np.take(table, 1, k)
            toggles += self.toggles[net] * float(_mean(depends, np.delete(self.duty[nets], k)))
        return toggles, duty

    def backward(self) -> None:
        """Take the inputs of inverters and buffers, and complements, from what is told."""
        queue = [net for net in self.drivers if self.told[net]]
        while queue:
            net = queue.pop()
            driver = self.drivers.get(net)
            for other, inverted in () if driver is None else _twins(driver):
                if not self.told[other]:
                    self.toggles[other] = self.toggles[net]
                    self.duty[other] = 1 - self.duty[net] if inverted else self.duty[net]
                    self.told[other] = True
                    queue.append(other)


def _mean(table: NDArray[np.bool_], duties: FloatArray) -> FloatArray:
    """How often a function of independent inputs is 1: bool[2, …, 2] by their duties."""
    mean = table.astype(np.float64)
    for duty in duties:
        mean = mean[0] * (1 - duty) + mean[1] * duty
    return mean


@lru_cache(maxsize=1 << 12)
def _table(function: Function) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Truth table bool[2, …, 2] over the inputs."""
    inputs = function.inputs
    bits, size = function.truth(inputs), 1 << len(inputs)
    flat = np.array([bits >> k & 1 for k in range(size)], np.bool_)
    # The first input is the lowest bit of the place, and so the last axis.
    return flat.reshape((2,) * len(inputs)).transpose(), inputs


def _clock_gate(driver: _Driver) -> tuple[str, str] | None:
    """Clock and enable of an integrated clock gate of which the net is the gated clock."""
    pins = driver.cell.pins
    if driver.cell.clock_gate is None or pins[driver.pin].gating not in ("out", None):
        return None
    roles = {pin.gating: name for name, pin in pins.items() if pin.gating is not None}
    if "clock" not in roles or "enable" not in roles:
        return None
    return roles["clock"], roles["enable"]


def _sources(driver: _Driver) -> list[int]:
    """Nets that a net's activity is made of."""
    if gate := _clock_gate(driver):
        return [driver.instance.pins.get(pin, 0) for pin in gate]
    function = driver.cell.pins[driver.pin].function
    assert function is not None
    return [driver.instance.pins.get(pin, 0) for pin in function.inputs]


def _twins(driver: _Driver) -> list[tuple[int, bool]]:
    """Nets that are a net's copy or complement by its own cell: its input, or its other output."""
    pins, cell = driver.instance.pins, driver.cell
    function = cell.pins[driver.pin].function
    if function is None:
        return []
    if len(function.inputs) == 1 and function.inputs[0] in pins:
        table, _ = _table(function)
        return [(pins[function.inputs[0]], bool(table[0]))] if table[0] != table[1] else []
    return []


def _complements(instance: Instance, cell: Cell) -> list[tuple[int, int]]:
    """Pairs of nets of which each is the complement of the other: both outputs of a state."""
    pairs = []
    for state in cell.states:
        shown: dict[bool, list[int]] = {False: [], True: []}
        for name, net in instance.pins.items():
            function = cell.pins[name].function
            if function is None:
                continue
            if function.tree == ("pin", state.state):
                shown[False].append(net)
            elif function.tree in (("pin", state.inverted), ("not", ("pin", state.state))):
                shown[True].append(net)
        pairs += [(a, b) for a in shown[False] for b in shown[True]]
    return pairs


def propagate(
    netlist: Netlist,
    library: Library,
    toggles: FloatArray,
    duty: FloatArray,
    told: NDArray[np.bool_],
) -> Propagated:
    """Fill in the toggles and duties of nets that follow from those that are told.

    Parameters
    ----------
    toggles, duty, told:
        float64[nets], float64[nets], bool[nets]: changed in place.
    """
    drivers: dict[int, _Driver] = {}
    states: dict[int, Instance] = {}
    pairs: list[tuple[int, int]] = []
    others: list[int] = []
    for instance in netlist.instances:
        cell = library.cells[instance.type]
        names = {name for state in cell.states for name in (state.state, state.inverted)}
        pairs += _complements(instance, cell)
        for name, net in instance.pins.items():
            pin = cell.pins[name]
            if pin.direction not in ("output", "inout"):
                continue
            driver = _Driver(instance, cell, name)
            if _clock_gate(driver):
                drivers[net] = driver
            elif pin.function is None or pin.three_state is not None or net in drivers:
                others.append(net)
            elif names & set(pin.function.inputs):
                states[net] = instance
            elif len(pin.function.inputs) <= _MOST_INPUTS:
                drivers[net] = driver
            else:
                others.append(net)
    told[:2], duty[:2] = True, (0, 1)
    before = told.copy()
    work = _Propagation(toggles, duty, told, drivers)
    work.backward()
    for a, b in pairs:
        for one, other in ((a, b), (b, a)):
            if told[one] and not told[other]:
                toggles[other], duty[other], told[other] = toggles[one], 1 - duty[one], True
    for net in drivers:
        work.forward(net)
    inputs = [n for port in netlist.ports.values() if port.direction != "output" for n in port.nets]
    used = {net for instance in netlist.instances for net in instance.pins.values()}
    wanted = dict.fromkeys((*(net for net in inputs if net in used), *states, *others))
    return Propagated(
        nets=np.flatnonzero(told & ~before).tolist(),
        untold=[net for net in wanted if not told[net]],
    )
