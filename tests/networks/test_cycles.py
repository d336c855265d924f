"""Past cycles beside the horizon, and the base that is mixed of them: by hand."""

import keras
import numpy as np
import pytest

from forecaster.networks.build import Shape, build
from forecaster.networks.cycles import CycleBase, PastCycles
from tests.synthetic import tiny


def cycles(period, horizon, values, base=0.0):
    values = np.array([values], np.float32)
    seen = np.isfinite(values).astype(np.float32)
    said = PastCycles(period, horizon)(np.nan_to_num(values), seen, np.full((1, horizon), base, np.float32))
    return [np.asarray(one)[0].tolist() for one in said]


NAN = float("nan")


@pytest.mark.parametrize(
    ("period", "horizon", "values", "expected"),
    [
        (2, 2, (1, 2, 3, 4, 5, 6), [[1, 3, 5], [2, 4, 6]]),
        (2, 3, (1, 2, 3, 4, 5, 6), [[1, 3, 5], [2, 4, 6], [1, 3, 5]]),  # beyond one cycle the same places come again
        (2, 1, (9, 1, 2, 3, 4), [[1, 3]]),  # whole cycles only, the last of which ends at the cutoff
        (3, 2, (1, 2, 3, 4, 5, 6), [[1, 4], [2, 5]]),
    ],
)
def test_each_step_sees_its_place_in_every_cycle(period, horizon, values, expected):
    assert cycles(period, horizon, values) == [expected, np.ones_like(expected).tolist()]


def test_what_is_missing_is_masked_and_the_base_is_taken_off():
    assert cycles(2, 2, (1, 2, NAN, 4, 5, 6), base=1.0) == [[[0, 0, 4], [1, 3, 5]], [[1, 0, 1], [1, 1, 1]]]


def shift(logits, deviations, seen, period=2):
    """Of a base whose bias says everything; shape of `deviations`: (horizon, cycles)."""
    layer = CycleBase(period)
    arguments = [np.array([one], np.float32) for one in (deviations, seen)]
    layer(np.zeros((1, 3), np.float32), *arguments)
    layer.bias.assign(np.array(logits, np.float32))
    return np.asarray(layer(np.zeros((1, 3), np.float32), *arguments))[0]


def test_the_shift_is_the_weighted_mean_over_the_cycles_that_were_observed():
    even = np.zeros((1, 3))
    assert shift(even, [[3, 6], [0, 9]], [[1, 1], [1, 1]]) == pytest.approx([3, 3])
    assert shift(even, [[3, 0], [0, 0]], [[1, 0], [0, 0]]) == pytest.approx([1.5, 0])
    only_last = [[-50, -50, 50]]
    assert shift(only_last, [[3, 6], [0, 9]], [[1, 1], [1, 1]]) == pytest.approx([6, 9])


def test_each_turn_of_the_horizon_has_weights_of_its_own():
    turns = [[-50, -50, 50], [50, -50, -50]]
    assert shift(turns, [[3, 6], [0, 9], [3, 6]], np.ones((3, 2))) == pytest.approx([6, 9, 0], abs=1e-6)


def test_the_state_moves_the_weights_and_before_training_the_naive_base_has_nearly_all():
    layer = CycleBase(2)
    arguments = np.full((2, 2, 3), 1, np.float32), np.ones((2, 2, 3), np.float32)
    state = np.array([[0, 0], [1, 0]], np.float32)
    untrained = np.asarray(layer(state, *arguments))
    assert untrained == pytest.approx(3 / (np.exp(4) + 3))
    layer.kernel.assign(np.array([[9, 0, 0, 0], [0, 0, 0, 0]], np.float32))
    said = np.asarray(layer(state, *arguments))
    assert said[1] == pytest.approx(3 / (np.exp(13) + 3)) and said[0] == pytest.approx(untrained[0])


def test_a_network_whose_lookback_holds_cycles_reads_them_and_is_rebuilt_from_its_file(tmp_path):
    shape = Shape(24, 6, (0.1, 0.5, 0.9), seasons=(), cycle=12)
    built = build(tiny(), shape, seed=1)
    past = np.random.default_rng(0).normal(10, 2, (2, 24, 1)).astype(np.float32)
    built.forecast.get_layer("cycle_base").bias.assign([[-50, -50, 50]])
    said = np.asarray(built.forecast({"past": past})["quantiles"])
    assert said[:, :, 1] == pytest.approx(past[:, 12:18, 0], rel=1e-4), "all weight on the last cycle repeats it"
    built.forecast.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.allclose(again({"past": past})["quantiles"], said, rtol=1e-5)


@pytest.mark.parametrize(("cycle", "transform"), [(1, "none"), (12, "difference"), (12, "log_return")])
def test_without_a_cycle_and_on_changes_there_is_no_such_base(cycle, transform):
    built = build(tiny(), Shape(24, 6, (0.1, 0.5, 0.9), cycle=cycle, transform=transform), seed=1)
    assert not [one.name for one in built.forecast.layers if "cycle" in one.name]
