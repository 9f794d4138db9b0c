"""Faults in the blocks of the systolic core: each one shows in a test of its block."""

import pytest

from spikewatt.hdl.systolic import accumulator, array, buffer, loader, pe, streamer
from tests.hdl.mutants import Mutant, Row, every_mutant, expect_red
from tests.hdl.systolic import (
    test_accumulator,
    test_array,
    test_loader,
    test_pe,
    test_streamer,
)

USERS = (array, streamer, test_accumulator, test_array, test_loader, test_pe, test_streamer)


def products() -> None:
    test_pe.test_every_product((True, True, True, True))


def plain_products() -> None:
    test_pe.test_every_product((True, False, False, False))


def square() -> None:
    test_array.test_vectors_times_weights("square")


def shifted() -> None:
    test_array.test_vectors_times_weights("tall, of tiles")


def wide() -> None:
    test_array.test_vectors_times_weights("wide")


def folds() -> None:
    test_loader.test_folds("tall", stalled=True)


def shifted_folds() -> None:
    test_loader.test_folds("tall, of tiles", stalled=True)


def batches() -> None:
    test_streamer.test_batches("tall", 0, stalled=True)


def wide_batches() -> None:
    test_streamer.test_batches("wide", 0, stalled=True)


def masked_batches() -> None:
    test_streamer.test_batches("masked", 0, stalled=True)


def lone_vectors() -> None:
    test_streamer.test_batches("one vector", 0, stalled=False)


def layers() -> None:
    test_accumulator.test_layers("tall", 0, stalled=True)


def column_layers() -> None:
    test_accumulator.test_layers("one column", 0, stalled=True)


PE: list[Row] = [
    (pe, "product.eq(activation * weight)", "product.eq(activation * weight + 1)", products),
    (pe, "Mux(self.buffer, self.held[1], self.held[0])", "self.held[0]", plain_products),
    (pe, "self.held_live[buffer].eq(self.weight_live)", "self.held_live[buffer].eq(1)", products),
    (pe, "with m.If(self.weight_live):", "with m.If(1):", products),
    (pe, "Mux(weighs, self.activation, 0)", "self.activation", products),
    (pe, "with m.If(~self.live):", "with m.If(0):", products),
    (pe, "with m.If(self.load[buffer]):", "with m.If(self.load[0]):", plain_products),
]
ARRAY: list[Row] = [
    (array, "skew = row // params.tile_rows", "skew = 0", square),
    (array, "at = column // params.tile_columns", "at = 0", square),
    (array, "(column <= self.last_columns)", "(column < self.last_columns)", square),
    (array, "(load.buffer == buffer)", "(load.buffer == 0)", square),
    (array, "mine &= load.row == row", "pass", square),
    (array, "passing.valid[stages - 2]", "passing.valid[stages - 3]", wide),
    (array, "self.buffer_free.eq(last[free])", "self.buffer_free.eq(last[0])", wide),
    (array, "[vector.valid & vector.last]", "[vector.valid]", square),
    (
        array,
        "element.buffer.eq(passing.buffer[stage])",
        "element.buffer.eq(passing.buffer[0])",
        wide,
    ),
    (array, "with m.If(self.load.buffer):", "with m.If(0):", shifted),
]
LOADER: list[Row] = [
    (loader, "(free != 0) | self.buffer_free", "(free != 0)", folds),
    (loader, "- (self.read & begins)", "- self.read", folds),
    (loader, "address.eq(address + 1),", "address.eq(address),", folds),
    (loader, "buffer.eq(~buffer)", "buffer.eq(buffer)", folds),
    (loader, "Mux(last_word, layer.last_rows[0], layer.rows[0])", "layer.rows[0]", folds),
    (loader, "(row == usable) | (final_row & (rows < usable))", "final_row", folds),
    (loader, "final_row.eq(row == usable)", "final_row.eq(row == usable - 1)", shifted_folds),
    (loader, "with m.If(tile == layer.tiles[0]):", "with m.If(1):", folds),
    (loader, "active.eq(1), address.eq(0)", "active.eq(1)", folds),
]
STREAMER: list[Row] = [
    (streamer, "walk.row.eq(walk.base + vector)", "walk.row.eq(walk.base)", batches),
    (streamer, "walk.word_done.eq(walk.step & (", "walk.word_done.eq((", batches),
    (streamer, "usable & ~alone", "~alone", batches),
    (streamer, "usable & ~alone", "usable", lone_vectors),
    (streamer, "select.eq(~select)", "select.eq(select)", batches),
    (streamer, "vector.last.eq(walk.word_done)", "vector.last.eq(1)", batches),
    (streamer, "with m.If(last_tile):", "with m.If(1):", batches),
    (streamer, "waiting + self.tile_ready -", "waiting -", batches),
    (streamer, "Mux(short, layer.last_rows[0], layer.rows[0])", "layer.rows[0]", masked_batches),
    (streamer, "live &= value != 0", "pass", batches),
    (streamer, "walk.bank == params.banks - 1", "walk.bank == params.banks", wide_batches),
    (buffer, "self.bank == bank)", "self.bank != bank)", wide_batches),
    (buffer, "(self.result.part == bank)", "1", batches),
    (buffer, "Mux(self.result.enable, self.result.row, self.fill.row)", "self.fill.row", batches),
]
ACCUMULATOR: list[Row] = [
    (accumulator, "before[column] + self.sums[column]", "self.sums[column]", layers),
    (accumulator, "first.eq(place.first_word)", "first.eq(0)", layers),
    (accumulator, "place.last_word & ~self.layer.final[0]", "place.last_word", layers),
    (accumulator, "self.arriving & ~place.first_word", "self.arriving", layers),
    (accumulator, "target.row.eq(layer.target[0])", "target.row.eq(0)", column_layers),
    (accumulator, "target.part == params.parts - 1", "target.part == params.parts", column_layers),
    (accumulator, "done.eq(last & ~layer.final[0])", "done.eq(0)", layers),
    (accumulator, "place.first_word & (place.vector == 0)", "place.first_word", layers),
    (accumulator, "base.eq(base + self.batch + 1)", "base.eq(base + 1)", layers),
    (accumulator, "self.o.valid.eq(rows_left)", "self.o.valid.eq(1)", layers),
    (accumulator, "rows_left & (self.o.ready | ~self.o.valid)", "rows_left", layers),
    (accumulator, "tile.eq(0), base.eq(0)", "tile.eq(0)", layers),
]
MUTANTS = [*PE, *ARRAY, *LOADER, *STREAMER, *ACCUMULATOR]


@every_mutant(MUTANTS, quick=4)
def test_mutant(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that passes on the block fails on its mutant."""
    expect_red(monkeypatch, mutant, USERS)
