"""``spikewatt synth --target ecp5|ice40``: RTL to a bitstream."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from spikewatt.base.errors import TimingError
from spikewatt.base.files import staged
from spikewatt.base.progress import Progress, silent
from spikewatt.flow.synth.cores import Choice

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.synth.fpga.boards import FpgaBoard
    from spikewatt.synth.fpga.devices import Device
    from spikewatt.synth.fpga.result import FpgaResult
    from spikewatt.synth.sources import SourceOptions

__all__ = ["Placement", "check_clock", "fpga_tables", "synth_fpga"]


@dataclass(frozen=True)
class Placement:
    """What a design is put onto: a device alone, or one on a board with a serial line.

    ``freq``: MHz that must be reached; ``seed``: of the placement.
    """

    device: "Device"
    board: "FpgaBoard | None" = None
    baud: int | None = None
    freq: float | None = None
    seed: int = 1

    def design(self, choice: Choice) -> "tuple[str, float | None]":
        """Verilog of a core on it, and the clock to aim at if it is the board's.

        Without a board the core stands between registers.
        """
        from spikewatt.hdl.blueprint import Blueprint
        from spikewatt.synth.fpga.harness import Harness
        from spikewatt.synth.verilog import export

        name = choice.core.value
        if self.board is None:
            # Without pins for its ports: a core has more of them than a package.
            return export(Blueprint.of(Harness, choice.blueprint()), name), self.freq
        from spikewatt.model.params.host import BAUD
        from spikewatt.synth.fpga.board_top import BoardTop, bit_clocks

        clock = self.board.clock(self.freq)
        clocks = bit_clocks(clock.mhz, BAUD if self.baud is None else self.baud)
        low = self.board.pins["led"].low
        options = {"clocks_per_bit": clocks, "led_low": low}
        whole = Blueprint.of(BoardTop, choice.blueprint(), clock, **options)
        return export(whole, name), clock.mhz


def synth_fpga(
    design: Choice | Sequence[Path],
    top: str,
    where: Placement,
    reading: "SourceOptions | None" = None,
    *,
    out: Path | None = None,
    progress: Progress = silent,
) -> "FpgaResult":
    """Build a bitstream; all files and report.json go to ``out``."""
    from spikewatt.synth.fpga.flow import PlaceOptions, synthesise_fpga
    from spikewatt.synth.sources import SourceOptions

    ours = isinstance(design, Choice)
    source, freq = where.design(design) if ours else (design, where.freq)
    with staged(out) if out else nullcontext() as part:
        result = synthesise_fpga(
            source,
            top,
            where.device,
            PlaceOptions(
                constraints=where.board.constraints if where.board else "",
                freq=freq,
                seed=where.seed,
            ),
            source_options=reading or SourceOptions(),
            out=part,
            progress=progress,
        )
        if ours:
            result = replace(result, core=design.core.value, work=design.work)
        if out and part:
            # Written in a folder beside, which takes this place when all is done.
            result = replace(result, folder=out, bitstream=out / result.bitstream.name)
            (part / "report.json").write_text(result.to_text() + "\n")
    return result


def fpga_tables(result: "FpgaResult") -> tuple[Table, Table]:
    """The result for people: what the design takes, and its critical path."""
    return _summary(result), _path(result)


def check_clock(result: "FpgaResult", where: Placement) -> None:
    """Raise if a clock was asked for, or given by a board, that the design does not reach."""
    if result.met or (where.freq is None and where.board is None):
        return
    raise TimingError(
        f"{result.top} reaches {result.timing.fmax_mhz:.2f} MHz, not the {result.target_mhz:g} MHz "
        f"that {'were asked for' if where.freq else 'the board gives it'}"
    )


def _summary(result: "FpgaResult") -> Table:
    """What the design takes, and how fast it is."""
    device, usage, fmax = result.device, result.usage, result.timing.fmax_mhz
    grade = f" · speed {device.speed}" if device.speed else ""
    title = Text(
        f"{result.top} on {device.family} {device.name} {device.package}{grade}", style="italic"
    )
    table = Table(title=title, title_justify="left", box=SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right", overflow="fold")
    parts = f"{usage.lut4_logic:,} · {usage.lut4_carry:,} · {usage.lut4_ram:,}"
    target = "reached" if result.met else "missed"
    rows = [
        ("LUT4", f"{usage.lut4:,}"),
        ("  logic · carry · RAM", parts),
        ("flip-flops", f"{usage.ff:,}"),
        ("block RAM", f"{usage.bram:,}"),
        *([("single-port RAM", f"{usage.spram:,}")] if usage.spram else []),
        ("multipliers", f"{usage.dsp:,}"),
        ("Fmax", "no path" if fmax is None else f"{fmax:.2f} MHz"),
        ("target", f"{result.target_mhz:g} MHz, {target}"),
    ]
    if result.work and result.per_second is not None:
        name = {"sop": "synaptic operations", "mac": "multiply-accumulates"}[result.work.unit]
        rows.append((f"{name} a second", f"{result.per_second / 1e6:,.1f} million"))
    rows.append(("bitstream", str(result.bitstream)))
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


def _path(result: "FpgaResult") -> Table:
    """The critical path, a signal a line."""
    title = Text("critical path", style="italic")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("signal", overflow="fold")
    table.add_column("what it is")
    table.add_column("ns", justify="right")
    table.add_column("sum", justify="right")
    total = 0.0
    for hop in result.timing.path:
        total += hop.ns
        table.add_row(Text(hop.name), hop.kind, f"{hop.ns:.2f}", f"{total:.2f}")
    return table
