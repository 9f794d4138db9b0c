"""Netlist files: yosys's JSON, or structural Verilog from any tool."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikewatt.base.cache import cached
from spikewatt.base.errors import NetlistError, ToolError
from spikewatt.base.progress import Progress, silent
from spikewatt.base.sources import Sources
from spikewatt.base.values import cached_value
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_stubs
from spikewatt.synth.netlist.flatten import flatten, is_stub
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.structure import check_structure
from spikewatt.synth.yosys import run_yosys, yosys_version

__all__ = ["read_netlist"]

_MODULE = re.compile(r"\bmodule\s+(?:\\(?=\S))?([^\s(;#]+)")
_WITH_PARAMETERS = re.compile(r"\$paramod(?:\$[0-9a-f]+)?\\([^\\]+)")
_SOURCES = Sources(("spikewatt.base", "spikewatt.synth"))
_GZIP = b"\x1f\x8b"
_READ = """\
read_verilog -lib stubs.v
read_verilog -icells netlist.v
hierarchy {options}
"""
# Memories of structural netlists may be written as processes: yosys makes cells of its own of
# these, and whatever was there before is kept as it is.
_PROCESSES = """\
setattr -set keep 1 c:* t:$* %d
proc -noopt
opt_dff -simple-dffe -nosdff
opt_clean
memory -nomap -nosat -nowiden -norom
simplemap t:$mux
opt_expr -mux_undef -mux_bool
opt_clean
"""
_WRITE = "write_json netlist.json\n"


def read_netlist(
    path: Path | str,
    library: Library,
    *,
    top: str | None = None,
    progress: Progress = silent,
) -> Netlist:
    """Netlist of the cells of a library, made flat.

    Parameters
    ----------
    path:
        JSON as yosys writes it, flat or with its hierarchy; or structural Verilog, which yosys
        turns into JSON, once for the same content. Either may be compressed by gzip.
    library:
        The library that the netlist was mapped to.
    top:
        The top module; by default the one marked as top, or that no other module holds.
    progress:
        Called with what is being done, where that takes time.

    Raises
    ------
    NetlistError
        A file that is not such a netlist; an instance that is neither of a cell of the library
        nor of a module of the netlist; a net with two drivers.
    ToolError
        Verilog, and no yosys to read it.
    """
    path = Path(path)
    text = _text(path)
    if not text.strip():
        raise NetlistError(f"{path} is empty: a netlist was expected")
    try:
        # A library made by hand has no text that could stand in a key.
        if not library.digest:
            return _parsed(text, library, top, progress)
        # A netlist is kept with the hash of all that it was made from, which then stands for it.
        content = [hashlib.sha256(text.encode()).hexdigest(), library.digest, str(top)]
        content += [] if _is_json(text) else [yosys_version()]

        def parse() -> Netlist:
            return _signed(_parsed(text, library, top, progress), content)

        return cached_value("parsed", content, _SOURCES, parse)
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from None


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _parsed(text: str, library: Library, top: str | None, progress: Progress) -> Netlist:
    """Netlist of a file's text."""
    if not _is_json(text):
        # One format from here on: all that yosys knows of Verilog we need not know.
        text = _converted(text, library, top, progress)
    modules = _modules(text)
    return flatten(modules, _top(modules, top, library), library)


def _signed(netlist: Netlist, content: Iterable[str]) -> Netlist:
    """The netlist, with its digest."""
    digest = hashlib.sha256("\0".join([*content, _SOURCES.digest]).encode()).hexdigest()
    object.__setattr__(netlist, "digest", digest)
    return netlist


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        if b"\0" in data:
            raise NetlistError(f"{path} is not text: JSON or Verilog was expected")
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")  # names in comments
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise NetlistError(f"{path} cannot be decompressed ({error})") from None
    except OSError as error:
        raise NetlistError(f"{path} cannot be read ({error.strerror})") from None


def _converted(text: str, library: Library, top: str | None, progress: Progress) -> str:
    """Verilog as JSON, by yosys."""
    if top is None:
        names = set(_MODULE.findall(text))
        # The usual case, which saves a run of yosys to find the top.
        plain = names.pop() if len(names) == 1 else None
        top = plain or _top(_modules(_by_yosys(text, library, "", progress)), None, library)
    elif top not in (names := _MODULE.findall(text)):
        raise _no_module(top, names)
    return _by_yosys(text, library, f"-top {top}", progress)


def _by_yosys(text: str, library: Library, options: str, progress: Progress) -> str:
    """JSON of Verilog text; without the option ``-top``, parameters of modules are not applied."""
    memories = _PROCESSES if options and re.search(r"\balways\b", text) else ""
    script = _READ.format(options=options) + memories + ("" if options else "proc\n") + _WRITE
    stubs = verilog_stubs(library)

    def build(folder: Path) -> None:
        progress("reading the netlist with yosys")
        (folder / "stubs.v").write_text(stubs)
        (folder / "netlist.v").write_text(text)
        run_yosys(script, folder, progress=progress)

    try:
        folder = cached("netlist", [script, stubs, text], build, tools={"yosys": yosys_version()})
    except ToolError as error:
        raise _unreadable(error) from None
    return (folder / "netlist.json").read_text()


def _no_module(name: str, names: Iterable[str]) -> NetlistError:
    some = ", ".join(list(names)[:5]) or "none"
    return NetlistError(f"it holds no module {name}: choose the top among {some}")


def _unreadable(error: ToolError) -> Exception:
    """What yosys says of a netlist is about the netlist; anything else about yosys."""
    match = re.match(r"yosys failed: netlist\.v:(\d+): (.*)", str(error))
    if match:
        return NetlistError(f"line {match[1]}: not a structural Verilog netlist: {match[2]}")
    return error


def _modules(text: str) -> Mapping[str, Any]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise NetlistError(f"line {error.lineno}: not JSON, or cut short ({error.msg})") from None
    except RecursionError:
        raise NetlistError("not a netlist of yosys: nested too deep") from None
    return check_structure(content)


def _top(modules: Mapping[str, Any], chosen: str | None, library: Library) -> str:
    """Name of the top module."""
    real = {
        name: module
        for name, module in modules.items()
        if not is_stub(module) and name not in library.cells
    }
    if not real:
        raise NetlistError("it holds no module")
    if chosen is not None:
        if chosen not in real:
            raise _no_module(chosen, real)
        return chosen
    marked = [name for name, m in real.items() if "1" in str(m["attributes"].get("top", ""))]
    held = {cell["type"] for module in real.values() for cell in module["cells"].values()}
    # Instances of a module with parameters have a made-up type with its name in it.
    held |= {match[1] for kind in held if (match := _WITH_PARAMETERS.match(kind))}
    free = marked or [name for name in real if name not in held]
    if len(free) != 1:
        candidates = ", ".join((free or list(real))[:5])
        raise NetlistError(f"which module is the top is not clear: name one of {candidates}")
    return free[0]
