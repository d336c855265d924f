"""The naive base, quantiles that never cross, the loss: by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from forecaster.networks.heads import NaiveBase, Quantiles, best_stretch, free_numbers, pinball, window_weights

LEVELS = (0.1, 0.5, 0.9)


def base(seasons, horizon, values):
    values = np.array([values], np.float32)
    observed = np.isfinite(values).astype(np.float32)
    return np.asarray(NaiveBase(seasons, horizon)(np.nan_to_num(values), observed))[0].tolist()


NAN = float("nan")


@pytest.mark.parametrize(
    ("seasons", "values", "expected"),
    [
        ((1,), (1, 2, 3, 4, 5, 6), [6, 6, 6, 6]),
        ((3,), (1, 2, 3, 4, 5, 6), [4, 5, 6, 4]),
        ((2, 3), (1, 2, 3, 4, 5, 6), [4.5, 5.5, 5.5, 5]),
        ((3,), (1, 2, 3, NAN, 5, 6), [1, 5, 6, 1]),
        ((3,), (NAN, 2, 3, NAN, 5, 6), [0, 5, 6, 0]),
        ((1,), (1, 2, 3, 4, NAN, NAN), [4, 4, 4, 4]),
        ((9,), (1, 2, 3, 4, 5, 6), [0, 0, 0, 1]),
        ((), (1, 2, 3, 4, 5, 6), [0, 0, 0, 0]),
    ],
)
def test_the_base_is_the_seasonal_naive_forecast(seasons, values, expected):
    assert base(seasons, 4, values) == expected


def test_quantiles_never_cross_whatever_the_network_says():
    free = np.random.default_rng(0).normal(0, 30, (50, 4, 7)).astype(np.float32)
    said = np.asarray(Quantiles(3)(free, np.zeros((50, 4), np.float32)))
    assert (np.diff(said, axis=-1) >= 0).all()
    assert np.array_equal(said[:, :, 3], free[:, :, 3])


def test_the_head_starts_at_the_bases_own_error_quantiles():
    errors = np.random.default_rng(1).gamma(2, 3, (500, 2))
    free = free_numbers(errors, LEVELS)[None].astype(np.float32)
    said = np.asarray(Quantiles(1)(free, np.zeros((1, 2), np.float32)))[0]
    assert said == pytest.approx(np.quantile(errors, LEVELS, axis=0).T, rel=1e-4)


def test_pinball_is_scikit_learns_over_what_is_observed():
    """As long as the targets lie within their frames, by three spreads."""
    generator = np.random.default_rng(3)
    target, said = generator.normal(size=(6, 4)).astype(np.float32), generator.normal(size=(6, 4, 3)).astype(np.float32)
    target[0, 0] = target[3, 2] = np.nan
    seen = np.isfinite(target)
    expected = np.mean(
        [mean_pinball_loss(target[seen], said[:, :, place][seen], alpha=level) for place, level in enumerate(LEVELS)]
    )
    assert float(pinball(target, said, LEVELS)) == pytest.approx(expected, rel=1e-5)
    assert float(pinball(np.full((2, 4), np.nan, np.float32), said[:2], LEVELS)) == 0


def test_windows_count_by_what_their_errors_are_worth():
    target, said = np.array([[1.0, np.nan], [2.0, 2.0]], np.float32), np.zeros((2, 2, 3), np.float32)
    worth = np.array([[4.0], [1.0]], np.float32)
    assert float(pinball(target, said, LEVELS, worth)) == pytest.approx(0.5 * (4 * 1 + 2 + 2) / (4 + 1 + 1))


def test_the_stretch_finds_how_much_too_narrow_the_intervals_are():
    generator = np.random.default_rng(4)
    target = generator.normal(0, 3, (400, 5))
    too_narrow = np.broadcast_to(np.array([-1.2816, 0, 1.2816]), (400, 5, 3))
    assert best_stretch(target, too_narrow, LEVELS) == pytest.approx(3, rel=0.1)
    assert best_stretch(np.full((2, 5), np.nan), too_narrow[:2], LEVELS) == 1


def test_a_window_far_outside_of_its_frame_weighs_less():
    target = np.array([[1, -3], [3, -3], [6, 6], [12, 0], [99, 99]], np.float32)
    counts = np.array([[1, 1], [1, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    assert np.asarray(window_weights(target, counts))[:, 0] == pytest.approx([1, 1, 0.5, 0.25, 1])
    far = np.array([[300.0, 300.0]], np.float32)
    assert float(pinball(far, np.zeros((1, 2, 3), np.float32), LEVELS)) == pytest.approx(0.5 * 3)
