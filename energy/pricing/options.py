"""Under which conditions activity is priced."""

from dataclasses import dataclass, replace

from spikewatt.base.errors import ParameterError
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.library import Library

__all__ = ["DEFAULT", "NO_WIRES", "Clock", "PricingOptions", "Wires", "sram_for", "with_sram"]

_BUILT_IN = "spikewatt45"


@dataclass(frozen=True, slots=True)
class Clock:
    """An ideal clock: its port, and its period in s. It toggles twice a period, by definition."""

    port: str
    period_s: float


@dataclass(frozen=True)
class Wires:
    """Capacitance of wires, which a netlist without a layout does not have.

    Parameters
    ----------
    per_sink:
        F for each pin that a net drives; in the clock network ``clock_per_sink``.

    Raises
    ------
    ParameterError
        A capacitance below 0 or not finite.
    """

    per_sink: float = 0.0
    clock_per_sink: float = 0.0

    def __post_init__(self) -> None:
        for farad in (self.per_sink, self.clock_per_sink):
            if not 0 <= farad < float("inf"):
                raise ParameterError(f"wire capacitance must be 0 F or more, not {farad!r}")


NO_WIRES = Wires()


@dataclass(frozen=True, kw_only=True)
class PricingOptions:
    """Under which conditions activity is priced.

    Parameters
    ----------
    clock:
        The ideal clock; without one the waveform's own toggles count.
    sram:
        Model of the memories; by default that of the library's supply.
    sram_reason:
        Why the memories are taken to be of their node, where nobody said so.
    voltage:
        V, for switching; the library's by default. Tables and leakage stay the library's.
    wires:
        Capacitance of wires; none by default.
    """

    clock: Clock | None = None
    sram: SramModel | None = None
    sram_reason: str = ""
    voltage: float | None = None
    wires: Wires = NO_WIRES


DEFAULT = PricingOptions()


def sram_for(library: Library, node_nm: int | None = None, factor: float = 1.0) -> SramModel:
    """SRAM of the library's node and supply.

    The node is guessed from the supply where it is not given: Liberty files do not tell it.

    Raises
    ------
    ParameterError
        The supply does not fit the node.
    """
    node_nm = _node(library) if node_nm is None else node_nm
    return SramModel(node_nm=node_nm, voltage=library.voltage, factor=factor)


def with_sram(
    options: PricingOptions, library: Library, node_nm: int | None = None, factor: float = 1.0
) -> PricingOptions:
    """The options with a model of the memories, and with the reason if its node was guessed."""
    if options.sram is not None:
        return options
    reason = ""
    if node_nm is None and library.name != _BUILT_IN:  # whose node is known
        reason = (
            f"memories are priced as SRAM of {_node(library)} nm, for the library's supply is "
            f"{library.voltage:g} V and nothing tells its node: name it with --sram-node"
        )
    return replace(options, sram=sram_for(library, node_nm, factor), sram_reason=reason)


def _node(library: Library) -> int:
    # Usual supplies: 1.8 V at 180 nm, 1.3 V at 130, 1.2 V at 65, and less from 45 on.
    guesses = ((1.5, 180), (1.25, 130), (1.15, 65), (0.0, 45))
    return next(node for least, node in guesses if library.voltage >= least)
