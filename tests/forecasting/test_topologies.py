"""Topologies, variants and dilated stacks as forecasters; laws 1 and 3."""

import numpy as np
import pytest

from forecaster.errors import DataError, Interrupted
from forecaster.forecasting.clipping import clipping
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from tests.synthetic import seasonal_panel, tiny

MODELS = {
    "encoder_decoder": tiny("gru", strategy="seq2seq", steps=5),
    "one_to_many": tiny("lstm", topology="one_to_many", steps=5),
    "one_to_one": tiny("feed_forward", strategy="recursive", steps=5),
    "dilated": tiny("custom_lstm", dilations=[1, 2], residual=True, peephole=["output"], segment=2, steps=5),
}


def fitted(panel, model, **options):
    return RecurrentForecaster(model, 6, season=12, lookback=24, **options).fit(panel)


@pytest.mark.parametrize("kind", MODELS)
def test_law_1_nothing_behind_a_cutoff_changes_its_forecast(kind):
    steps = 240
    known = np.tile(np.arange(24.0), steps // 24)
    panel = seasonal_panel(steps=steps, known_hour=known)
    forecaster = fitted(panel.until(150), MODELS[kind])
    before = forecaster.quantiles(panel.until(180))
    panel.values[181:, 0] = 1e6
    assert np.array_equal(before, forecaster.quantiles(panel.until(180)))
    panel.values[180, 0] = 1e6
    assert not np.array_equal(before, forecaster.quantiles(panel.until(180)))


def test_law_3_a_resumed_decoder_is_taught_and_clipped_as_the_unbroken_one(tmp_path):
    panel = seasonal_panel()
    model = tiny("feed_forward", strategy="recursive", steps=20, clipnorm=0.05)
    whole = fitted(panel, model)
    asked = iter(range(100))
    control = {"checkpoint": tmp_path / "fit.npz", "key": "this"}
    with pytest.raises(Interrupted):
        fitted(panel, model, control=Control(stop=lambda: next(asked) == 7, **control))
    resumed = fitted(panel, model, control=Control(resume=True, **control))
    assert np.array_equal(whole.quantiles(panel), resumed.quantiles(panel))
    assert whole.curve.equals(resumed.curve)
    assert whole.curve["clipped"].sum() > 0 and whole.curve["gradient"].max() > 0.05
    assert clipping(whole.curve).startswith("clipped in ") and "of 20 steps, largest gradient norm" in clipping(
        whole.curve
    )


def test_dropout_drops_in_a_network_without_memory_too():
    keys = {"strategy": "recursive", "steps": 5}
    plain, dropping = (fitted(seasonal_panel(), tiny("feed_forward", **keys, dropout=share)) for share in (0, 0.9))
    assert not np.allclose(plain.quantiles(seasonal_panel()), dropping.quantiles(seasonal_panel()))


def test_nothing_is_said_where_nothing_was_clipped():
    curve = fitted(seasonal_panel(), tiny(steps=5, clipnorm=None)).curve
    assert not curve["clipped"].any() and curve["gradient"].max() > 0 and clipping(curve) == ""


def test_a_step_by_step_forecast_refuses_covariates_that_it_will_not_know():
    panel = seasonal_panel(past_load=1.0)
    with pytest.raises(DataError, match=r"strategy: recursive .*past covariates past_load.*strategy: direct"):
        fitted(panel, MODELS["one_to_one"])
