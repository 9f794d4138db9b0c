"""Bundled data: whether data are there before the click that captures them.

A register of a clockless circuit is clocked by its own fire buffer. Whatever launches its data (the
click of a register before it, the clock, a grant) also launches the request that makes it fire: the
*control path*, through matched delay, mutual exclusion, fire condition and fire buffer, has to be
longer than every *data path*. Both are timed from the same event, by the same delay calculation as
the clock period (`energy.arcs`), with the slews and loads of the gates as mapped; control paths at
their shortest, data paths at their longest.
"""

from dataclasses import dataclass

from spikewatt.base.errors import ParameterError
from spikewatt.base.report import Report
from spikewatt.energy.delays.click_paths import CellDelay, ClickPaths
from spikewatt.energy.pricing.options import Wires
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Bundle", "Bundling", "BundlingReport", "CellDelay", "check_bundling"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one event launches towards one register.

    Parameters
    ----------
    register, launch:
        Fire buffer's net of the register; the net of the event, or ``clock``.
    pin:
        Where the longest data path ends.
    through:
        Delays and mutual-exclusion elements on the control path, with their number of gates.
    data_s, control_s:
        Longest data path to the pin, shortest control path to the register's clock.
    matched_s:
        Part of the control path that matched delays make up.
    slack_s:
        What the control path is longer by, setup taken off.
    """

    register: str
    launch: str
    pin: str
    through: str
    data_s: float
    control_s: float
    matched_s: float
    slack_s: float

    @property
    def needed_s(self) -> float:
        """Matched delay at which the slack would be 0."""
        return self.matched_s - self.slack_s


@dataclass(frozen=True, kw_only=True)
class BundlingReport(Report):
    """How a clockless circuit's data keep up with its clicks.

    ``slack_s`` is ``None`` where nothing is bundled; ``bundles`` are the tightest of
    ``bundles_timed``, and ``worst`` has the tightest of each kind of control path.
    """

    slack_s: float | None
    setup_s: float
    bundles_timed: int
    bundles: tuple[Bundle, ...]
    worst: dict[str, Bundle]
    unbundled: tuple[tuple[str, str], ...]
    cells: tuple[CellDelay, ...]


@dataclass(frozen=True)
class Bundling:
    """Bundles, the tightest first; events that reach a register's data but not its clock."""

    bundles: tuple[Bundle, ...]
    unbundled: tuple[tuple[str, str], ...]
    cells: tuple[CellDelay, ...]
    setup_s: float

    @property
    def slack_s(self) -> float:
        """The least; infinite where nothing is bundled."""
        return self.bundles[0].slack_s if self.bundles else float("inf")

    @property
    def holds(self) -> bool:
        """Whether every register captures what it should."""
        return self.slack_s >= 0 and not self.unbundled

    def worst(self) -> dict[str, Bundle]:
        """The tightest bundle of each kind of control path."""
        bundles: dict[str, Bundle] = {}
        for bundle in self.bundles:
            bundles.setdefault(bundle.through, bundle)
        return bundles

    def report(self, bundles: int = 10) -> BundlingReport:
        """The figures, with the first ``bundles``."""
        return BundlingReport(
            slack_s=self.slack_s if self.bundles else None,  # JSON knows no infinity
            setup_s=self.setup_s,
            bundles_timed=len(self.bundles),
            bundles=self.bundles[:bundles],
            worst=self.worst(),
            unbundled=self.unbundled,
            cells=self.cells,
        )


def check_bundling(
    netlist: Netlist,
    library: Library,
    *,
    wires: Wires | None = None,
    setup_s: float = 0.0,
    lumped: bool = False,
) -> Bundling:
    """Time the data of every register that a fire buffer clocks against its click.

    A register's own state is not timed against its own next click: a whole handshake lies between.

    Parameters
    ----------
    wires:
        Capacitance of wires; none by default.
    setup_s:
        Margin before a click, s.
    lumped:
        Take each output's slowest arc for all of its arcs, as in ``analyse``.

    Raises
    ------
    LibraryError
        The library has no delays.
    ParameterError
        A margin below 0.
    """
    if not 0 <= setup_s < float("inf"):
        raise ParameterError(f"setup_s must be 0 s or more, not {setup_s!r}")
    paths = ClickPaths(netlist, library, wires or Wires(), lumped=lumped)
    bundles: list[Bundle] = []
    unbundled: list[tuple[str, str]] = []
    for launch, data_from, control_from in paths.launches():
        ends = paths.ends(paths.latest(data_from))
        ends.pop(launch, None)  # its own state: a whole handshake lies before its next click
        if not ends:
            continue
        clicks = paths.clicks(control_from)
        for fire, (data, pin) in ends.items():
            if fire not in clicks:
                unbundled.append((paths.name(launch), paths.name(fire)))
                continue
            control, passed = clicks[fire]
            bundles.append(
                Bundle(
                    register=paths.name(fire),
                    launch=paths.name(launch),
                    pin=pin,
                    through=paths.label(launch, passed),
                    data_s=data,
                    control_s=control,
                    matched_s=paths.matched(passed),
                    slack_s=control - data - setup_s,
                )
            )
    return Bundling(
        bundles=tuple(sorted(bundles, key=lambda bundle: bundle.slack_s)),
        unbundled=tuple(sorted(set(unbundled))),
        cells=tuple(paths.cells.values()),
        setup_s=setup_s,
    )
