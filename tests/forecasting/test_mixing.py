"""Windows made of two."""

import numpy as np
import pytest

from forecaster.errors import DefinitionError
from forecaster.forecasting.mixing import mixed, mixing
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import Batch
from tests.synthetic import seasonal_panel, tiny


def windows(values, lookback):
    values = np.asarray(values, np.float32)
    nothing = np.zeros((len(values), 0), np.float32)
    return Batch(
        values[:, :lookback, None],
        np.zeros((len(values), values.shape[1] - lookback, 0)),
        nothing,
        values[:, lookback:],
    )


class Dice:
    """Every window with its successor, and this share of its own."""

    def __init__(self, own):
        self.own = own

    def permutation(self, count):
        return np.roll(np.arange(count), -1)

    def random(self, count):
        return np.zeros(count)

    def beta(self, first, second, count):
        return np.full(count, self.own)


def rows(batch):
    return np.concatenate([batch.past[:, :, 0], batch.target], axis=1)


@pytest.mark.parametrize(
    ("transform", "own", "expected"),
    [
        ("log", 0.5, [[2, 6, 4], [2, 6, 4]]),  # sqrt(1 · 4), sqrt(9 · 4), sqrt(4 · 4)
        ("log_return", 0.5, [[2, 6, 4], [2, 6, 4]]),
        ("none", 0.25, [[5.5, 4.5, 6], [3.5, 4.5, 5]]),  # levels 5 and 4, both spreads 1
    ],
)
def test_a_mixture_is_a_weighted_mean_on_the_working_scale(transform, own, expected):
    values = [[4, 6, 6], [5, 3, 5]] if transform == "none" else [[1, 9, 4], [4, 4, 4]]
    made = rows(mixed(windows(values, 2), 1.0, transform, Dice(own)))
    assert made == pytest.approx(np.asarray(expected, float))


def test_the_partner_takes_level_and_spread_of_the_windows_lookback():
    made = rows(mixed(windows([[10, 20, 30], [1, 2, 1]], 2), 1.0, "none", Dice(0.0)))
    assert made == pytest.approx(np.array([[10, 20, 10], [1, 2, 3]]))


def test_a_partner_whose_lookback_is_flat_stays_so():
    made = rows(mixed(windows([[10, 20, 30], [0.1, 0.1, 900]], 2), 1.0, "none", Dice(0.5)))
    assert made == pytest.approx(np.array([[12.5, 17.5, 22.5], [0.1, 0.1, 450.05]]))


def test_what_one_of_the_two_has_not_observed_is_missing():
    made = rows(mixed(windows([[1, 2, np.nan, 4], [4, -1, 4, 1]], 3), 1.0, "log", Dice(0.5)))
    assert made == pytest.approx(np.array([[2, np.nan, np.nan, 2]] * 2), nan_ok=True)
    flat = rows(mixed(windows([[1, 2, np.nan, 4], [5, 5, 5, 5]], 3), 1.0, "none", Dice(0.5)))
    assert np.isnan(flat).tolist() == [[False, False, True, False]] * 2 and np.isfinite(flat[:, [0, 1, 3]]).all()


def test_a_share_of_the_windows_is_mixed_and_the_rest_is_as_it_was():
    values = np.random.default_rng(0).uniform(1, 9, (400, 5))
    before = windows(values, 3)
    kept = rows(before).copy()
    made = rows(mixed(before, 0.25, "log", np.random.default_rng(1)))
    changed = (made != kept).any(axis=1)
    assert 0.2 < changed.mean() < 0.3
    assert np.array_equal(rows(before), kept)


def test_law_3_mixtures_are_a_function_of_the_seed_and_the_step():
    values = np.random.default_rng(0).uniform(1, 9, (8, 5))
    shown = [mixing(lambda step: windows(values, 3), 0.5, "log", seed) for seed in (1, 1, 2)]
    assert np.array_equal(rows(shown[0](7)), rows(shown[1](7)))
    assert not np.array_equal(rows(shown[0](7)), rows(shown[0](8)))
    assert not np.array_equal(rows(shown[0](7)), rows(shown[2](7)))


@pytest.mark.parametrize(
    ("column", "head", "fragment"),
    [({"known_heat": np.ones(480)}, "quantiles", "have covariates"), ({}, "negative_binomial", "are no counts")],
)
def test_mixtures_of_what_cannot_be_mixed_are_refused(column, head, fragment):
    panel = seasonal_panel(series=2, **column)
    if head != "quantiles":
        panel.values[:] = np.round(panel.values)
    with pytest.raises(DefinitionError, match=fragment):
        RecurrentForecaster(tiny(mixing=0.5, head=head), 6, lookback=24).fit(panel)
