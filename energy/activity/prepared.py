"""A netlist and a waveform, brought together: what the replay starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.elements import Elements, build_elements
from spikewatt.energy.activity.hidden import Checked, check_reads, check_unknown, compute
from spikewatt.energy.activity.loops import Cut, find_cut, read_rows
from spikewatt.energy.activity.matching import Matches, SourceBit, match
from spikewatt.energy.activity.program import Program, compile_program
from spikewatt.energy.activity.samples import Early, Samples, read_samples, watch
from spikewatt.energy.activity.waveform import Reader, Waveform, open_waveform
from spikewatt.energy.choices import InputOrder
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Prepared", "clock_inputs", "prepare"]

"""Called with what is being done, and how much of it is done, 0 to 1."""


@dataclass(frozen=True)
class Prepared:
    """A netlist with the samples of one waveform, ready to be replayed."""

    netlist: Netlist
    elements: Elements
    program: Program
    matches: Matches
    samples: Samples
    seeds: Mapping[int, bool]
    """What the waveform shows of latches at its beginning, by row."""
    clock_roots: tuple[int, ...]
    """Top inputs that clock flip-flops: those that toggle as clocks do, or else all of them."""
    tick_s: float
    path: Path
    inputs: InputOrder = "after"
    """Whether inputs that change at a clock edge do so before or after it."""
    late_inputs: int = 0
    """Edges at which they do so after it nevertheless."""
    checked: Checked | None = None
    """Flip-flops held against the waveform for as long as a part of it is unknown."""
    reads: Checked | None = None
    """Reads of memories held against what was written."""

    @property
    def mismatches(self) -> int:
        """Differences between waveform and netlist that are found before the replay."""
        return sum(each.count for each in (self.checked, self.reads) if each is not None)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Names of state bits that the waveform does not show, and of nets without a driver.

        The value of the former is computed where the rest determines it, and else taken as 0.
        """
        names = self.netlist.names
        nets = (names[net][0] for net in self.program.unmatched if net < len(names))
        return tuple(dict.fromkeys((*nets, *self.program.inferred)))


def prepare(
    netlist: Netlist,
    library: Library,
    waveform: Waveform | Path | str,
    scope: str | None = None,
    *,
    reader: Reader = "own",
    inputs: InputOrder = "after",
    but: NDArray[np.int64] | None = None,
    reads: bool = False,
    progress: Progress = silent,
) -> Prepared:
    """Match names, compile the netlist, read the waveform.

    Parameters
    ----------
    inputs:
        Whether inputs that change at the very time of a clock edge do so ``after`` it, so that
        flip-flops take what was there, or ``before`` it.
    but:
        int64[k], ticks of the waveform at which inputs change after an edge nevertheless.
    reads:
        Hold what memories read against what was written to them.

    Raises
    ------
    NetlistError
        An unknown cell or a combinational loop.
    WaveformError
        A scope or file that does not serve.
    """
    wave = waveform if isinstance(waveform, Waveform) else open_waveform(waveform, reader)
    elements = build_elements(netlist, library)
    matches = match(wave, netlist, elements, scope)
    # Before the program is compiled: which inputs toggle as clocks do, only the samples tell, and
    # it is by them that the program is cut into its two stages.
    clocks = [net for net in clock_inputs(netlist, elements) if net in matches.roots]
    shown = {**dict.fromkeys(matches.others, False), **dict.fromkeys(matches.roots, True)}
    cut = find_cut(netlist, elements, shown)
    extra = {row: matches.others[row] for row in cut.forced}
    latches = {element.state.row for element in elements.states if not element.edge}
    seen = (bit for row, bit in matches.others.items() if row in latches or row in extra)
    wave.load(bit.signal for bit in (*matches.roots.values(), *seen))
    tops = {n for p in netlist.ports.values() if p.direction != "output" for n in p.nets}
    outs = {n for p in netlist.ports.values() if p.direction == "output" for n in p.nets}
    none = np.zeros(0, np.int64)
    early = Early()
    if inputs == "before":
        early = Early(tops & matches.roots.keys(), none if but is None else but)
    samples = read_samples(wave, {**matches.roots, **extra}, clocks, progress, early=early)
    roots = samples.root_rows.tolist()
    cut = Cut(cut.forced, _computed(cut, netlist, elements, samples))
    never: tuple[int, ...] = ()
    if cut.computed:
        done = compute(netlist, elements, samples, cut.computed, progress)
        samples, never = done.samples, done.never
    outputs = {row: bit for row, bit in matches.others.items() if row in outs and row not in extra}
    samples = watch(samples, wave, outputs, early, progress)
    program = compile_program(netlist, elements, shown, roots, cut)
    if never:
        program = program.with_assumed(never)
    checked = None
    if samples.settled > samples.times[0]:
        checked = check_unknown(netlist, elements, samples, samples.settled, progress)
    seeds = {
        row: value
        for row, bit in matches.others.items()
        if row in latches and (value := _first(wave, bit)) is not None
    }
    return Prepared(
        netlist=netlist,
        elements=elements,
        program=program,
        matches=matches,
        samples=samples,
        seeds=seeds,
        clock_roots=tuple(roots or clocks),
        tick_s=samples.tick_s,
        path=wave.path,
        inputs=inputs,
        late_inputs=0 if but is None else len(but),
        checked=checked,
        reads=check_reads(netlist, elements, samples, progress) if reads else None,
    )


def _computed(cut: Cut, netlist: Netlist, elements: Elements, samples: Samples) -> tuple[int, ...]:
    """Rows that are computed sample by sample: what cuts loops, and what is X at times."""
    edges = {element.state.row for element in elements.states if element.edge}
    vague = {row for span in samples.unknown if not span.leading for row in span.rows}
    vague |= {row for span in samples.unknown if span.end >= samples.times[-1] for row in span.rows}
    computed = set(cut.computed) | vague & (edges | set(read_rows(netlist))) & samples.vague.keys()
    if computed:  # what hangs on an X is known only as far as that is
        shown = {*samples.data_rows.tolist(), *samples.root_rows.tolist()}
        computed |= edges - shown
    return tuple(sorted(computed))


def _first(wave: Waveform, source: SourceBit) -> bool | None:
    """First value of a bit; ``None`` if it is unknown."""
    changes = wave.changes(source.signal)
    if not len(changes.times):
        return None
    word, place = source.bit >> 6, np.uint64(source.bit & 63)
    if changes.unknown is not None and (changes.unknown[0, word] >> place) & np.uint64(1):
        return None
    return bool((changes.values[0, word] >> place) & np.uint64(1)) ^ source.inverted


def clock_inputs(netlist: Netlist, elements: Elements) -> list[int]:
    """Top inputs from which a clock pin can be reached through gates."""
    inputs = {n for p in netlist.ports.values() if p.direction != "output" for n in p.nets}
    return sorted(inputs & _behind(elements))


def _behind(elements: Elements) -> set[int]:
    """Rows from which a clock pin can be reached through gates."""
    drivers = {step.out: step for step in elements.steps}
    latches = {element.state.row: element for element in elements.states if not element.edge}
    behind: set[int] = set()
    queue = list(elements.clocks)
    while queue:
        row = queue.pop()
        if row in behind:
            continue
        behind.add(row)
        if row in drivers:
            queue.extend(operand.row for operand in drivers[row].operands)
        elif row in latches:
            queue.append(latches[row].control.row)
    return behind
