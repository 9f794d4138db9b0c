"""What is loaded into a mesh: a program for each tile, and where the host's packets go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.mesh.route import HOST, Sends, sends
from spikewatt.model.compile.program import Program
from spikewatt.model.params import MeshParams
from spikewatt.model.params.checks import within
from spikewatt.model.run import Piece

__all__ = ["MeshInput", "MeshProgram", "Piece"]


@dataclass(frozen=True)
class MeshInput:
    """Where some of the encoder's spikes enter.

    Input ``first + k`` drives axon ``axon + k`` of ``tile`` after ``delay``, for k below ``count``.
    """

    tile: int
    axon: int
    delay: int
    first: int
    count: int


@dataclass(frozen=True, kw_only=True)
class MeshProgram:
    """Configuration of a mesh.

    Parameters
    ----------
    params:
        The hardware the program is for.
    tiles:
        A program for each tile, all for ``params.core``. Destinations (dx, dy) are relative to the
        tile; the host is at ``params.host_offset(tile)``.
    inputs:
        Where the encoder's spikes enter.
    neurons_of:
        For each population the pieces that it is made of.
    host_axons:
        Axons that the host listens on: a spike of neuron ``k`` of a readout by spike counts is sent
        to the host's axon ``k``. 0 where the class is read from membranes.

    Raises
    ------
    ParameterError
        When programs are for another core, or packets would leave the mesh.
    """

    params: MeshParams
    tiles: tuple[Program, ...]
    inputs: tuple[MeshInput, ...] = ()
    neurons_of: Mapping[str, tuple[Piece, ...]] = field(default_factory=dict)
    host_axons: int = 0

    def __post_init__(self) -> None:
        params = self.params
        if len(self.tiles) != params.tiles:
            raise ParameterError(
                f"tiles must hold {params.tiles} programs, one for each tile, not {len(self.tiles)}"
            )
        for tile, program in enumerate(self.tiles):
            if program.params != params.core:
                raise ParameterError(f"the program of tile {tile} is for another core")
        within("host_axons", self.host_axons, 0, params.core.axons)
        for port in self.inputs:
            within("tile of an input", port.tile, 0, params.tiles - 1)
            within("delay of an input", port.delay, 1, params.core.delay_slots - 1)
            within("first axon of an input", port.axon, 0, params.core.axons - 1)
            within("last axon of an input", port.axon + port.count - 1, 0, params.core.axons - 1)
        for tile, sent in enumerate(self.sends):
            if (sent.target < HOST).any():
                neuron = int(sent.neuron[sent.target < HOST][0])
                raise ParameterError(f"neuron {neuron} of tile {tile} sends outside the mesh")
            if (sent.axon[sent.target == HOST] >= self.host_axons).any():
                raise ParameterError(
                    f"tile {tile} sends to an axon of the host beyond its {self.host_axons}"
                )

    @property
    def layout(self) -> Mapping[str, tuple[Piece, ...]]:
        """For each population where its neurons are, as a `spikewatt.model.run.Run` wants it."""
        return self.neurons_of

    def name(self, tile: int) -> str:
        """What a tile is called in a run: ``tile (column, row)``."""
        return f"tile {self.params.place(tile)}"

    @cached_property
    def sends(self) -> tuple[Sends, ...]:
        """For each tile, what a spike of each of its neurons sends, and to whom."""
        return tuple(sends(self.params, tile, program) for tile, program in enumerate(self.tiles))

    def input_packets(self, spikes: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        """Packets ``int64[n, 3]`` (tile, axon, delay) that the host sends before each tick.

        Input port by input port, in the order of the inputs.

        Parameters
        ----------
        spikes:
            bool[ticks, inputs] of one sample.
        """
        packets = []
        for frame in spikes:
            parts = [np.zeros((0, 3), np.int64)]
            for port in self.inputs:
                (at,) = np.nonzero(frame[port.first : port.first + port.count])
                tile, delay = np.full_like(at, port.tile), np.full_like(at, port.delay)
                parts.append(np.stack([tile, port.axon + at, delay], axis=1))
            packets.append(np.concatenate(parts))
        return packets

    def gather(self, arrays: Sequence[NDArray[Any]], population: str) -> NDArray[Any]:
        """What the tiles say of a population's neurons, in the population's order.

        Parameters
        ----------
        arrays:
            For each tile ``[..., neurons]``.

        Returns
        -------
        ``[..., size of the population]``, of the arrays' type.
        """
        pieces = self.neurons_of[population]
        size = max(piece.members.stop for piece in pieces)
        out = np.zeros((*arrays[0].shape[:-1], size), arrays[0].dtype)
        # Tiles hold a population in any order.
        for piece in pieces:
            members = slice(piece.members.start, piece.members.stop)
            neurons = slice(piece.neurons.start, piece.neurons.stop)
            out[..., members] = arrays[piece.tile][..., neurons]
        return out
