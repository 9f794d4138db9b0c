"""From Verilog to a bitstream: yosys, nextpnr, and what packs the bits."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.errors import ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.synth.click import fpga_cells
from spikewatt.synth.click.asic import is_clockless
from spikewatt.synth.fpga.devices import Device
from spikewatt.synth.fpga.names import HOME
from spikewatt.synth.fpga.path import read_timing
from spikewatt.synth.fpga.place import PlaceOptions, bitstream_name, place_tools, placed
from spikewatt.synth.fpga.result import FpgaResult
from spikewatt.synth.fpga.steps import keep_seconds, kept_seconds
from spikewatt.synth.fpga.usage import count_usage
from spikewatt.synth.sources import DEFAULT as AS_THEY_ARE
from spikewatt.synth.sources import SourceOptions, read_sources
from spikewatt.synth.yosys import recent_yosys, run_yosys, yosys_version

__all__ = ["PlaceOptions", "map_fpga", "synthesise_fpga"]

Design = str | Path | Sequence[Path]

_CLICK = "click-cells.v"
_LOG = "mapping.log"
_MAPPED = ("netlist.json", "netlist.v", _LOG)

# `-nowidelut`: on our cores 6 to 13 % fewer look-up tables, at the same speed within the luck of
# placement. There is no `-no-rw-check`: our memories say themselves that they need none of what it
# leaves out (hdl.sram), and other people's may.
#
# A signal has a name in each module that it passes: the one where it is made is marked.
_SCRIPT = f"""\
{{sources}}
{{command}} -top {{top}} -run begin:{{flattens}}
proc -latches error
select -set made t:$* %co1 w:* %i
setattr -set {HOME} 1 @made
{{command}} -top {{top}} -json netlist.json -run {{flattens}}:
write_verilog -noattr netlist.v
"""


DEFAULT = PlaceOptions()


def synthesise_fpga(
    design: Design,
    top: str,
    device: Device,
    options: PlaceOptions = DEFAULT,
    *,
    source_options: SourceOptions = AS_THEY_ARE,
    out: Path | None = None,
    progress: Progress = silent,
) -> FpgaResult:
    """Map, place, route and pack a design; what was built before is not built again.

    Parameters
    ----------
    design:
        Verilog text, or files. Files that they include, and memory images, lie beside them.
    top:
        Its top module. Registers of a `Harness` in it are not counted.
    source_options:
        How the files are read.
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
    mapped = map_fpga(design, top, device, source_options=source_options, progress=progress)
    netlist = (mapped / "netlist.json").read_text()
    clockless = (mapped / _CLICK).exists()
    done = placed(netlist, top, device, options, clockless=clockless, progress=progress)
    module = json.loads(netlist)["modules"][top]
    folder, bitstream = done, done / bitstream_name("design", device.family)
    if out is not None:
        folder, bitstream = out, out / bitstream_name(top, device.family)
        for source, names in ((mapped, _MAPPED), (done, ("nextpnr.log", "pack.log"))):
            for name in names:
                shutil.copyfile(source / name, out / name)
        shutil.copyfile(done / bitstream_name("design", device.family), bitstream)
    return FpgaResult(
        device=device,
        top=top,
        usage=count_usage(
            device.family, module, done / "report.json", (done / "nextpnr.log").read_text()
        ),
        timing=read_timing(done / "report.json", module),
        target_mhz=options.aim(device),
        folder=folder,
        bitstream=bitstream,
        seconds=kept_seconds(mapped) | kept_seconds(done),
        tools={
            "yosys": yosys_version(),
            **{tool.name: tool.version for tool in place_tools(device.family)},
        },
    )


def map_fpga(
    design: Design,
    top: str,
    device: Device,
    *,
    source_options: SourceOptions = AS_THEY_ARE,
    progress: Progress = silent,
) -> Path:
    """Folder with a design mapped to the cells of a family: netlist.json, netlist.v, mapping.log.

    Raises
    ------
    ToolError
        yosys is missing, or fails.
    """
    if not top.isprintable() or set(top) & set(" ;\"'#") or not top:
        raise ParameterError(f"top must be the name of a module, not {top!r}")
    sources = read_sources(design, source_options)
    frontend = sources.frontends[0]
    commands = sources.reading(top, frontend)
    cells = fpga_cells(device.family) if is_clockless(s.text for s in sources.files) else ""
    if cells:
        commands = f"read_verilog {_CLICK}\n{commands}"
    if source_options.parameters:
        commands += "\n" + sources.elaborating(top, frontend)
    # The step of the family's script in front of which names have to be marked, since it flattens.
    flattens = "coarse" if device.family == "ecp5" else "flatten"
    script = _SCRIPT.format(sources=commands, command=_mapper(device), top=top, flattens=flattens)

    def build(folder: Path) -> None:
        start = time.monotonic()
        sources.write(folder)
        if cells:
            (folder / _CLICK).write_text(cells)
        what = f"mapping to {device.family}"
        run_yosys(script, folder, what=what, progress=progress, full_log=_LOG)
        keep_seconds(folder, {"yosys": time.monotonic() - start})

    content = [script, _LOG, cells, *sources.content]
    return cached(f"{device.family}-map", content, build, tools={"yosys": recent_yosys()})


def _mapper(device: Device) -> str:
    if device.family == "ecp5":
        return "synth_ecp5 -nowidelut"
    kind = "u -dsp -spram" if device.ultra_plus else device.name[:2]
    return f"synth_ice40 -device {kind}"
