"""Builds that are made for speed and builds that are ready soon: the same simulation."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from spikewatt.base.errors import ToolError
from spikewatt.cosim.verilated import build_program

DESIGN = """module neuro(input clk, output reg [69:0] sum);
  initial sum = 70'h3f_0123_4567_89ab_cdef;
  always @(posedge clk) sum <= {sum[66:0], 3'd5} ^ (sum >> 1);
endmodule
"""
MAIN = """#include "Vneuro.h"
#include <cstdio>
#ifdef __OPTIMIZE__
constexpr int kOptimised = 1;
#else
constexpr int kOptimised = 0;
#endif
int main() {
  VerilatedContext context;
  Vneuro model{&context, ""};
  for (int k = 0; k < 2000; ++k) model.clk = k & 1, model.eval();
  std::printf("%x %x %x %d", model.sum[2], model.sum[1], model.sum[0], kOptimised);
}
"""


def after_cycles(count: int) -> list[int]:
    """What the design holds, as its words, lowest last."""
    value = 0x3F_0123_4567_89AB_CDEF
    for _ in range(count):
        value = ((value << 3 | 5) & (1 << 70) - 1) ^ value >> 1
    return [value >> 64, value >> 32 & 0xFFFF_FFFF, value & 0xFFFF_FFFF]


@pytest.mark.parametrize(
    ("builds", "optimised"), [("quick", 0), pytest.param("fast", 1, marks=pytest.mark.long)]
)
def test_both_kinds_of_builds(builds: str, optimised: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEWATT_BUILDS", builds)
    program = build_program(DESIGN, MAIN)
    run = subprocess.run([program], capture_output=True, text=True, check=True)
    *words, level = run.stdout.split()
    assert [int(word, 16) for word in words] == after_cycles(1000)
    assert int(level) == optimised
    assert not (program.parent / "model").exists()  # megabytes that nobody reads again
    built = program.stat().st_mtime_ns
    assert build_program(DESIGN, MAIN).stat().st_mtime_ns == built


def test_what_designs_share_is_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []

    def pretend(command: Sequence[str | Path], *, cwd: Path) -> None:
        words = [str(word) for word in command]
        if "--Mdir" in words:
            (cwd / "model").mkdir()
        else:
            (cwd / words[words.index("-o") + 1]).touch()
            compiled.extend(Path(word).name for word in words if word.endswith((".cpp", ".h")))

    monkeypatch.setenv("SPIKEWATT_BUILDS", "quick")
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("spikewatt.cosim.verilated.run_tool", pretend)
    build_program(DESIGN, MAIN)
    assert {"verilated.cpp", "all.cpp"} <= set(compiled)
    compiled.clear()
    build_program(DESIGN.replace("3'd5", "3'd4"), MAIN)
    assert compiled == ["runtime.h", "all.cpp"]  # the first it includes
    compiled.clear()
    build_program(DESIGN, MAIN, trace="vcd")
    assert "verilated.cpp" not in compiled
    assert "verilated_vcd_c.cpp" in compiled


def test_a_failure_names_the_compiler_and_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEWATT_BUILDS", "quick")
    with pytest.raises(ToolError, match=r"failed: status 1 \(its output is in \S+\)") as caught:
        build_program(DESIGN, '#error "a broken main program"\n#include "Vneuro.h"\n')
    log = Path(str(caught.value).rpartition(" ")[2].rstrip(")"))
    assert "a broken main program" in log.read_text()
    log.unlink()
