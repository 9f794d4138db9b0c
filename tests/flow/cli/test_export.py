"""The command ``spikewatt export``, and FuseSoC with what it writes."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.base.tools import verilator
from spikewatt.flow.cli.export import read_sizes
from spikewatt.flow.synth.cores import Core
from spikewatt.model.params import Leak
from spikewatt.model.params.systolic import Loading
from tests.flow.command import Cli, assert_one_line

ROOT = Path(__file__).parents[3]
SMALL = ("neurons=16", "axons=12", "lanes=4", "leaks=none,shift")


def fusesoc(folder: Path, library: Path, *words: str) -> str:
    """Run FuseSoC on a library of core files, with this Python and our Verilator."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, command in {
        "verilator": f"VERILATOR_ROOT={verilator().root} exec {verilator().binary}",
        "python3": f"exec {sys.executable}",
    }.items():
        (tools / name).write_text(f'#!/bin/sh\n{command} "$@"\n')
        (tools / name).chmod(0o755)
    (folder / "fusesoc.conf").write_text("[main]\n")
    code = "import sys; from fusesoc.main import main; sys.exit(main())"
    command = [sys.executable, "-W", "ignore", "-c", code, "--config", "fusesoc.conf"]
    run = subprocess.run(
        [*command, "--cores-root", str(library), *words],
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.mark.parametrize(
    ("core", "words"),
    [
        ("neuro", SMALL),
        pytest.param(
            *("systolic", ("rows=2", "columns=3", "loading=shift", "double_buffer=false")),
            marks=pytest.mark.long,
        ),
        pytest.param("mesh", (*SMALL, "--mesh", "2x1"), marks=pytest.mark.long),
    ],
)
def test_export(core: str, words: tuple[str, ...], tmp_path: Path, cli: Cli) -> None:
    """Plain Verilog and a core file without a generator: FuseSoC lints it with Verilator."""
    out = tmp_path / "rtl"
    run = cli("export", core, *words, "--out", str(out))
    assert run.returncode == 0, run.stderr
    names = [f"{core}.v", f"spikewatt-{core}.core"]
    assert run.stdout.splitlines() == [str(out / name) for name in names]
    assert {path.name for path in out.iterdir()} == set(names)
    assert "generat" not in (out / names[1]).read_text()
    said = fusesoc(tmp_path, out, "run", "--target=lint", f"spikewatt:cores:{core}")
    assert "Verilator: Built from" in said
    assert f"spikewatt:cores:{core}" in fusesoc(tmp_path, out, "core", "list")


def test_what_fusesoc_lints_matters(tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "rtl"
    assert cli("export", "neuro", *SMALL, "--out", str(out)).returncode == 0
    text = (out / "neuro.v").read_text()
    (out / "neuro.v").write_text(text.replace("endmodule", "nowhere here();\nendmodule", 1))
    with pytest.raises(AssertionError, match="nowhere"):
        fusesoc(tmp_path, out, "run", "--target=lint", "spikewatt:cores:neuro")


@pytest.mark.long
@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("5", "PASSED: a tick took"),
        ("4", "FAILED: read 00000005"),
    ],
)
def test_the_core_file_of_a_clone(expected: str, said: str, tmp_path: Path) -> None:
    """Its generator exports the core, and the testbench sees it at work."""
    if not shutil.which("iverilog"):
        pytest.skip("Icarus is missing: apt-get install iverilog")
    name = f"name: spikewatt::spikewatt:{version('spikewatt')}"
    assert name in (ROOT / "spikewatt.core").read_text().splitlines()
    library = tmp_path / "library"
    library.mkdir()
    for name in ("spikewatt.core", "scripts/fusesoc.py", "examples/fusesoc/testbench.v"):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, library / name)
    bench = library / "examples" / "fusesoc" / "testbench.v"
    bench.write_text(bench.read_text().replace("answer !== 32'd5", f"answer !== 32'd{expected}"))
    assert said in fusesoc(tmp_path, library, "run", "--target=sim", "spikewatt::spikewatt")


def test_sizes() -> None:
    sizes = read_sizes(Core.NEURO, ["neurons=16", "leaks=none,shift", "shifts=1,3"])
    assert sizes == {"neurons": 16, "leaks": (Leak.NONE, Leak.SHIFT), "shifts": (1, 3)}
    sizes = read_sizes(Core.SYSTOLIC, ["loading=shift", "gate_idle=true", "rows=4"])
    assert sizes == {"loading": Loading.SHIFT, "gate_idle": True, "rows": 4}


@pytest.mark.parametrize(
    ("core", "word", "message"),
    [
        (Core.NEURO, "rows=3", "'rows=3' is no size of neuro: write NAME=VALUE, NAME one of neur"),
        (Core.NEURO, "neurons", "'neurons' is no size of neuro: write NAME=VALUE"),
        (Core.NEURO, "fabric=asic", "'fabric=asic' is no size of neuro"),
        (Core.NEURO, "neurons=many", "neurons must be a number, not 'many'"),
        (Core.NEURO, "neurons=1,2", "neurons is one number, not '1,2'"),
        (Core.NEURO, "leaks=slow", "leaks must name some of none, subtract, shift, multiply"),
        (Core.SYSTOLIC, "gate_idle=1", "gate_idle must be true or false, not '1'"),
        (Core.SYSTOLIC, "loading=rows,shift", "loading is one kind, not 'rows,shift'"),
    ],
)
def test_wrong_sizes(core: Core, word: str, message: str) -> None:
    with pytest.raises(ParameterError, match=f"^{message}"):
        read_sizes(core, [word])


def test_bad_input(cli: Cli, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "rtl"))
    assert_one_line(cli("export", "neuro", "neurons=9", *out), "lanes must divide neurons (9)")
    assert_one_line(cli("export", "neuro", "--mesh", "2x2", *out), "--mesh goes with --core mesh")
    assert_one_line(cli("export", "tpu", *out), "tpu")
    assert not (tmp_path / "rtl").exists()
