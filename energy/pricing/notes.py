"""What a reader of priced activity has to know: what was assumed, and what is not in it."""

from collections import Counter
from collections.abc import Iterator

from spikewatt.energy.activity.activity import Activity
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["notes"]

_NAMED = 5
"""Types of black boxes that are named one by one."""


def notes(
    netlist: Netlist, library: Library, activity: Activity, sram_reason: str
) -> Iterator[str]:
    """Sentences about what was priced; ``sram_reason`` is one of them already."""
    if activity.delays:
        yield (
            "states change later than their clock edges, so that each is checked at the next one; "
            "gates are replayed without delays, as if they changed at once"
        )
    if activity.inputs == "before":
        late = f", at {activity.late_inputs:,} edges after it" if activity.late_inputs else ""
        yield (
            f"inputs that change at a clock edge are taken to change before it{late}: drive them "
            "with nonblocking assignments, or between edges"
        )
    if activity.mismatches:
        yield f"{activity.mismatches:,} differences between waveform and netlist (--tolerate)"
    if boxes := Counter(box.type for box in netlist.black_boxes):
        kinds = [f"{name} ({count:,})" for name, count in boxes.most_common(_NAMED)]
        if len(boxes) > _NAMED:
            kinds.append(f"{len(boxes) - _NAMED} more types")
        number = "1 black box" if boxes.total() == 1 else f"{boxes.total():,} black boxes"
        yield f"{number} without power, of which no library tells: {', '.join(kinds)}"
    if any(cell.voltage is not None for cell in library.cells.values()):
        yield "the libraries have several supplies, and each net has that of its driver"
    if sram_reason and netlist.memories:
        yield sram_reason
