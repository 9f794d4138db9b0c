"""Run a cocotb test module on a design, with Verilator or Icarus."""

import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cocotb_tools.runner

from spikewatt.base.cache import cached
from spikewatt.base.errors import SimulationError, ToolError
from spikewatt.base.process import run_contained
from spikewatt.base.tools import icarus, libpython
from spikewatt.cosim.choices import Simulator, Trace
from spikewatt.cosim.verilated import build_cocotb, run_tool

__all__ = ["PLAIN_COCOTB", "CocotbOptions", "Simulator", "simulate"]

_DUMP = """module waveform;
  reg [8191:0] file;
  initial if ($value$plusargs("waveform=%s", file)) begin
    $dumpfile(file);
    $dumpvars(0, {top});
  end
endmodule
"""


def _build_icarus(verilog: str, top: str, *, timing: bool) -> Path:
    """Folder of ``sim.vvp``, which writes a waveform where ``+waveform=FILE`` says."""
    compiler, dump = icarus(), _DUMP.format(top=top)
    scale = "1ps/1ps" if timing else "1ns/1ps"  # as in the Verilator build

    def build(folder: Path) -> None:
        (folder / "design.v").write_text(verilog)
        (folder / "waveform.v").write_text(dump)
        (folder / "scale.f").write_text(f"+timescale+{scale}\n")
        flags = ["-g2012", "-f", "scale.f", "-s", top, "-s", "waveform", "-o", "sim.vvp"]
        run_tool([compiler, *flags, "design.v", "waveform.v"], cwd=folder)

    return cached("icarus", [verilog, top, dump, compiler, scale], build)


# cocotb's runner would leave the simulator running when we are interrupted.
class _Contained(cocotb_tools.runner.Runner):
    """cocotb's runner, with simulators that do not outlive us."""

    poll: Callable[[], None]
    output: Path

    def _execute(self, cmds: Sequence[list[str]], cwd: Any) -> None:
        for command in cmds:
            words = [str(word) for word in command]
            status = run_contained(
                words, cwd=Path(cwd), env=self.env, log=self.output, poll=self.poll
            )
            if status:
                raise subprocess.CalledProcessError(status, words)


class _Verilator(_Contained, cocotb_tools.runner.Verilator):
    pass


class _Icarus(_Contained, cocotb_tools.runner.Icarus):
    """The waveform's format is ours to choose."""

    format = "-none"

    def _test_command(self) -> list[list[str]]:
        # cocotb's runner puts `-none` where the format of the waveform stands: it is chosen here,
        # at run time.
        return [
            [self.format if word == "-none" else word for word in command]
            for command in super()._test_command()
        ]


def _failures(results: Path) -> list[str]:
    """Messages of the tests that failed; raise if no test ran at all."""
    cases = ET.parse(results).getroot().iter("testcase")
    ran, messages = 0, []
    for case in cases:
        ran += case.find("skipped") is None
        for kind in ("failure", "error"):
            if (problem := case.find(kind)) is not None:
                text = problem.get("message") or problem.get("error_msg") or problem.text or kind
                messages.append(f"{case.get('name')}: {text.strip()}")
    # Zero failures of zero tests is no success: a filter may match nothing.
    if not ran:
        raise SimulationError(f"the simulation ran no test: {results}")
    return messages


@dataclass(frozen=True, kw_only=True)
class CocotbOptions:
    """How a design is built and run under cocotb.

    Parameters
    ----------
    trace, waveform:
        Kind of waveform, and its file.
    env:
        More environment variables for the tests.
    public:
        Let tests see every signal rather than the top's ports.
    timing:
        Keep the delays of the design, in units of 1 ps where it does not say. Icarus always does.
    delay_seed:
        For models with random delays, as ``+delay_seed``; 0 is none.
    """

    simulator: Simulator = "verilator"
    trace: Trace = "none"
    waveform: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    public: bool = False
    timing: bool = False
    delay_seed: int = 0

    @property
    def plusargs(self) -> list[str]:
        """What the design's own Verilog reads on the simulator's command line."""
        named = {"waveform": self.waveform, "delay_seed": self.delay_seed}
        return [f"+{name}={value}" for name, value in named.items() if value]


PLAIN_COCOTB = CocotbOptions()


def _prepare(verilog: str, top: str, options: CocotbOptions) -> tuple[Path, _Contained, list[str]]:
    """The built design, the simulator that runs it, and the simulator's own arguments."""
    if options.simulator == "icarus":
        build = _build_icarus(verilog, top, timing=options.timing)
        runner = _Icarus()  # after our own look for Icarus: this one ends the process without it
        runner.format = "-none" if options.trace == "none" else f"-{options.trace}"
        return build, runner, []
    build = build_cocotb(
        verilog, top, trace=options.trace, public=options.public, timing=options.timing
    )
    file = options.waveform
    return build, _Verilator(), ["--trace", "--trace-file", str(file)] if file else []


def simulate(
    verilog: str,
    top: str,
    test_module: str,
    folder: Path,
    options: CocotbOptions = PLAIN_COCOTB,
    *,
    poll: Callable[[], None] = lambda: None,
) -> None:
    """Build (or take from the cache) and run a cocotb test module.

    Parameters
    ----------
    verilog, top:
        The design, and its top module.
    test_module:
        Import path of the module with the cocotb tests.
    folder:
        Where the simulation runs and leaves ``results.xml`` and ``simulation.log``.
    poll:
        Called again and again while the simulation runs.

    Raises
    ------
    SimulationError
        A test failed, or none ran; the message is cocotb's, and names the log.
    ToolError
        A tool is missing, or failed.
    """
    # Asked for first, since without it the simulator ends before it can say why.
    libpython()
    build, runner, arguments = _prepare(verilog, top, options)
    folder.mkdir(parents=True, exist_ok=True)
    results, log = folder / "results.xml", folder / "simulation.log"
    # Results of a run before would pass for this one's.
    results.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    runner.poll, runner.output = poll, log.resolve()
    hidden = os.environ.pop("PYTEST_CURRENT_TEST", None)  # under pytest the runner exits on failure
    try:
        runner.test(
            test_module=test_module,
            hdl_toplevel=top,
            hdl_toplevel_lang="verilog",
            build_dir=build,
            test_dir=folder,
            results_xml=str(results.resolve()),
            test_args=arguments,
            plusargs=options.plusargs,
            extra_env={"COCOTB_ANSI_OUTPUT": "0", **options.env},
        )
    except SystemExit as error:
        if not results.exists():
            raise SimulationError(
                f"{options.simulator} ended with status {error.code}: its output is in {log}"
            ) from None
    finally:
        if hidden is not None:
            os.environ["PYTEST_CURRENT_TEST"] = hidden
    if not results.exists():
        raise ToolError(f"{options.simulator} left no results: its output is in {log}")
    if messages := _failures(results):
        raise SimulationError(f"{'; '.join(messages)} (log: {log})")
