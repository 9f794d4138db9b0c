"""Verilog from the build cache: found again only if nothing that goes into it has changed."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.base import sources
from spikewatt.base.sources import Sources, source_digest
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.sram import Sram
from spikewatt.synth import verilog
from spikewatt.synth.verilog import SOURCES, export

SMALL = Blueprint.of(Sram, rows=4, bits=3)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the modules that were exported, in place of exporting them."""
    done: list[str] = []

    def count(component: Any, name: str, dialect: str) -> str:
        component._MustUse__silence = True  # that it is not used is the point
        done.append(name)
        return f"// {name} {len(done)}"

    monkeypatch.setattr(verilog, "_export", count)
    return done


def test_it_is_what_the_component_itself_gives() -> None:
    text = export(SMALL, "small")
    assert text == export(SMALL.build(), "small")
    assert text == export(SMALL, "small")
    assert "small (" in text


def test_a_second_export_does_nothing(exports: list[str]) -> None:
    assert export(SMALL, "small") == export(Blueprint.of(Sram, bits=3, rows=4), "small")
    assert exports == ["small"]


def test_whatever_goes_in_changes_the_key(
    exports: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export(SMALL, "small")
    export(Blueprint.of(Sram, rows=4, bits=4), "small")  # a parameter
    export(SMALL, "other")  # the name of the module
    export(SMALL, "small", dialect="assigns")
    assert len(exports) == 4
    monkeypatch.setattr(verilog, "version", lambda package: f"{package} of tomorrow")
    export(SMALL, "small")
    assert len(exports) == 5
    monkeypatch.setattr(sys, "version", "3.99")
    export(SMALL, "small")
    assert len(exports) == 6
    tool = tmp_path / "yosys"
    for content in ("#!/bin/sh\n", "#!/bin/sh\nexit 1\n"):  # a yosys of the system, and a new one
        tool.write_text(content)
        tool.chmod(0o755)
        monkeypatch.setenv("YOSYS", str(tool))
        export(SMALL, "small")
    assert len(exports) == 8
    monkeypatch.setenv("AMARANTH_USE_YOSYS", "builtin")
    export(SMALL, "small")
    assert len(exports) == 9


def test_other_sources_find_nothing_of_these(
    exports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another process has them, which loaded what an editor wrote."""
    export(SMALL, "small")
    monkeypatch.setattr(sources, "source_digest", lambda *names: "other")
    monkeypatch.setattr(verilog, "_OURS", Sources(SOURCES))
    export(SMALL, "small")
    assert exports == ["small", "small"]


def test_sources_edited_while_they_run_leave_nothing(
    exports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classes in memory are the old ones, and the files are new: neither may be the key."""
    monkeypatch.setattr(sources, "source_digest", lambda *names: "edited")
    export(SMALL, "small")
    export(SMALL, "small")
    assert exports == ["small", "small"]


class Foreign(wiring.Component):
    """A component of nobody's sources."""

    a: Signal
    b: Signal

    def __init__(self) -> None:
        super().__init__({"a": In(2), "b": Out(2)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.b.eq(~self.a)
        return m


class Better(Sram):
    """Ours, changed."""


@pytest.mark.parametrize("kind", [Foreign, Better])
def test_classes_outside_of_the_sources_are_refused(
    kind: type[wiring.Component], exports: list[str]
) -> None:
    for blueprint in (Blueprint.of(kind), Blueprint.of(Sram, rows=Blueprint.of(kind), bits=1)):
        with pytest.raises(TypeError, match="is not among the sources of the key"):
            export(blueprint, "it")
    export(Foreign(), "it")
    assert exports == ["it"]


def test_the_digest_sees_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sourcy"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "inner/__init__.py", "inner/two.py", "inner/data.v"):
        (package / name).write_text(f"# {name}\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("sourcy", "sourcy.inner"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    seen = {source_digest("sourcy")}
    for name in ("one.py", "inner/two.py", "inner/data.v", "inner/new.py"):
        (package / name).write_text("# edited\n")
        seen.add(source_digest("sourcy"))
    (package / "one.py").rename(package / "three.py")
    seen.add(source_digest("sourcy"))
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "one.cpython-311.pyc").write_bytes(b"\0")
    assert source_digest("sourcy") in seen
    assert len(seen) == 6
    one = source_digest("sourcy.inner.two")
    (package / "inner" / "data.v").write_text("// not the module's\n")
    assert source_digest("sourcy.inner.two") == one
    with pytest.raises(ModuleNotFoundError, match=r"sourcy\.missing"):
        source_digest("sourcy.missing")


def _imports(module: str, source: str) -> Iterator[str]:
    """Modules of ours that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, module
            names = [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        for name in names:
            if name.startswith("spikewatt.") and _file(name) is not None:
                yield name


def _file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def test_the_digest_holds_all_that_components_import() -> None:
    """A module that hdl/ imports from elsewhere decides on the Verilog as much as hdl/ does."""
    root = _file("spikewatt.hdl")
    assert root is not None
    queue = [
        ".".join(("spikewatt.hdl", *path.relative_to(root.parent).with_suffix("").parts))
        for path in root.parent.rglob("*.py")
    ]
    queue += ["spikewatt.synth.fpga.harness", "spikewatt.synth.fpga.board_top"]
    queue = ["spikewatt.synth.verilog", *(n.removesuffix(".__init__") for n in queue)]
    seen: set[str] = set()
    while queue:
        module = queue.pop()
        path = _file(module)
        if module in seen or path is None:
            continue
        seen.add(module)
        queue += _imports(module, path.read_text())
    within = tuple(f"{name}." for name in SOURCES)
    parents = {"spikewatt.model", "spikewatt.synth"}  # docstrings only
    assert [m for m in seen - parents if not f"{m}.".startswith(within)] == []
    assert {"spikewatt.model.params.core", "spikewatt.base.errors"} <= seen
