"""Where the time of the demo goes, with empty caches and with full ones.

    python bench/demo.py [--warm FOLDER]

Cold, every cache is a new folder, that of the WebAssembly tools among them. A stage's
time is without the stages within it; ``processes`` is what compilers and yosys took, side by side.
"""

import argparse
import functools
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

STAGES = {
    "golden model": ("spikewatt.model.golden.batch", "run_batch"),
    "Verilog": ("spikewatt.synth.verilog", "export"),
    "simulators": ("spikewatt.cosim.verilated", "build_native"),
    "simulation": ("spikewatt.cosim.samples", "run_samples"),
    "gates": ("spikewatt.synth.asic", "synthesise"),
    "netlists": ("spikewatt.synth.netlist.reader", "read_netlist"),
    "elements": ("spikewatt.energy.activity.elements", "build_elements"),
    "programs": ("spikewatt.energy.activity.program", "compile_program"),
    "waveforms": ("spikewatt.energy.activity.samples", "read_samples"),
    "matching": ("spikewatt.energy.activity.matching", "match"),
    "replay": ("spikewatt.energy.activity.replayer", "Replayer.run"),
    "prices": ("spikewatt.energy.pricing.prices", "compute_prices"),
    "timing": ("spikewatt.energy.delays.timing", "analyse_timing"),
    "pictures": ("spikewatt.flow.plots", "power_trace"),
}
"""Functions that each stage is; what is in none is ``all else``."""


class Clock:
    """Wall time of stages, each without those within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._within: list[float] = []

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            self._within.append(0.0)
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                took = time.perf_counter() - start
                self.seconds[stage] += took - self._within.pop()
                if self._within:
                    self._within[-1] += took

        return timed

    def watch(self, stage: str, module: str, name: str) -> None:
        """Time a function wherever it was imported."""
        holder: Any = importlib.import_module(module)
        *path, last = name.split(".")
        for part in path:
            holder = getattr(holder, part)
        function = getattr(holder, last)
        timed = self.around(stage, function)
        setattr(holder, last, timed)
        for other in [m for n, m in sys.modules.items() if n.startswith("spikewatt.")]:
            if getattr(other, last, None) is function:
                setattr(other, last, timed)


def run() -> None:
    """The demo, in this process; prints its times as JSON on the last line."""
    start = time.perf_counter()
    for module in ("spikewatt.flow.run", "spikewatt.flow.demo", "spikewatt.flow.ahead"):
        importlib.import_module(module)
    clock = Clock()
    clock.seconds["imports"] = time.perf_counter() - start
    for stage, (module, name) in STAGES.items():
        clock.watch(stage, module, name)
    main = importlib.import_module("spikewatt.flow.cli.main").main
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ["spikewatt", "demo", "--json", "--quiet", "--out", f"{folder}/out"]
        main()
    total = time.perf_counter() - start
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        json.dumps(
            {
                "stages": clock.seconds,
                "wall": total,
                "own": own.ru_utime + own.ru_stime,
                "processes": others.ru_utime + others.ru_stime,
            }
        )
    )


def measured(caches: Path) -> dict[str, Any]:
    """Times of a demo with caches of its own."""
    env = {**os.environ, "SPIKEWATT_CACHE": str(caches / "spikewatt")}
    env |= {"YOWASP_CACHE_DIR": str(caches / "yowasp"), "XDG_CACHE_HOME": str(caches / "other")}
    command = [sys.executable, __file__, "--run"]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def show(title: str, times: dict[str, Any]) -> None:
    """Print a table."""
    table = Table("stage", "seconds", title=title, title_justify="left")
    stages = dict(sorted(times["stages"].items(), key=lambda item: -item[1]))
    stages["all else"] = times["wall"] - sum(stages.values())
    for stage, seconds in stages.items():
        table.add_row(stage, f"{seconds:.1f}")
    table.add_section()
    table.add_row("wall", f"{times['wall']:.1f}")
    table.add_row("processor, own", f"{times['own']:.1f}")
    table.add_row("processor, processes", f"{times['processes']:.1f}")
    Console().print(table)


def main() -> None:
    """Cold, then warm; with ``--warm`` only warm, with the caches in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warm", type=Path, metavar="FOLDER", help="caches of an earlier run")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run()
        return
    with tempfile.TemporaryDirectory(prefix="spikewatt-") as folder:
        caches = options.warm or Path(folder)
        if options.warm is None:
            show("cold", measured(caches))
        show("warm", measured(caches))


if __name__ == "__main__":
    main()
