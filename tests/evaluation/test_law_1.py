"""Law 1 for random data, splits and models: what comes after a cutoff changes no forecast made at it."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecaster.evaluation import roll
from forecaster.evaluation.symbols import roll_symbols
from forecaster.forecasting.baselines import NAIVE_RULES, NaiveForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.ridge import RidgeForecaster
from forecaster.forecasting.symbol_baselines import RULES, SymbolBaseline
from forecaster.forecasting.symbols import SymbolForecaster
from forecaster.series import Columns
from forecaster.series.symbols import symbol_panel
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


def table(seed):
    """A series of symbols with a past covariate; the last ones are there in any case."""
    generator = np.random.default_rng(seed)
    names = generator.choice(["soup", "fish", "rice", None], STEPS, p=[0.5, 0.2, 0.2, 0.1])
    names[[0, 1, 2, -1]] = ["soup", "fish", "rice", "soup"]
    return pd.DataFrame({"ds": range(STEPS), "y": names, "late": generator.integers(0, 2, STEPS).astype(float)})


def of_symbols(frame):
    return symbol_panel(frame, Columns(known=["late"]))


@cache
def fitted_on_symbols(name):
    if name in RULES:
        return SymbolBaseline(name, 2, season=7).fit(of_symbols(table(1)))
    model = tiny("gru", strategy="recursive", samples=20, steps=5)
    return SymbolForecaster(model, 2, lookback=20, season=7, validation=10).fit(of_symbols(table(1)))


@pytest.mark.parametrize("name", [*RULES, "gru"])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), cutoff=st.integers(3, STEPS - 4))
def test_law_1_of_symbols(name, seed, cutoff):
    """What was eaten later, even what nobody had ever eaten before, changes nothing; known covariates may."""
    frame, changed = table(seed), table(seed)
    later = np.arange(cutoff + 1, STEPS - 1)
    changed.loc[later, "y"] = np.random.default_rng(seed).choice(["rice", "never eaten", None], len(later))
    forecaster, origins = fitted_on_symbols(name), np.array([[cutoff]])
    before, after = (
        roll_symbols(forecaster, of_symbols(one), origins).drop(columns=["y", f"{forecaster.name}-y-p"])
        for one in (frame, changed)
    )
    assert before.equals(after)
