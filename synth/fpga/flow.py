"""From Verilog to a bitstream: yosys, nextpnr, and what packs the bits."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from spikewatt.model.cache import cached
from spikewatt.model.errors import CapacityError, ParameterError
from spikewatt.synth.click import fpga_cells
from spikewatt.synth.click.asic import is_clockless
from spikewatt.synth.fpga.devices import Device
from spikewatt.synth.fpga.names import HOME
from spikewatt.synth.fpga.path import read_timing
from spikewatt.synth.fpga.result import FpgaResult
from spikewatt.synth.fpga.tools import ECPPACK, ICEPACK, NEXTPNR_ECP5, NEXTPNR_ICE40
from spikewatt.synth.fpga.usage import count_usage, too_large
from spikewatt.synth.sources import Source, read_sources
from spikewatt.synth.tools import Step
from spikewatt.synth.yosys import run_yosys, yosys_version

__all__ = ["map_fpga", "synthesise_fpga"]

Design = str | Path | Sequence[Path]

_SECONDS = "seconds.json"
_CLICK = "click-cells.v"
_LOG = "mapping.log"

# `-nowidelut`: on our cores 6 to 13 % fewer look-up tables, at the same speed within the luck of
# placement. There is no `-no-rw-check`: our memories say themselves that they need none of what it
# leaves out (hdl.sram), and other people's may.
#
# A signal has a name in each module that it passes: the one where it is made is marked.
_SCRIPT = f"""\
{{sources}}
{{command}} -top {{top}} -run begin:{{flattens}}
proc
select -set made t:$* %co1 w:* %i
setattr -set {HOME} 1 @made
{{command}} -top {{top}} -json netlist.json -run {{flattens}}:
write_verilog -noattr netlist.v
"""


def synthesise_fpga(
    design: Design,
    top: str,
    device: Device,
    *,
    constraints: str = "",
    freq: float | None = None,
    seed: int = 1,
    out: Path | None = None,
    progress: Step = lambda what: None,
) -> FpgaResult:
    """Map, place, route and pack a design; what was built before is not built again.

    Parameters
    ----------
    design:
        Verilog text, or files. Files that they include, and memory images, lie beside them.
    top:
        Its top module. Registers of a `Harness` in it are not counted.
    constraints:
        Pins, as an LPF file (ECP5) or a PCF file (iCE40); ports without one go to free pins.
    freq:
        Clock to aim at, MHz; by default what our cores are made for. Missing it is no error.
    seed:
        Of the placement.
    out:
        Folder for the files; by default they stay in the build cache.
    progress:
        Called with what is being done.

    Raises
    ------
    CapacityError
        A design that does not fit the device; says what there is too much of.
    ToolError
        A tool is missing, or fails: the message holds its reason and where its log is.
    """
    target = device.target_mhz if freq is None else freq
    mapped = map_fpga(design, top, device, progress=progress)
    placed = _placed(mapped, top, device, constraints, target, seed, progress)
    module = json.loads((mapped / "netlist.json").read_text())["modules"][top]
    log = (placed / "nextpnr.log").read_text()
    suffix = _bitstream_suffix(device)
    folder, bitstream = placed, placed / f"design{suffix}"
    if out is not None:
        folder, bitstream = out, out / f"{top}{suffix}"
        for source in (mapped, placed):
            for name in ("netlist.json", "netlist.v", _LOG, "nextpnr.log", "pack.log"):
                if (source / name).exists():
                    shutil.copyfile(source / name, out / name)
        shutil.copyfile(placed / f"design{suffix}", bitstream)
    return FpgaResult(
        device=device,
        top=top,
        usage=count_usage(device.family, module, placed / "report.json", log),
        timing=read_timing(placed / "report.json", module),
        target_mhz=target,
        folder=folder,
        bitstream=bitstream,
        seconds=_seconds(mapped) | _seconds(placed),
        tools=_versions(device),
    )


def map_fpga(
    design: Design, top: str, device: Device, *, progress: Step = lambda what: None
) -> Path:
    """Folder with a design mapped to the cells of a family: netlist.json, netlist.v, mapping.log.

    Raises
    ------
    ToolError
        yosys is missing, or fails.
    """
    if not top.isprintable() or set(top) & set(" ;\"'#") or not top:
        raise ParameterError(f"top must be the name of a module, not {top!r}")
    sources = read_sources(design)
    if is_clockless(source.text for source in sources):
        text = fpga_cells(device.family)
        sources = [Source(_CLICK, text, f"read_verilog {_CLICK}"), *sources]
    commands = "\n".join(source.command for source in sources if source.command)
    flattens = "coarse" if device.family == "ecp5" else "flatten"
    script = _SCRIPT.format(sources=commands, command=_mapper(device), top=top, flattens=flattens)

    def build(folder: Path) -> None:
        progress(f"mapping to {device.family}")
        start = time.monotonic()
        for source in sources:
            source.write(folder)
        run_yosys(script, folder, progress=progress, full_log=_LOG)
        _keep_seconds(folder, {"yosys": time.monotonic() - start})

    content = [yosys_version(), script, _LOG, *(part for s in sources for part in (s.name, s.text))]
    return cached(f"{device.family}-map", content, build)


def _mapper(device: Device) -> str:
    if device.family == "ecp5":
        return "synth_ecp5 -nowidelut"
    kind = "u -dsp -spram" if device.ultra_plus else device.name[:2]
    return f"synth_ice40 -device {kind}"


def _placed(
    mapped: Path,
    top: str,
    device: Device,
    constraints: str,
    target: float,
    seed: int,
    progress: Step,
) -> Path:
    """Folder with the report, the logs and the bitstream."""
    ecp5 = device.family == "ecp5"
    nextpnr, pack = (NEXTPNR_ECP5, ECPPACK) if ecp5 else (NEXTPNR_ICE40, ICEPACK)
    words = [*device.words, "--json", "netlist.json", "--top", top, "--report", "report.json"]
    words += ["--freq", f"{target:g}", "--seed", str(seed), "--timing-allow-fail"]
    words += ["--textcfg", "placed.txt"] if ecp5 else ["--asc", "placed.txt"]
    allow = "--lpf-allow-unconstrained" if ecp5 else "--pcf-allow-unconstrained"
    words += [allow, "--lpf" if ecp5 else "--pcf", "pins.txt"] if constraints else [allow]
    if (mapped / _CLICK).exists():
        words += ["--ignore-loops", *(["--no-promote-globals"] if ecp5 else [])]
    bits = f"design{_bitstream_suffix(device)}"
    packing = ["--compress", "--input", "placed.txt", "--bit", bits]
    netlist = (mapped / "netlist.json").read_text()

    def explain(log: str) -> CapacityError | None:
        message = too_large(log, top, device)
        return CapacityError(message) if message else None

    def build(folder: Path) -> None:
        progress(f"placing and routing on {device.name}")
        start = time.monotonic()
        (folder / "netlist.json").write_text(netlist)
        (folder / "pins.txt").write_text(constraints)
        nextpnr.run(words, folder, progress=progress, log="nextpnr.log", explain=explain)
        routed = time.monotonic()
        progress("packing the bitstream")
        pack.run(
            packing if ecp5 else ["placed.txt", bits], folder, progress=progress, log="pack.log"
        )
        (folder / "netlist.json").unlink()  # it is kept where it was made
        _keep_seconds(folder, {"nextpnr": routed - start, "pack": time.monotonic() - routed})

    content = [*_versions(device).values(), *words, *packing, constraints, netlist]
    return cached(f"{device.family}-place", content, build)


def _bitstream_suffix(device: Device) -> str:
    return ".bit" if device.family == "ecp5" else ".bin"


def _versions(device: Device) -> dict[str, str]:
    tools = (NEXTPNR_ECP5, ECPPACK) if device.family == "ecp5" else (NEXTPNR_ICE40, ICEPACK)
    return {"yosys": yosys_version(), **{tool.name: tool.version for tool in tools}}


def _keep_seconds(folder: Path, seconds: Mapping[str, float]) -> None:
    (folder / _SECONDS).write_text(json.dumps({k: round(v, 2) for k, v in seconds.items()}))


def _seconds(folder: Path) -> dict[str, float]:
    return json.loads((folder / _SECONDS).read_text())
