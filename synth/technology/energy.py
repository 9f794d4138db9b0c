"""Delay, energy and leakage of a combinational cell, from its stages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from spikewatt.synth.technology import table
from spikewatt.synth.technology.catalogue import Gate
from spikewatt.synth.technology.stages import CmosStage

__all__ = ["TAU", "Analysis", "Event", "short_circuit", "switched"]

TAU = table.FO4 / 5  # ps: an inverter that drives four and its own parasitic of one takes five

State = Mapping[str, bool]


def switched(units: float) -> float:
    """Energy (fJ) of one transition of ``units`` unit capacitances: ½·C·V²."""
    return 0.5 * units * table.UNIT_CAPACITANCE * table.VOLTAGE**2


def short_circuit(size: float, slew: float, units: float) -> float:
    """Short circuit (fJ) in a stage of ``size`` at an input slew in ps, ``units`` at its output."""
    return table.SHORT_CIRCUIT * 1e-3 * size * slew / (1 + units / (4 * size))


@dataclass(frozen=True)
class Event:
    """What one transition of a pin costs, with the other inputs at ``state``.

    ``units`` of capacitance switch inside the cell. ``stage`` drives the output that moves, if one
    does; ``slew`` (ps) is at its input, or ``None`` where the pin itself drives it. ``inner`` is
    the short circuit of the stages before, as energy and as energy per ps of the pin's slew.
    """

    units: float
    stage: CmosStage | None
    slew: float | None
    inner: float
    inner_per_slew: float

    def energy(self, slew: float, load: float) -> float:
        """Energy (fJ) at an input slew (ps) and an output load (fF)."""
        total = switched(self.units) + self.inner + self.inner_per_slew * slew
        if self.stage is not None:
            # Short circuit ends sooner at a heavy load: the output lags, and the second channel
            # sees no voltage.
            external = self.stage.parasitic + load / table.UNIT_CAPACITANCE
            at = slew if self.slew is None else self.slew
            total += short_circuit(self.stage.size, at, external)
        return total


@dataclass(frozen=True)
class Analysis:
    """A gate's stages put together."""

    gate: Gate

    @cached_property
    def _inner(self) -> dict[str, float]:
        """Capacitance of each stage's output in the cell: its own, and the stages that it feeds."""
        return {
            stage.output: stage.parasitic + self.fed(stage.output) for stage in self.gate.stages
        }

    def fed(self, node: str) -> float:
        """Unit capacitances that the cell's stages put on a pin or node."""
        return sum(s.capacitance(node) for s in self.gate.stages if node in s.inputs)

    def nodes(self, state: State) -> dict[str, bool]:
        """Every node in a state of the inputs."""
        nodes = dict(state)
        for stage in self.gate.stages:
            nodes[stage.output] = stage.value(nodes)
        return nodes

    def states(self, without: str | None = None) -> Iterator[dict[str, bool]]:
        """All states of the inputs, one of them left out."""
        names = [name for name in self.gate.inputs if name != without]
        for values in product((False, True), repeat=len(names)):
            yield dict(zip(names, values, strict=True))

    def leakage(self, state: State) -> float:
        """Leakage (nW) in a state."""
        nodes = self.nodes(state)
        return sum(stage.leakage(nodes) for stage in self.gate.stages)

    def slew_at(self, node: str) -> float:
        """Slew (ps) of a node inside the cell: twice its RC delay (ln 4 / ln 2)."""
        stage = next(s for s in self.gate.stages if s.output == node)
        return 2 * TAU * self._inner[node] / stage.size

    def events(self, pin: str, state: State) -> dict[str | None, Event]:
        """Cost of a transition of ``pin``, by the output that moves; under ``None``, if none does.

        Where several outputs move, a stage that serves both counts for the first.
        """
        low, high = (self.nodes({**state, pin: level}) for level in (False, True))
        moving = [s for s in self.gate.stages if low[s.output] != high[s.output]]
        outputs = [name for name in self.gate.outputs if low[name] != high[name]]
        owned: dict[str | None, Event] = {}
        for output in outputs or [None]:
            mine = self._cone(output, moving) if output else moving
            owned[output] = self._event(mine, output, pin)
            # A stage that two outputs share is paid once.
            moving = [stage for stage in moving if stage not in mine]
        return owned

    def _cone(self, output: str, moving: list[CmosStage]) -> list[CmosStage]:
        wanted = {output}
        for stage in reversed(self.gate.stages):
            if stage.output in wanted:
                wanted.update(stage.inputs)
        return [stage for stage in moving if stage.output in wanted]

    def _event(self, stages: list[CmosStage], output: str | None, pin: str) -> Event:
        last, slew, inner, per_slew, units = None, None, 0.0, 0.0, 0.0
        for stage in stages:
            sources = [name for name in stage.inputs if name in self._inner]
            direct = pin in stage.inputs
            # The slowest edge among the nodes that it reads.
            at = None if direct else max(self.slew_at(name) for name in sources)
            units += self._inner[stage.output]
            if stage.output == output:
                last, slew = stage, at
            elif at is None:
                per_slew += short_circuit(stage.size, 1.0, self._inner[stage.output])
            else:
                inner += short_circuit(stage.size, at, self._inner[stage.output])
        return Event(units, last, slew, inner, per_slew)

    def delay(self, pin: str, output: str, slew: float, load: float) -> tuple[float, float]:
        """Delay and output slew (ps) of the slowest path from ``pin`` to ``output``."""
        arrivals = {pin: (0.0, slew)}
        for stage in self.gate.stages:
            sources = [arrivals[name] for name in stage.inputs if name in arrivals]
            if not sources:
                continue
            units = self._inner[stage.output]
            if stage.output == output:
                units += load / table.UNIT_CAPACITANCE
            own = TAU * units / stage.size
            # The latest arrival; of equals the slower slew.
            arrivals[stage.output] = max(
                (
                    arrival + own + table.SLEW_DELAY * edge,
                    2 * own + table.FEEDTHROUGH * edge,
                )
                for arrival, edge in sources
            )
        return arrivals[output]
