"""From quantiles to a distribution: exact at the levels, straight between them, exponential behind them."""

import numpy as np
import pytest

from forecaster.networks.numbers import GRID
from forecaster.networks.quantile_function import quantile_function

LEVELS = (0.1, 0.5, 0.8)


@pytest.mark.parametrize(
    ("probability", "value"),
    [
        (0.1, 1.0), (0.5, 3.0), (0.8, 4.0), (0.3, 2.0), (0.65, 3.5),
        (0.05, 1.0 - 2.0 * np.log(2) / np.log(5)), (0.9, 4.0 + 1.0 * np.log(2) / np.log(2.5)),
    ],
)  # fmt: skip
def test_numbers_by_hand(probability, value):
    said = quantile_function(np.array([[probability]], np.float32), np.array([[1.0, 3.0, 4.0]], np.float32), LEVELS)
    assert float(said[0, 0]) == pytest.approx(value, rel=1e-5)


def test_it_increases_and_gives_a_normal_distribution_its_own_moments():
    from scipy.stats import norm

    quantiles = norm.ppf(GRID)[None].astype(np.float32)
    places = ((np.arange(20_000) + 0.5) / 20_000)[None].astype(np.float32)
    drawn = np.asarray(quantile_function(places, quantiles, GRID))[0]
    assert (np.diff(drawn) > 0).all()
    assert drawn.mean() == pytest.approx(0, abs=0.01) and drawn.std() == pytest.approx(1, abs=0.03)
