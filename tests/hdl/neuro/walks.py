"""What the walker and the synapse lanes say to each other, as the other one sees it."""

from dataclasses import dataclass, field

from spikewatt.model.compile.program import Program

__all__ = ["Entry", "EntryStage", "Step", "entries_of", "groups_reached"]


@dataclass(frozen=True)
class Entry:
    """An entry of the work list: the axon's word of group 0, its first and last group."""

    offset: int
    first: int
    last: int

    def reaches(self, group: int) -> bool:
        """Whether the axon has synapses to a group."""
        return self.first <= group <= self.last


@dataclass(frozen=True)
class Step:
    """One step of the walk; fields as those of ``step_layout``."""

    group: int
    index: int
    read: int
    probe: int
    start: int
    end: int


def entries_of(program: Program, axons: list[int]) -> list[Entry]:
    """Entries of axons that are due."""
    offsets = program.row_base - program.row_first
    return [
        Entry(int(offsets[axon]), int(program.row_first[axon]), int(program.row_last[axon]))
        for axon in axons
        if program.row_words[axon]
    ]


def groups_reached(entries: list[Entry]) -> set[int]:
    """Groups that some entry reaches."""
    return {group for entry in entries for group in range(entry.first, entry.last + 1)}


@dataclass
class EntryStage:
    """The stage in which a step's entry has come, and what it tells the walker.

    ``registered``: there is one more register in front of it. ``runs``: the steps that it had,
    group by group.
    """

    entries: list[Entry]
    registered: bool
    runs: list[list[Step]] = field(default_factory=list)
    asked: Step | None = None
    here: Step | None = None

    @property
    def behind(self) -> bool:
        """The step reads no entry of its group or of an earlier one."""
        assert self.here is not None
        return not self.here.read or self.entries[self.here.index].first > self.here.group

    @property
    def missed(self) -> bool:
        """A probe that ran into the first entry behind the range, or behind the list."""
        return self.here is not None and bool(self.here.probe) and self.behind

    @property
    def probe_hit(self) -> bool:
        """A probe that found an entry of the range."""
        return self.here is not None and bool(self.here.probe) and not self.behind

    @property
    def last_use(self) -> bool:
        """The entry reaches no later group."""
        here = self.here
        return here is not None and not self.behind and self.entries[here.index].last <= here.group

    @property
    def hit(self) -> bool:
        """The entry reaches the step's group."""
        here = self.here
        return here is not None and not self.behind and self.entries[here.index].reaches(here.group)

    def move(self, step: Step | None) -> None:
        """An edge at which steps move on; a step behind a missed probe is dropped."""
        missed = self.missed
        if self.registered:
            step, self.asked = (None if missed else self.asked), step
        self.here = step
        if step is not None:
            if step.start or not self.runs:
                self.runs.append([])
            self.runs[-1].append(step)

    @property
    def empty(self) -> bool:
        """No step is in it."""
        return self.here is None and self.asked is None
