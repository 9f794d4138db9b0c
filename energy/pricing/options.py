"""Under which conditions activity is priced."""

from dataclasses import dataclass

from spikewatt.base.errors import ParameterError
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.library import Library

__all__ = ["DEFAULT", "NO_WIRES", "Clock", "PricingOptions", "Wires", "sram_for"]


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
    voltage:
        V, for switching; the library's by default. Tables and leakage stay the library's.
    wires:
        Capacitance of wires; none by default.
    """

    clock: Clock | None = None
    sram: SramModel | None = None
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
    volts = library.voltage
    if node_nm is None:
        # Usual supplies: 1.8 V at 180 nm, 1.3 V at 130, 1.2 V at 65, and less from 45 on.
        guesses = ((1.5, 180), (1.25, 130), (1.15, 65), (0.0, 45))
        node_nm = next(node for least, node in guesses if volts >= least)
    return SramModel(node_nm=node_nm, voltage=volts, factor=factor)
