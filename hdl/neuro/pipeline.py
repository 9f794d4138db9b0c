"""What the pipeline of the neurons carries from stage to stage."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data

__all__ = ["UpdateStage"]


@dataclass(frozen=True, kw_only=True)
class UpdateStage:
    """One stage of the neurons' pipeline and the group that is in it.

    Parameters
    ----------
    valid:
        There is a group.
    number, has_input:
        Which one, and whether a synapse word was added to it.
    neuron, before, kind:
        Its parameters, its state before the tick, and its type.
    window:
        What a window of its type makes of this tick, by the names of the outputs of
        `spikewatt.hdl.neuro.windows.TickWindows`; empty where windows are not built.
    """

    valid: Value
    number: Signal
    has_input: Value
    neuron: data.View
    before: data.View
    kind: data.View
    window: Mapping[str, Value]

    def follow(
        self, m: Module, name: str, prefix: str, *, when: Value, copied: bool
    ) -> "UpdateStage":
        """The stage behind this one, which takes the group over in a cycle with ``when``.

        ``name`` is that of its ``valid``, ``prefix`` begins the names of its other registers.
        Without ``copied``, memories hold what they were asked for until the group has left the
        last stage, and only the first three members are registers.
        """
        valid = Signal(name=name)
        number = Signal.like(self.number, name=f"{prefix}group")
        has_input = Signal(name=f"{prefix}has_input")
        pairs: list[tuple[Any, Any]] = [(number, self.number), (has_input, self.has_input)]

        def copy(value: Any, member: str) -> Any:
            kept = Signal.like(value, name=f"{prefix}{member}")
            pairs.append((kept, value))
            return kept

        after = replace(self, valid=valid, number=number, has_input=has_input)
        if copied:
            after = replace(
                after,
                neuron=copy(self.neuron, "neuron"),
                before=copy(self.before, "before"),
                kind=copy(self.kind, "kind"),
                window={output: copy(value, output) for output, value in self.window.items()},
            )
        with m.If(when):
            m.d.sync += valid.eq(self.valid)
            # Empty stages keep their old contents: nothing toggles where no group passes, and that
            # is energy.
            with m.If(self.valid):
                m.d.sync += [kept.eq(value) for kept, value in pairs]
        return after
