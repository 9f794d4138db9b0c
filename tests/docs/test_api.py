"""The page of the public interface is what the code says; every name is there, with a docstring."""

import importlib
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import spikewatt as sw

DOCS = Path(__file__).parents[2] / "docs"


def script() -> ModuleType:
    """``docs/api.py``, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("api", DOCS / "api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_the_code() -> None:
    assert (DOCS / "api.md").read_text() == script().page(), "run python docs/api.py"


@pytest.mark.parametrize("name", [name for name in sw.__all__ if name != "__version__"])
def test_names_are_there(name: str) -> None:
    home = getattr(importlib.import_module(sw._HOMES[name]), name)
    assert inspect.getdoc(home)
    assert home.__name__ == name
    # `sw.energy` is a sub-package too, and answers to a call: tests/flow/test_energy.py.
    assert getattr(sw, name) is home or name == "energy"


def test_no_other_name() -> None:
    assert sorted(sw._HOMES) == sorted(set(sw.__all__) - {"__version__"})
    assert dir(sw) == sorted(sw.__all__)
    with pytest.raises(AttributeError, match="module 'spikewatt' has no attribute 'runs'"):
        getattr(sw, "runs")  # noqa: B009  # a type checker knows that there is none
