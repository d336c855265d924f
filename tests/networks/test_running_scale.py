"""The scale that is carried on: the moments of what was observed, whichever way the steps are cut."""

import numpy as np
import pytest

from forecaster.networks.running_scale import RunningScale


def zeros(batch=1, channels=1):
    return {name: np.zeros((batch, channels), np.float32) for name in ("count", "mean", "variance")}


def read(scale, values, state):
    observed = np.isfinite(values)
    mean, spread, state = scale(np.where(observed, values, 0).astype(np.float32), observed, state)
    return np.asarray(mean)[:, :, 0], np.asarray(spread)[:, :, 0], state


@pytest.mark.parametrize(("centred", "moment"), [(True, np.std), (False, lambda x: np.sqrt(np.mean(np.square(x))))])
def test_the_exact_moments_until_the_memory_is_full(centred, moment):
    values = np.random.default_rng(0).normal(50, 3, 30)
    mean, spread, state = read(RunningScale(1, 30, centred), values[None, :, None], zeros())
    for last in (5, 17, 30):
        seen = values[:last]
        assert mean[0, last - 1] == pytest.approx(seen.mean() if centred else 0, rel=1e-5)
        assert spread[0, last - 1] == pytest.approx(moment(seen) * np.sqrt(last / (last + 1)), rel=1e-4)
    assert float(state["count"][0, 0]) == 30


def test_it_forgets_at_the_rate_of_its_memory():
    """After a jump from 0 to 1 the mean is 1 − (1 − 1/4)^k, k steps on."""
    values = np.r_[np.zeros(50), np.ones(8)]
    mean, _, _ = read(RunningScale(1, 4), values[None, :, None], zeros())
    assert mean[0, 50:] == pytest.approx(1 - 0.75 ** np.arange(1, 9), rel=1e-5)


@pytest.mark.parametrize("cut", [[1] * 12, [5, 7], [11, 1]])
def test_the_same_in_one_piece_and_in_any_pieces_with_gaps(cut):
    values = np.random.default_rng(1).normal(10, 2, (2, 12, 1))
    values[0, 3:6] = values[1, :2] = np.nan
    scale = RunningScale(1, 5)
    whole, spread, last = read(scale, values, zeros(2))
    state, parts = zeros(2), []
    for piece in np.split(values, np.cumsum(cut)[:-1], axis=1):
        mean, width, state = read(scale, piece, state)
        parts.append((mean, width))
    assert np.concatenate([mean for mean, _ in parts], axis=1) == pytest.approx(whole, rel=1e-5)
    assert np.concatenate([width for _, width in parts], axis=1) == pytest.approx(spread, rel=1e-4)
    assert all(np.allclose(state[name], last[name], rtol=1e-4) for name in last)
    assert whole[0, 2:6] == pytest.approx(whole[0, 2], rel=1e-6), "a gap moves nothing"


def test_the_first_value_has_a_spread_from_training_and_zeros_have_one():
    scale = RunningScale(1, 10)
    scale.build()
    scale.start.assign([0.1])
    _, spread, _ = read(scale, np.array([[[50.0], [50.0]], [[0.0], [0.0]]]), zeros(2))
    assert spread[0] == pytest.approx([5 / np.sqrt(2), 5 / np.sqrt(3)], rel=1e-5)
    assert (spread[1] == 1).all()
