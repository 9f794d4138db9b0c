"""Streams and ports of the neuromorphic core."""

from amaranth.hdl import signed
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import row_layout
from spikewatt.model.params import (
    CoreParams,
    HostCommand,
    TableId,
)

__all__ = [
    "AwakePort",
    "Command",
    "EntryPort",
    "Probe",
    "SumsPort",
    "entry_layout",
    "event_layout",
    "fired_layout",
    "packet_layout",
    "step_layout",
]


class Command(enum.Enum, shape=1):
    """The commands that reach a core: one bit, with the host's numbers."""

    TICK = HostCommand.TICK.value
    CLEAR = HostCommand.CLEAR.value


def event_layout(params: CoreParams) -> data.StructLayout:
    """Payload of an event: the axon it arrives at, and its delay in ticks."""
    return data.StructLayout({"axon": params.axon_bits, "delay": params.slot_bits})


def packet_layout(params: CoreParams) -> data.StructLayout:
    """Payload of a spike on its way to another core: a row of the destination list."""
    return row_layout(params.tables[TableId.DESTINATIONS])


def entry_layout(params: CoreParams) -> data.StructLayout:
    """Entry of the work list: synapse word of group 0 (modulo the SRAM), first and last group."""
    fields = {field.name: field.bits for field in params.tables[TableId.ROWS].fields}
    # `present` stays behind: only rows that are there become entries.
    return data.StructLayout({name: fields[name] for name in ("offset", "first", "last")})


def step_layout(params: CoreParams) -> data.StructLayout:
    """One step of the walk: what to do with the list entry that it reads.

    ``read``: it reads an entry. ``probe``: the group ends where an entry of a later group, or the
    end of the list, turns up. ``start``, ``end``: first and, if known beforehand, last step.
    """
    return data.StructLayout(
        {
            "group": params.group_bits,
            "index": range(params.axons + 1),
            "read": 1,
            "probe": 1,
            "start": 1,
            "end": 1,
        }
    )


class EntryPort(wiring.Signature):
    """What the entry of the step before tells the walker, seen by the one who reads entries.

    Members
    -------
    probe_missed : Out(1)
        The step was a probe and ran into the first entry behind the range, or behind the list.
    probe_hit : Out(1)
        The step was a probe and its entry is one of the range.
    last_use : Out(1)
        The entry reaches no later group than the step's.
    index : Out
        Index of the entry.
    entry : Out
        The entry.
    """

    def __init__(self, params: CoreParams) -> None:
        super().__init__(
            {
                "probe_missed": Out(1),
                "probe_hit": Out(1),
                "last_use": Out(1),
                "index": Out(range(params.axons + 1)),
                "entry": Out(entry_layout(params)),
            }
        )


class AwakePort(wiring.Signature):
    """Whether a group must be visited in the next tick even if nothing reaches it.

    Members
    -------
    enable, group, value : Out
    """

    def __init__(self, params: CoreParams) -> None:
        super().__init__({"enable": Out(1), "group": Out(params.group_bits), "value": Out(1)})


class SumsPort(wiring.Signature):
    """How a group's sums get from the synapse lanes to the neurons, seen by the lanes.

    Members
    -------
    finish : Out(1), finish_group : Out
        The last list entry of this group has come: read its neurons at the next edge.
    finish_ready : In(1)
        The neurons can take another group. Always set where ``params.registered``: a group that
        has left the register behind the synapse memory cannot wait.
    advance : In(1)
        The neurons' pipeline moves in this cycle, and so may the lanes'.
    add_last : Out(1), add_group : Out, has_input : Out(1)
        The last synapse word of this group is being added; whether there was one at all.
    sums : Out
        One exact sum a lane; complete from the cycle after ``add_last``, for one cycle.
    """

    def __init__(self, params: CoreParams) -> None:
        sums = data.ArrayLayout(signed(params.accumulator_bits), params.lanes)
        super().__init__(
            {
                "finish": Out(1),
                "finish_group": Out(params.group_bits),
                "finish_ready": In(1),
                "advance": In(1),
                "add_last": Out(1),
                "add_group": Out(params.group_bits),
                "has_input": Out(1),
                "sums": Out(sums),
            }
        )


def fired_layout(params: CoreParams) -> data.StructLayout:
    """Who fired: a group and its neurons."""
    return data.StructLayout({"group": params.group_bits, "mask": params.lanes})


class Probe(wiring.Signature):
    """What a test bench or a meter sees of a core: outputs that nothing inside depends on.

    Members
    -------
    update : Out(1)
        The neurons of ``group`` are updated in this cycle.
    group, state, spikes : Out
        Their group, their state after the update (a row of the state table), and who fires.
    merge : Out(1)
        An event found its scheduler bit set.
    synapse : Out(1)
        A synapse word is read.
    """

    def __init__(self, params: CoreParams) -> None:
        super().__init__(
            {
                "update": Out(1),
                "group": Out(params.group_bits),
                "state": Out(params.tables[TableId.STATE].bits),
                "spikes": Out(params.lanes),
                "merge": Out(1),
                "synapse": Out(1),
            }
        )
