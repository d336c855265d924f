"""Law 1 for random data, splits and models: what comes after a cutoff changes no forecast made at it."""

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecaster.evaluation import roll
from forecaster.forecasting.baselines import NAIVE_RULES, NaiveForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.ridge import RidgeForecaster
from tests.synthetic import seasonal_panel, tiny

HORIZON, STEPS = 5, 120
MODELS = [*NAIVE_RULES, "ridge", "simple_rnn", "lstm", "gru", "custom_lstm", "recursive"]


@cache
def fitted(name):
    if name in NAIVE_RULES:
        return NaiveForecaster(NAIVE_RULES[name], HORIZON, season=12)
    if name == "ridge":
        return RidgeForecaster(HORIZON, lookback=24, season=12).fit(seasonal_panel(series=2))
    model = tiny("gru", strategy="recursive", samples=20, steps=5) if name == "recursive" else tiny(name, steps=5)
    return RecurrentForecaster(model, HORIZON, lookback=24, season=12).fit(seasonal_panel(series=2))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), cutoff=st.integers(30, STEPS - HORIZON - 1), gaps=st.floats(0, 0.9))
def test_law_1(name, seed, cutoff, gaps):
    generator = np.random.default_rng(seed)
    panel, changed = (seasonal_panel(series=2, steps=STEPS, seed=seed % 100) for _ in range(2))
    hidden = generator.random(2 * STEPS) < gaps
    hidden[[0, STEPS]] = False
    for one in (panel, changed):
        one.values[hidden] = np.nan
    later = np.arange(2 * STEPS) % STEPS > cutoff
    changed.values[later] = generator.choice([np.nan, 0.0, -1e9, 1e9, 3.5], (int(later.sum()), 1))
    changed.values[[STEPS - 1, 2 * STEPS - 1]] = panel.values[[STEPS - 1, 2 * STEPS - 1]] = (
        1.0  # both end where they did
    )
    origins = np.full((1, 2), cutoff)
    before, after = (roll(fitted(name), one, origins).drop(columns="y") for one in (panel, changed))
    assert before.equals(after)
