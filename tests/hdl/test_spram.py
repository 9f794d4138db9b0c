"""The single-port memory of iCE40 UltraPlus, with yosys's model of its blocks."""

from pathlib import Path

import pytest

from spikewatt.cosim.simulate import CocotbOptions, simulate
from spikewatt.hdl.spram import Spram
from spikewatt.synth.fpga.models import with_models
from spikewatt.synth.verilog import export


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("rows", "bits", "blocks"),
    [
        *((65_536, 4, 1), (1, 4, 1), (32_768, 8, 1), (40_000, 6, 2), (16_385, 9, 2)),
        (20_000, 20, 4),
        *(
            pytest.param(*size, marks=pytest.mark.long)
            for size in ((65_536, 3, 1), (65_537, 4, 2), (256, 1, 1), (16_384, 16, 1))
        ),
    ],
)
def test_random_accesses(
    rows: int, bits: int, blocks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Spram(rows=rows, bits=bits)
    assert memory.blocks == blocks
    text = export(memory, "spram", dialect="assigns")
    assert text.count("SB_SPRAM256KA") == blocks
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    simulate(
        with_models(text, "ice40"),
        "spram",
        "tests.cosim.benches.spram",
        tmp_path,
        CocotbOptions(simulator="icarus", env={"SPRAM_ROWS": str(rows), "SPRAM_BITS": str(bits)}),
    )
