"""What a run says: figures, JSON and the table in the terminal."""

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from spikewatt.base.html import html_table
from spikewatt.base.report import Report
from spikewatt.base.units import si
from spikewatt.flow.compare.figures import ComparisonReport
from spikewatt.targets.figures import MeshEnergy, RunEnergy

__all__ = ["Accuracy", "RunReport", "SpikeRate", "Spikes"]


_Fraction = float | None


class Accuracy(TypedDict):
    """Fractions of the samples; ``None`` where classes are not known."""

    float: _Fraction
    quantised: _Fraction
    rtl: _Fraction


class Spikes(TypedDict):
    """Totals over all images; ``hidden`` has all populations but the readout, drain ticks too."""

    input: int
    hidden: int
    all: int


class SpikeRate(TypedDict):
    """Spikes by neurons and timesteps of the encoder."""

    input: float
    hidden: float
    all: float


@dataclass(frozen=True, kw_only=True, repr=False)
class RunReport(Report):
    """Figures of one run.

    ``ticks``, ``cycles``, ``spikes``, ``synaptic_ops``, ``synapse_words`` and ``merges`` are totals
    over all images; cycles include clearing the state before each image and exclude configuration.
    On a mesh ``core`` is that of every tile, ``packets`` are the spikes that entered the network,
    the host's among them, ``hops`` the routers that they passed, and ``barrier_cycles`` those in
    which every tile was idle and the barrier added up; ``None`` on one core. ``seconds`` is the
    whole run, ``rtl_cycles_per_second`` the simulation alone. ``energy`` is what the priced images
    took; ``comparison`` holds the comparisons that were made beside.
    """

    schema: Literal["spikewatt.run/1"] = "spikewatt.run/1"
    network: str
    simulator: str
    images: int
    ticks: int
    bit_exact: bool
    difference: str | None
    accuracy: Accuracy
    spikes: Spikes
    spike_rate: SpikeRate
    synaptic_ops: int
    synapse_words: int
    merges: int
    cycles: int
    cycles_per_image: float
    sop_per_cycle: float
    rtl_cycles_per_second: float
    seconds: float
    core: dict[str, int]
    mesh: str | None = None
    router: str | None = None
    packets: int | None = None
    hops: int | None = None
    barrier_cycles: int | None = None
    waveform: str | None = None
    energy: RunEnergy | None = None
    comparison: dict[str, ComparisonReport] | None = None
    predictions: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        verdict = "bit-exact" if self.bit_exact else f"differs: {self.difference}"
        joules = "" if self.energy is None else f", {si(self.energy['per_image_j'], 'J')} an image"
        return f"<RunReport of {self.network!r}: {self.images} images, {verdict}{joules}>"

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())

    def _title(self) -> str:
        where = "the neuromorphic core" if self.mesh is None else "a mesh of neuromorphic cores"
        return f"{self.network} on {where}"

    def table(self) -> Table:
        """The report for people."""
        title = Text(self._title(), style="italic")
        table = Table(title=title, title_justify="left", box=SIMPLE, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value in self._rows():
            table.add_row(name, Text(value))
        return table

    def _rows(self) -> list[tuple[str, str]]:
        def percent(value: float | None) -> str:
            return "–" if value is None else f"{100 * value:.2f} %"

        verdict = "yes, every tick" if self.bit_exact else f"NO: {self.difference}"
        accuracy, rate = self.accuracy, self.spike_rate
        core = self.core
        return [
            ("images · ticks", f"{self.images:,} · {self.ticks:,}"),
            ("RTL equals the golden model", verdict),
            ("accuracy: float", percent(accuracy["float"])),
            ("accuracy: quantised", percent(accuracy["quantised"])),
            ("accuracy: RTL", percent(accuracy["rtl"])),
            ("spikes: input · hidden", f"{self.spikes['input']:,} · {self.spikes['hidden']:,}"),
            ("spike rate: input", percent(rate["input"])),
            ("spike rate: hidden", percent(rate["hidden"])),
            ("spike rate: all", percent(rate["all"])),
            ("synaptic operations", f"{self.synaptic_ops:,}"),
            ("cycles · per image", f"{self.cycles:,} · {self.cycles_per_image:,.0f}"),
            (f"synaptic operations per cycle, {core['lanes']} lanes", f"{self.sop_per_cycle:.2f}"),
            (f"RTL speed ({self.simulator})", f"{self.rtl_cycles_per_second:,.0f} cycles/s"),
            ("core: neurons · axons", f"{core['neurons']} · {core['axons']}"),
            ("core: weight · membrane bits", f"{core['weight_bits']} · {core['state_bits']}"),
            *self._mesh_rows(),
            ("whole run", f"{self.seconds:.1f} s"),
        ]

    def _mesh_rows(self) -> list[tuple[str, str]]:
        if self.mesh is None:
            return []
        assert self.packets is not None
        assert self.hops is not None
        assert self.barrier_cycles is not None
        share = self.barrier_cycles / self.cycles
        return [
            ("mesh · router", f"{self.mesh} · {self.router}"),
            ("packets · routers passed", f"{self.packets:,} · {self.hops:,}"),
            ("cycles of the barrier", f"{self.barrier_cycles:,} · {100 * share:.1f} %"),
        ]

    def ledger(self) -> Table | None:
        """The joules for people."""
        if self.energy is None:
            return None
        energy, operation = self.energy, self.energy["per_synaptic_op"]
        total = energy["per_image_j"]
        title = Text(
            f"joules, over {energy['images']} images, in {energy['library']} at "
            f"{energy['voltage_v']:g} V and {1e-6 / energy['clock_period_s']:g} MHz",
            style="italic",
        )
        table = Table(title=title, title_justify="left", box=SIMPLE, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        table.add_column(justify="right")

        def row(name: str, joules: float | None, note: str = "") -> None:
            table.add_row(name, "–" if joules is None else si(joules, "J"), Text(note))

        row("an image", total, f"± {100 * energy['per_image_ci95_j'] / total:.1f} %")
        row("a tick", energy["per_tick_j"])
        row("a spike, everything in", energy["per_spike_j"])
        row("a synaptic operation, everything in", operation["all_in_j"])
        fit = "" if operation["r2"] is None else f"R² {operation['r2']:.3f}"
        row("  marginal: one operation more", operation["marginal_j"], fit)
        row("  an image without operations", operation["fixed_per_image_j"])
        row("  leakage of an image", operation["leakage_per_image_j"])
        for name, joules in energy["by_category"].items():
            row(f"an image: {name}", joules, f"{100 * joules / total:.1f} %")
        for name, value, note in _network(energy.get("network")):
            table.add_row(name, value, Text(note))
        for name, joules in _modules(energy["by_module"]):
            row(f"an image: {name}", joules, f"{100 * joules / total:.1f} %")
        if (sram := energy["sram"]) is not None:
            size = f"{sram.node_nm} nm, {sram.voltage:g} V"
            table.add_row("memories are taken as those of", Text(size), Text(sram.cell))
        sweep = energy["sram_sweep"]
        low, high = sweep["0.5"], sweep["4.0"]
        row("with memories at half their energy", low, f"{low / total:.2f} ×")
        row("with memories at four times it", high, f"{high / total:.2f} ×")
        checked = f"{energy['clock_edges_checked']:,}"
        table.add_row("flip-flop edges replayed right", Text(checked), "all")
        return table


def _network(figures: MeshEnergy | None) -> list[tuple[str, str, str]]:
    """What a mesh's network takes: name, value, note."""
    if figures is None:
        return []
    rest = [
        (f"{part} at rest", si(watt, "W"), f"{si(figures['idle_leakage_w'][part], 'W')} leaks")
        for part, watt in figures["idle_w"].items()
        if part in ("routers", "interfaces")
    ]
    return [
        ("a packet through a router", si(figures["per_flit_hop_j"], "J"), "without leakage"),
        ("  wires to the next tile", si(figures["link_wires_j"], "J"), "not in the total"),
        ("a spike delivered", si(figures["per_spike_delivered_j"], "J"), "with these wires"),
        *rest,
    ]


def _modules(joules: dict[str, float]) -> list[tuple[str, float]]:
    """The parts of the core that take most: instances two levels deep, with all below."""
    sums: dict[str, float] = {}
    for path, value in joules.items():
        # Nets that ports of the top drive belong to no module.
        part = ".".join(path.split(".")[:2]) or "ports"
        sums[part] = sums.get(part, 0.0) + value
    return sorted(sums.items(), key=lambda item: -item[1])[:6]
