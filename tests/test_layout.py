"""The shape of the repository: every package ships, and imports only go down the floors."""

import ast
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
MAY_IMPORT = {  # docs/architecture.md; besides itself
    "base": (),
    "model": ("base",),
    "hdl": ("base", "model.params"),  # never golden arithmetic: RTL and model are two opinions
    "synth": ("base", "hdl", "model"),
    "cosim": ("base", "hdl", "synth.verilog", "model"),
    "energy": ("base", "synth", "model"),
    "targets": ("base", "energy", "cosim", "synth", "hdl", "model"),
    "flow": ("base", "targets", "energy", "cosim", "synth", "hdl", "model"),
}
PUBLIC = "spikewatt"  # its folder holds the public names and nothing else
SHIPPED = sorted({name.split(".")[1] for name in CONFIG["packages"] if name != PUBLIC})


def sources(floor: str) -> list[Path]:
    """Python files of a floor."""
    found = sorted((ROOT / floor).rglob("*.py"))
    assert found, f"{floor} holds no source"
    return found


def module_of(source: Path) -> str:
    parts = source.relative_to(ROOT).with_suffix("").parts
    return ".".join(("spikewatt", *(part for part in parts if part != "__init__")))


def imported(text: str) -> Iterator[str]:
    """Full names that the imports of a source name, wherever they stand in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def forbidden(floor: str, text: str) -> list[str]:
    """Imports of a source on ``floor`` that do not go down."""
    allowed = [f"spikewatt.{name}." for name in (floor, *MAY_IMPORT[floor])]
    return [
        name
        for name in imported(text)
        if name.startswith("..")
        or name.split(".")[0] in MAY_IMPORT
        or (name.split(".")[0] == "spikewatt" and not f"{name}.".startswith(tuple(allowed)))
    ]


@pytest.mark.parametrize("floor", SHIPPED)
def test_imports_go_down(floor: str) -> None:
    found = {module_of(source): forbidden(floor, source.read_text()) for source in sources(floor)}
    assert {name: bad for name, bad in found.items() if bad} == {}


@pytest.mark.parametrize(
    ("floor", "text", "bad"),
    [
        ("model", "import numpy\nfrom spikewatt.model.params import bits_for", []),
        ("model", "from spikewatt.hdl import bits", ["spikewatt.hdl.bits"]),
        ("hdl", "from spikewatt.model import params", []),
        ("hdl", "from spikewatt.model.params_of import x", ["spikewatt.model.params_of.x"]),
        ("hdl", "from spikewatt.model import golden", ["spikewatt.model.golden"]),
        ("hdl", "def f():\n    import spikewatt.model.golden", ["spikewatt.model.golden"]),
        ("hdl", "from spikewatt import model", ["spikewatt.model"]),
        ("synth", "from spikewatt.cosim.mesh import x", ["spikewatt.cosim.mesh.x"]),
        ("cosim", "from spikewatt.synth.verilog import export", []),
        ("cosim", "from spikewatt.synth.yosys import x", ["spikewatt.synth.yosys.x"]),
        ("flow", "from .. import model", ["...model"]),
        ("flow", "import model.params", ["model.params"]),
        ("flow", "import spikewatt", ["spikewatt"]),
    ],
)
def test_the_rule_itself(floor: str, text: str, bad: list[str]) -> None:
    assert forbidden(floor, text) == bad


def test_the_rule_has_no_cycle() -> None:
    order = list(MAY_IMPORT)
    for floor, below in MAY_IMPORT.items():
        assert {name.split(".")[0] for name in below} <= set(order[: order.index(floor)]), floor


def test_every_package_is_shipped() -> None:
    folders = [item for item in ROOT.iterdir() if (item / "__init__.py").exists()]
    assert {folder.name for folder in folders} <= {PUBLIC, *MAY_IMPORT}
    floors = [folder for folder in folders if folder.name != PUBLIC]
    found = {module_of(init) for folder in floors for init in folder.rglob("__init__.py")}
    assert found | {PUBLIC} == set(CONFIG["packages"])
    mapped = {f"spikewatt.{folder.name}": folder.name for folder in floors}
    assert CONFIG["package-dir"] == {PUBLIC: PUBLIC, **mapped}


def test_the_public_names_have_no_code_beside_them() -> None:
    kept = {item.name for item in (ROOT / PUBLIC).iterdir() if item.name != "__pycache__"}
    assert kept == {"__init__.py", "py.typed"}


def test_every_source_lies_in_a_package() -> None:
    for floor in SHIPPED:
        for source in sources(floor):
            assert (source.parent / "__init__.py").exists(), source


def data_patterns() -> Iterator[tuple[str, str]]:
    for package, patterns in CONFIG["package-data"].items():
        for name in [*SHIPPED, PUBLIC] if package == "*" else [package.removeprefix("spikewatt.")]:
            yield from ((name.replace(".", "/"), pattern) for pattern in patterns)


@pytest.mark.parametrize(("folder", "pattern"), list(data_patterns()))
def test_every_data_pattern_matches_a_file(folder: str, pattern: str) -> None:
    assert any(item.is_file() for item in (ROOT / folder).glob(pattern))


def test_every_data_file_is_shipped() -> None:
    """A file that no pattern matches works from a clone and is missing from the wheel."""
    shipped = {
        item for folder, pattern in data_patterns() for item in (ROOT / folder).glob(pattern)
    }
    kept = {
        item
        for floor in [*SHIPPED, PUBLIC]
        for item in (ROOT / floor).rglob("*")
        if item.is_file() and item.suffix != ".py" and "__pycache__" not in item.parts
    }
    assert kept - shipped == set()


MODULES = [
    source
    for floor in SHIPPED
    for source in sources(floor)
    if len(ast.parse(source.read_text()).body) > 1  # more than a docstring
]


@pytest.mark.parametrize("source", MODULES, ids=[module_of(source) for source in MODULES])
def test_modules_say_what_they_offer(source: Path) -> None:
    module = importlib.import_module(module_of(source))
    assert module.__file__ is not None
    assert Path(module.__file__).samefile(source)  # the installed package is this clone
    offered = module.__all__
    assert offered
    assert len(set(offered)) == len(offered)
    assert [name for name in offered if not hasattr(module, name)] == []
    assert [name for name in offered if name.startswith("_")] == []


def test_every_file_says_what_it_is() -> None:
    for floor in SHIPPED:
        for source in sources(floor):
            assert ast.get_docstring(ast.parse(source.read_text())), source


def test_the_type_checker_finds_every_floor() -> None:
    links = {item.name: item for item in (ROOT / "typings" / "spikewatt").iterdir()}
    for name in ("__init__.py", "py.typed"):
        assert links.pop(name).readlink() == Path("../../spikewatt", name)
    assert sorted(links) == SHIPPED
    for name, link in links.items():
        assert link.is_symlink()
        assert link.readlink() == Path("../..", name)
        assert link.resolve() == ROOT / name
        assert (ROOT / name / "py.typed").exists()


def test_tests_mirror_the_folders() -> None:
    """``tests/hdl/`` tests ``hdl/``; with importlib mode the tests are no packages."""
    folders = [item for item in (ROOT / "tests").iterdir() if item.is_dir()]
    names = {item.name for item in folders if item.name != "__pycache__"}
    assert names <= {*MAY_IMPORT, "data", "examples", "bench", "docs", "scripts"}
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_the_picture_names_every_floor() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [floor for floor in SHIPPED if f"`{floor}/" not in text] == []
