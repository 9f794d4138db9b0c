"""The rate code: how many spikes, how evenly spread, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikewatt.base.errors import DataError, NetworkError
from spikewatt.model.network.encoder import check_samples, encode, levels
from spikewatt.model.network.graph import Encoder
from spikewatt.model.network.readout import Readout

STEPS = 1 << 16


@pytest.mark.parametrize("timesteps", [1, 7, 15, 16])
def test_counts_at_every_level(timesteps: int) -> None:
    """``floor(T p + 1/2)``, in integers: ``p = step / 65536``."""
    step = np.arange(STEPS + 1)
    encoder = Encoder(inputs=1, timesteps=timesteps, low=0.0, high=float(STEPS))
    spikes = encode(step[:, None], encoder)
    assert spikes.shape == (STEPS + 1, timesteps, 1)
    assert spikes.dtype == np.bool_
    expected = (2 * timesteps * step + STEPS) // (2 * STEPS)
    assert np.array_equal(spikes[:, :, 0].sum(axis=1), expected)


@settings(deadline=None)
@given(step=st.integers(0, STEPS), timesteps=st.integers(1, 40))
def test_spikes_are_evenly_spread(step: int, timesteps: int) -> None:
    """Every window of L ticks holds ``floor(L p)`` or ``ceil(L p)`` spikes."""
    encoder = Encoder(inputs=1, timesteps=timesteps, high=float(STEPS))
    wholes = np.cumsum([0, *encode([[step]], encoder)[0, :, 0]])
    for length in range(1, timesteps + 1):
        windows = wholes[length:] - wholes[:-length]
        assert windows.min() >= length * step // STEPS
        assert windows.max() <= -(-length * step // STEPS)


@pytest.mark.parametrize(
    ("x", "pattern"),
    [
        (-1.0, "000000"),  # p = 0
        (0.0, "101010"),  # p = 1/2: the phase 1/2 + 1/2 reaches 1 in the first tick
        (-0.5, "010001"),  # p = 1/4: 3/4, 1, 5/4, 3/2, 7/4, 2
        (0.5, "110111"),  # p = 3/4: 5/4, 2, 11/4, 7/2, 17/4, 5
        (1.0, "111111"),  # p = 1
    ],
)
def test_patterns_worked_by_hand(x: float, pattern: str) -> None:
    spikes = encode([[x]], Encoder(inputs=1, timesteps=6, low=-1.0, high=1.0))
    assert "".join("01"[int(bit)] for bit in spikes[0, :, 0]) == pattern


@pytest.mark.parametrize(
    ("gain", "step", "count"), [(1.0, 65536, 15), (0.25, 16384, 4), (0.5, 32768, 8), (1e-6, 0, 0)]
)
def test_gain_scales_the_highest_value(gain: float, step: int, count: int) -> None:
    encoder = Encoder(inputs=1, timesteps=15, low=2.0, high=18.0, gain=gain)
    assert levels(np.array([[18.0]]), encoder).tolist() == [[step]]
    assert encode([[18]], encoder).sum() == count  # floor(15 gain + 1/2)
    assert encode([[2]], encoder).sum() == 0


def test_levels_round_half_up() -> None:
    encoder = Encoder(inputs=4, timesteps=1, high=float(2 * STEPS))
    assert levels(np.array([[0.0, 1.0, 2.0, 3.0]]), encoder).tolist() == [[0, 1, 1, 2]]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_every_kind_of_number_is_taken(dtype: str) -> None:
    x = np.array([[0, 1], [1, 0]], dtype)
    spikes = encode(x, Encoder(inputs=2, timesteps=3))
    assert np.array_equal(spikes.sum(axis=1), 3 * x.astype(np.int64))


def test_inputs_keep_their_places() -> None:
    x = np.eye(3)[[2, 0]]
    spikes = encode(x, Encoder(inputs=3, timesteps=2))
    assert np.array_equal(spikes, np.repeat(x[:, None, :] == 1, 2, axis=1))


WIDE = Encoder(inputs=2, timesteps=3, low=-1.0, high=16.0)
REFUSED = [
    (np.zeros((4, 3)), "x must have shape (n, 2), not (4, 3)"),
    (np.zeros(2), "x must have shape (n, 2), not (2,)"),
    (np.zeros((1, 1, 2)), "x must have shape (n, 2), not (1, 1, 2)"),
    (np.zeros((0, 2)), "x holds no sample: give at least one row"),
    (np.array([["a", "b"]]), "x must hold numbers, not <U1"),
    (np.array([[None, 1]]), "x must hold numbers, not object"),
    (np.zeros((1, 2), complex), "x must hold numbers, not complex128"),
    (np.zeros((1, 2), "M8[s]"), "x must hold numbers, not datetime64[s]"),
    (np.array([[0, 0], [0, np.nan]]), "x[1, 1] is nan: every value must be finite"),
    (np.array([[0, -np.inf]]), "x[0, 1] is -inf: every value must be finite"),
    (np.array([[0, 0], [17, 0]]), "x[1, 0] is 17, outside the encoder's range -1..16: rescale"),
    (np.array([[0, -1.25]]), "x[0, 1] is -1.25, outside the encoder's range -1..16: rescale"),
]


@pytest.mark.parametrize(("x", "message"), REFUSED)
def test_bad_samples(x: np.ndarray, message: str) -> None:
    with pytest.raises(DataError) as caught:
        encode(x, WIDE)
    assert str(caught.value) == message.replace(": rescale", ": rescale the data")


def test_the_ends_of_the_range_belong_to_it() -> None:
    assert check_samples([[-1, 16]], WIDE).tolist() == [[-1.0, 16.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": 0}, "encoder inputs must be an integer from 1 to 65536, not 0"),
        ({"inputs": 65537}, "encoder inputs must be an integer from 1 to 65536, not 65537"),
        ({"inputs": 2.0}, "encoder inputs must be an integer from 1 to 65536, not 2.0"),
        ({"timesteps": 0}, "encoder timesteps must be an integer from 1 to 4096, not 0"),
        ({"timesteps": 4097}, "encoder timesteps must be an integer from 1 to 4096, not 4097"),
        ({"low": 1.0}, "encoder range must be finite and low < high, not 1.0..1.0"),
        ({"low": float("nan")}, "encoder range must be finite and low < high, not nan..1.0"),
        ({"high": float("inf")}, "encoder range must be finite and low < high, not 0.0..inf"),
        (
            {"low": -1e308, "high": 1e308},
            "encoder range must be finite and low < high, not -1e+308..1e+308",
        ),
        ({"gain": 0.0}, "encoder gain must be in (0, 1], not 0.0"),
        ({"gain": 1.5}, "encoder gain must be in (0, 1], not 1.5"),
        ({"gain": float("nan")}, "encoder gain must be in (0, 1], not nan"),
    ],
)
def test_bad_encoders(change: dict, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        Encoder(**({"inputs": 1, "timesteps": 1} | change))
    assert str(caught.value) == message


def test_a_tie_goes_to_the_lowest_class() -> None:
    scores = np.array([[1, 3, 3], [0, 0, 0], [-5, -7, -5], [1, 2, 3]])
    assert Readout.decide(scores).tolist() == [1, 0, 0, 2]
    assert Readout.decide(scores.astype(np.int32)[None]).tolist() == [[1, 0, 0, 2]]
