"""A run on a board against the golden model's, and its report."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from spikewatt.model.compile.program import Program
from spikewatt.model.compile.tap import count_taps
from spikewatt.model.network.graph import Network
from spikewatt.model.network.readout import read_class
from spikewatt.model.run import Run
from spikewatt.targets.board.core import Sample

__all__ = ["BoardReport", "board_difference", "board_scores"]


def board_difference(
    program: Program, samples: Sequence[Sample], golden: Run, counted: str | None
) -> str | None:
    """First place at which a board left the golden model; ``None`` if nowhere.

    Parameters
    ----------
    samples:
        What the board showed after each sample.
    counted:
        The population whose spikes leave the core, if any.
    """
    if len(samples) != golden.samples:
        return f"{len(samples)} of {golden.samples} samples were run"
    for number, sample in enumerate(samples):
        pairs = {
            "membrane of neuron": (sample.membranes, golden.final_membranes[number]),
            "scheduler slot, axon": (sample.scheduler, golden.final_scheduler[number]),
        }
        if program.params.refractory_bits:
            pairs["refractory counter of neuron"] = (
                sample.refractory,
                golden.final_refractory[number],
            )
        if counted is not None:
            fired = golden.spikes[number][:, program.neurons_of[counted]].sum(axis=0)
            pairs[f"spikes of {counted}"] = count_taps(sample.packets, program, counted), fired
        elif len(sample.packets):
            return f"sample {number}: {len(sample.packets)} packets left the core, and none should"
        for name, (got, expected) in pairs.items():
            if found := _first(name, got, expected):
                return f"sample {number}: {found}"
    return None


def _first(name: str, got: NDArray[Any], expected: NDArray[Any]) -> str | None:
    if got.shape != expected.shape:
        return f"{name}: {got.shape} on the board, {expected.shape} in the model"
    if np.array_equal(got, expected):
        return None
    at = tuple(int(i) for i in np.argwhere(got != expected)[0])
    place = ", ".join(map(str, at))
    return f"{name} {place} is {int(got[at])} on the board, {int(expected[at])} in the model"


def board_scores(network: Network, program: Program, samples: Sequence[Sample]) -> NDArray[Any]:
    """Scores [B, classes] of the classes, as the board shows them."""
    name = network.readout.population
    if network.readout.kind == "count":
        return np.stack([count_taps(sample.packets, program, name) for sample in samples])
    return np.stack([sample.membranes[program.neurons_of[name]] for sample in samples])


@dataclass(frozen=True, kw_only=True)
class BoardReport:
    """Figures of a run on a board; `to_json` documents their units."""

    network: str
    port: str
    baud: int
    images: int
    ticks: int
    bit_exact: bool
    difference: str | None
    accuracy: dict[str, float | None]
    spikes: dict[str, int]
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

    def to_json(self) -> dict[str, Any]:
        """The report as plain data.

        ``bit_exact``: every membrane, refractory counter and scheduler bit after each image, and
        the spikes of a readout by counts, are those of the golden model. ``spikes``: those of the
        input and of all neurons, and ``synaptic_ops``, by that model, over all images. ``seconds``
        are those of the whole run, on the simulated board of this machine too;
        ``configuration_seconds`` and ``seconds_per_image`` those of the line's clock, which is the
        simulated one there. ``requests``: frames to the board, ``repeats``: those sent again,
        ``damaged``: frames from it that were none. ``identity``: the core's, hexadecimal.
        """
        return asdict(self)

    def to_text(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_json(), indent=1)

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


def accuracy(scores: NDArray[Any], classes: NDArray[np.int64] | None) -> float | None:
    """Share of the samples whose class has the highest score; ``None`` without classes."""
    return None if classes is None else float(np.mean(read_class(scores) == classes))
