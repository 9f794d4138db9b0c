"""The SRAM model: its table exactly, what other sources say, and sane behaviour between."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.energy.pricing.sram import NODES, SramModel, node_scaling

TABLE = Path(__file__).parents[3] / "energy" / "data" / "cacti7_sram.csv"
LINES = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
ROWS = list(csv.DictReader(LINES))

# (words, width, read pJ, write pJ): CACTI 7, 45 nm itrs-lstp, run as the table's but at other
# widths. None of them is in the table.
OTHER_WIDTHS = [
    *((64, 8, 0.1763, 0.2847), (128, 8, 0.3003, 0.3867), (256, 8, 0.4768, 0.5192)),
    *((1024, 8, 1.072, 1.003), (4096, 8, 3.305, 2.221), (16384, 8, 7.115, 4.678)),
    *((32, 16, 0.3293, 0.4267), (256, 16, 0.72, 1.091), (2048, 16, 3.518, 2.705)),
    *((32, 64, 1.323, 1.712), (256, 64, 2.756, 4.239), (1024, 64, 6.137, 7.878)),
    *((4096, 64, 15.83, 14.91), (64, 128, 3.378, 5.113), (256, 128, 4.427, 11.89)),
    *((1024, 128, 10.75, 23.22), (4096, 128, 39.33, 36.04)),
]


def test_the_table_covers_every_node_and_cell() -> None:
    assert len(ROWS) == 100
    assert {(int(row["node_nm"]), row["cell"]) for row in ROWS} == {
        (node, cell) for node in (90, 65, 45, 32, 22) for cell in ("itrs-hp", "itrs-lstp")
    }


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['node_nm']} nm {row['cell']} {row['size_bytes']} B"
)
def test_points_of_the_table_come_back(row: dict[str, str]) -> None:
    cell: Any = row["cell"].removeprefix("itrs-")
    model = SramModel(node_nm=int(row["node_nm"]), cell=cell)
    found = model.energies(int(row["size_bytes"]) // 4, 32)
    leakage = float(row["leak_mW"]) + float(row["gate_leak_mW"])
    assert found.read == pytest.approx(float(row["read_pJ"]) * 1e-12, rel=1e-12)
    assert found.write == pytest.approx(float(row["write_pJ"]) * 1e-12, rel=1e-12)
    assert found.leakage == pytest.approx(leakage * 1e-3, rel=1e-12)
    assert found.idle == pytest.approx(0.03 * found.read, rel=1e-12)


@pytest.mark.parametrize(("words", "width", "read", "write"), OTHER_WIDTHS)
def test_other_widths_agree_with_cacti_within_two_thirds(
    words: int, width: int, read: float, write: float
) -> None:
    found = SramModel(node_nm=45).energies(words, width)
    assert 1 / 1.7 < found.read * 1e12 / read < 1.7
    assert 1 / 1.7 < found.write * 1e12 / write < 1.7


def test_horowitz_cache_of_8_kib() -> None:
    """Horowitz, ISSCC 2014, 45 nm: 10 pJ for 64 bits of 8 KiB."""
    as_two_ports_of_32 = 2 * SramModel(node_nm=45).energies(2048, 32).read
    assert as_two_ports_of_32 == pytest.approx(10e-12, rel=0.1)
    assert 4e-12 < SramModel(node_nm=45).energies(1024, 64).read < 10e-12


def test_a_compiled_macro_costs_several_times_the_model() -> None:
    """IHP SG13G2 512x32, 130 nm, 1.2 V: 36.0 pJ read, 42.3 pJ write (docs/sram.md says why)."""
    found = SramModel(node_nm=130, voltage=1.2).energies(512, 32)
    assert 36.0e-12 / found.read == pytest.approx(4.8, abs=0.1)
    assert 42.3e-12 / found.write == pytest.approx(3.0, abs=0.1)


def test_small_memories_cost_neither_1_kib_nor_nothing() -> None:
    model = SramModel(node_nm=45)
    one_kib = model.energies(256, 32)
    for words in (1, 4, 16, 24):
        small = model.energies(words, 32)
        assert 0.3 * one_kib.read < small.read < 0.5 * one_kib.read
        assert 0 < small.write < 0.4 * one_kib.write
        assert 0 < small.leakage < 0.12 * one_kib.leakage
    assert model.energies(16, 8).read == pytest.approx(0.19e-12, rel=0.05)


@pytest.mark.parametrize("node", NODES)
def test_more_words_bits_or_volts_cost_more(node: int) -> None:
    model = SramModel(node_nm=node)
    by_words = [model.energies(2**k, 24) for k in range(20)]
    by_width = [model.energies(300, width) for width in range(1, 200)]
    supply = model.nominal_voltage
    by_volts = [
        SramModel(node_nm=node, voltage=supply * k / 10).energies(300, 24) for k in range(5, 14)
    ]
    for series in (by_words, by_width, by_volts):
        for less, more in pairwise(series):
            assert less.read < more.read
            assert less.write < more.write
            assert less.idle < more.idle
            assert less.leakage < more.leakage


def test_newer_nodes_cost_less() -> None:
    reads = [SramModel(node_nm=node).energies(512, 32).read for node in NODES]
    assert NODES == (180, 130, 90, 65, 45, 32, 22, 16)
    assert all(newer < older for older, newer in pairwise(reads))


def test_half_the_voltage_quarters_an_access() -> None:
    full, half = (SramModel(voltage=v).energies(1000, 20) for v in (1.1, 0.55))
    assert half.read == pytest.approx(full.read / 4)
    assert half.idle == pytest.approx(full.idle / 4)
    assert half.leakage == pytest.approx(full.leakage / 2)
    assert full == SramModel().energies(1000, 20)


def test_factor_scales_everything() -> None:
    once, twice = (SramModel(factor=f).energies(77, 13) for f in (1.0, 2.0))
    for name in ("read", "write", "idle", "leakage"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name))


def test_scaling_between_nodes() -> None:
    # Check value of Stillmaker & Baas 2017: 65 nm at 1.3 V to 32 nm HP at 0.9 V.
    assert node_scaling(65, 1.3, 32, 0.9) == pytest.approx(0.1755, abs=1e-4)
    assert node_scaling(45, 0.9, 45, 0.9) == 1
    at_90 = SramModel(node_nm=90).energies(512, 32)
    at_180 = SramModel(node_nm=180).energies(512, 32)
    by_hand = (24.64 * 1.8 - 17.98) / (4.762 * 1.3**2 - 4.781 * 1.3 + 2.092)
    assert at_180.read / at_90.read == pytest.approx(by_hand)
    assert at_180.leakage / at_90.leakage == pytest.approx(1.8 / 1.3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"node_nm": 28}, "node_nm must be one of 180, 130, 90, 65, 45, 32, 22, 16, not 28"),
        ({"cell": "lop"}, "cell must be 'hp' or 'lstp', not 'lop'"),
        ({"factor": 0.0}, "factor must be above 0 and finite, not 0.0"),
        ({"factor": float("nan")}, "factor must be above 0 and finite, not nan"),
        ({"voltage": 0.3}, "voltage must be 0.55 to 1.43 V at 45 nm (lstp), not 0.3"),
        ({"voltage": 3.3}, "voltage must be 0.55 to 1.43 V at 45 nm (lstp), not 3.3"),
    ],
)
def test_wrong_parameters(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        SramModel(**given)
    assert str(caught.value) == message


def test_wrong_sizes() -> None:
    with pytest.raises(ParameterError) as caught:
        SramModel().energies(0, 32)
    assert str(caught.value) == "words must be 1 or more, not 0"
    with pytest.raises(ParameterError) as caught:
        SramModel().energies(8, -1)
    assert str(caught.value) == "width must be 1 or more, not -1"
    with pytest.raises(ParameterError) as caught:
        node_scaling(45, 1.0, 7, 0.7)
    assert str(caught.value) == "node must be one of 180, 130, 90, 65, 45, 32, 22, 16 nm, not 7"
