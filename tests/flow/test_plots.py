"""Pictures: one colour for one thing, a key beside the data, small files, figures to go on with."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from spikewatt.energy.pricing.ledger import CATEGORIES, LEDGER_GROUPS, TERMS
from spikewatt.flow.colours import COLOURS, LAYERS, word
from spikewatt.flow.compare.plots import energy_bars, layer_bars
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.search import Found, Measured
from spikewatt.flow.plots import power_trace


def run(cycles: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges and energies of a run whose cycles all differ."""
    shape = (cycles, len(LEDGER_GROUPS), len(TERMS))
    return np.arange(cycles + 1) * 1e-8, np.random.default_rng(1).random(shape) * 1e-12


def test_every_category_has_a_colour_of_its_own() -> None:
    assert set(CATEGORIES) <= set(COLOURS)
    assert len({*COLOURS.values(), *LAYERS}) == len(COLOURS) + len(LAYERS)
    assert word("sram") == "memories"
    assert word("clock") == "clock"


def test_a_run_is_small_and_always_the_same(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        power_trace(tmp_path / name, *run(5000), "a run")
    text = (tmp_path / "a.svg").read_bytes()
    assert len(text) < 300_000
    assert text == (tmp_path / "b.svg").read_bytes()
    assert b"memories" in text


def test_a_figure_without_a_file() -> None:
    figure = power_trace(None, *run(50), "a run")
    (axes,) = figure.axes
    assert axes.get_title() == "a run"
    # All power of a cycle is in the picture.
    _, joules = run(50)
    tops = [np.asarray(path.vertices)[:, 1].max() for path in axes.collections[-1].get_paths()]
    stacked = max(tops)
    np.testing.assert_allclose(stacked, (joules.sum((1, 2)) / 1e-8).max() * 1e3)


def test_the_key_is_beside_the_axes() -> None:
    figure = power_trace(None, *run(50), "a run")
    figure.draw_without_rendering()
    (axes,), (key,) = figure.axes, figure.legends
    assert axes.get_legend() is None
    assert key.get_window_extent().x0 >= axes.get_window_extent().x1


def core(label: str, batch: int, joules: float, error: float | None) -> Measured:
    """A priced core."""
    return Measured(
        label=label,
        batch=batch,
        energy_per_inference_j=joules,
        standard_error_j=error,
        blocks=32,
        proven=32,
        by_category={"sram": 0.75 * joules, "leakage": 0.25 * joules},
        latency_s=1e-6,
        seconds_per_inference=1e-6,
        leakage_w=1e-6,
        area_um2={"logic": 1.0, "memory": 1.0, "total": 2.0},
        cells=9,
        shortest_period_s=1e-9,
        meets_clock=True,
    )


COMPARISON = Comparison(
    kind="equal function",
    network="mine",
    rival="mine",
    mode="window",
    timesteps=3,
    activation_bits=2,
    weight_bits=(8, 8),
    images=32,
    samples=32,
    batch_cut_from=None,
    accuracy=(None, None),
    differing=None,
    spike_rate=0.1,
    spikes_per_inference=9.0,
    synaptic_ops_per_inference=90.0,
    macs_per_inference=100,
    sparsity=0.5,
    neuro=Found(best=core("8 lanes", 1, 4e-9, 1e-10)),
    systolic={32: Found(best=core("8x8, batch 32", 32, 1e-9, None))},
    bounds={},
    layers={"neuromorphic": {"hidden": 3e-9, "out": 1e-9}, "systolic, batch 32": {"hidden": 1e-9}},
)


def test_bars_have_one_scale_ratios_and_errors() -> None:
    dear = replace(COMPARISON, timesteps=15, neuro=Found(best=core("8 lanes", 1, 16e-9, 1e-10)))
    figure = energy_bars(None, COMPARISON, dear)
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert first.get_xlim()[1] > 16
    assert [text.get_text().strip() for text in first.texts] == ["4 nJ", "1 nJ · 0.25 ×"]
    assert len(first.containers) - len(first.patches) // 2 == 1  # one core has a standard error
    (key,) = figure.legends
    assert [text.get_text() for text in key.get_texts()] == ["memories", "leakage"]


def test_layers_have_the_names_that_they_were_given() -> None:
    (key,) = layer_bars(None, COMPARISON).legends
    assert [text.get_text() for text in key.get_texts()] == ["hidden", "out"]
