"""The report of a run on a board."""

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from spikewatt.base.report import Report

__all__ = ["BoardReport"]


class BoardAccuracy(TypedDict):
    """Fractions of the samples; ``None`` where classes are not known."""

    quantised: float | None
    board: float | None


class BoardSpikes(TypedDict):
    """Spikes of the input and of all neurons, by the golden model, over all images."""

    input: int
    neurons: int


@dataclass(frozen=True, kw_only=True)
class BoardReport(Report):
    """Figures of a run on a board.

    ``bit_exact``: every membrane, refractory counter and scheduler bit after each image, and the
    spikes of a readout by counts, are those of the golden model. ``synaptic_ops`` are those of that
    model, over all images. ``seconds`` are those of the whole run, on the simulated board of this
    machine too; ``configuration_seconds`` and ``seconds_per_image`` those of the line's clock,
    which is the simulated one there. ``requests``: frames to the board, ``repeats``: those sent
    again, ``damaged``: frames from it that were none. ``identity``: the core's, hexadecimal.
    """

    schema: Literal["spikewatt.board/1"] = "spikewatt.board/1"
    network: str
    port: str
    baud: int
    images: int
    ticks: int
    bit_exact: bool
    difference: str | None
    accuracy: BoardAccuracy
    spikes: BoardSpikes
    synaptic_ops: int
    seconds: float
    configuration_seconds: float
    seconds_per_image: float
    bytes_sent: int
    bytes_received: int
    requests: int
    repeats: int
    damaged: int
    core: dict[str, int]
    identity: str
    predictions: list[int] = field(default_factory=list)

    def table(self) -> Table:
        """The report for people."""

        def percent(value: float | None) -> str:
            return "–" if value is None else f"{100 * value:.2f} %"

        title = Text(f"{self.network} on the board at {self.port}", style="italic")
        table = Table(title=title, title_justify="left", box=SIMPLE, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        core = self.core
        for name, value in (
            ("images · ticks", f"{self.images:,} · {self.ticks:,}"),
            (
                "board equals the golden model",
                "yes" if self.bit_exact else f"NO: {self.difference}",
            ),
            ("accuracy: golden model", percent(self.accuracy["quantised"])),
            ("accuracy: board", percent(self.accuracy["board"])),
            ("spikes: input · neurons", f"{self.spikes['input']:,} · {self.spikes['neurons']:,}"),
            ("synaptic operations", f"{self.synaptic_ops:,}"),
            (
                "core: neurons · axons · lanes",
                f"{core['neurons']} · {core['axons']} · {core['lanes']}",
            ),
            ("bytes: sent · received", f"{self.bytes_sent:,} · {self.bytes_received:,}"),
            ("requests · sent again", f"{self.requests:,} · {self.repeats:,}"),
            ("configuration", f"{self.configuration_seconds:.2f} s"),
            ("an image", f"{1e3 * self.seconds_per_image:.2f} ms"),
            ("whole run", f"{self.seconds:.1f} s"),
        ):
            table.add_row(name, Text(value))
        return table
