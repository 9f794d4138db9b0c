"""Write docs/api.md, a section for every public name: ``python docs/api.py``.

The text is that of the docstrings, so that the page cannot say anything else than the code.
"""

import importlib
import inspect
from enum import Enum
from pathlib import Path
from typing import Any

import spikewatt as sw

__all__ = ["page"]

HERE = Path(__file__).parent
INTRODUCTION = """\
# Python interface

`import spikewatt as sw` has these names; each is loaded when it is first used. `python docs/api.py`
makes this page of the docstrings.

```python
import spikewatt as sw

network, x, y = sw.load_digits()
report = sw.run(network, x[:32], y[:32], energy=8)
report.bit_exact, report.accuracy["rtl"], report.energy["per_image_j"]
```
"""
STARS = {inspect.Parameter.VAR_KEYWORD: "**", inspect.Parameter.VAR_POSITIONAL: "*"}


def section(name: str) -> str:
    """What the page says of a name: its signature, and its docstring as it stands."""
    if name == "__version__":
        return f"## `{name}`\n\nVersion of the package.\n"
    value = at_home(name)
    kind = "class" if isinstance(value, type) else "function"
    text = inspect.getdoc(value) or ""
    raised = isinstance(value, type) and issubclass(value, Exception)
    if isinstance(value, type) and issubclass(value, Enum):
        kind, use = "enumeration", "\n".join(f"sw.{name}.{member}" for member in value.__members__)
    else:
        use = "" if raised else signature(name)
    call = f"```text\n{use}\n```\n\n" if use else ""
    return f"## `{name}`\n\n{kind} of `{value.__module__}`\n\n{call}```text\n{text}\n```\n"


def at_home(name: str) -> Any:
    """What the name stands for, from the module that defines it."""
    return getattr(importlib.import_module(sw._HOMES[name]), name)


def signature(name: str) -> str:
    """How it is called, without types: these are in the code."""
    parameters = list(inspect.signature(at_home(name)).parameters.values())
    words = [word(parameter) for parameter in parameters]
    keywords = [each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters]
    if any(keywords):
        words.insert(keywords.index(True), "*")
    return f"sw.{name}({', '.join(words)})"


def word(parameter: inspect.Parameter) -> str:
    """A parameter, with its default where that is plain data: other values print an address."""
    name, default = STARS.get(parameter.kind, "") + parameter.name, parameter.default
    if default is inspect.Parameter.empty:
        return name
    plain = default is None or isinstance(default, bool | int | float | str | tuple)
    return f"{name}={default!r}" if plain else f"{name}=…"


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *(section(name) for name in sw.__all__)])


if __name__ == "__main__":
    (HERE / "api.md").write_text(page())
