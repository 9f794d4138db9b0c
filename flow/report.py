"""What a run says: figures, JSON and the table in the terminal."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

__all__ = ["RunReport"]


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """Figures of one run; `to_json` documents their units.

    ``accuracy`` and ``spike_rate`` map their parts to fractions, or to ``None`` where there is
    nothing to compare with.
    """

    network: str
    simulator: str
    images: int
    ticks: int
    bit_exact: bool
    difference: str | None
    accuracy: dict[str, float | None]
    spikes: dict[str, int]
    spike_rate: dict[str, float]
    synaptic_ops: int
    synapse_words: int
    merges: int
    cycles: int
    cycles_per_image: float
    sop_per_cycle: float
    rtl_cycles_per_second: float
    seconds: float
    core: dict[str, int]
    waveform: str | None = None
    predictions: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data.

        ``ticks``, ``cycles``, ``spikes``, ``synaptic_ops``, ``synapse_words`` and ``merges`` are
        totals over all images; cycles include clearing the state before each image and exclude
        configuration. ``spikes`` of ``hidden`` are those of all populations but the readout, drain
        ticks included; ``spike_rate`` divides them by neurons and timesteps of the encoder.
        ``seconds`` is the whole run, ``rtl_cycles_per_second`` the simulation alone.
        """
        return asdict(self)

    def to_text(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_json(), indent=1)

    def table(self) -> Table:
        """The report for people."""
        title = Text(f"{self.network} on the neuromorphic core", style="italic")
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
            ("whole run", f"{self.seconds:.1f} s"),
        ]
