"""A share of the Theta method in a network's forecasts: when, how much, and inside of the export."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.forecasting.blending import share_of
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.networks.frame import ToFrame
from forecaster.networks.theta import Blend
from forecaster.series import forecast_windows
from tests.synthetic import seasonal_panel, tiny

LOOKBACK, HORIZON = 24, 6


def fitted(panel, **changes):
    model = tiny(steps=6, evaluate_every=3, finish=0.5, **changes)
    return RecurrentForecaster(model, HORIZON, season=12, lookback=LOOKBACK).fit(panel)


@pytest.fixture(scope="module")
def panel():
    return seasonal_panel(series=2)


@pytest.fixture(scope="module", params=[1, 2], ids=["one network", "an ensemble"])
def blended(panel, request):
    return fitted(panel, theta=0.4, ensemble=request.param)


def past_of(panel, steps):
    return forecast_windows(panel, steps, HORIZON).gather(slice(None)).past


def test_it_reads_further_back_than_the_network_and_says_the_mean_of_both(panel, blended):
    assert (blended.reads, blended.theta) == (min(int(panel.lengths.max()), 128), 0.4)
    past = past_of(panel, blended.reads)
    single = [
        member.network.answer({"past": past[:, -member.network.shape.lookback :]})["quantiles"]
        for member in blended._members
    ]
    alone = np.median(single, axis=0)
    frame = ToFrame("none")(past[:, -LOOKBACK:, 0])[2]
    scaled = (alone - frame[:, :1, None]) / frame[:, 1:, None]
    moved = ops.convert_to_numpy(Blend(0.4, 1.0, 12)(scaled, past[:, :, 0], frame))
    wanted = ops.convert_to_numpy(frame[:, :1] + frame[:, 1:] * moved[:, :, 2])
    said = blended.quantiles(panel)
    assert said[:, :, 2] == pytest.approx(wanted, rel=1e-4)
    assert not np.allclose(said[:, :, 2], alone[:, :, 2], rtol=1e-3) and (np.diff(said, axis=-1) >= 0).all()


def test_the_saved_model_says_the_same(panel, blended, tmp_path):
    import tensorflow as tf

    (tmp_path / "side").mkdir()
    blended.export(tmp_path / "served", tmp_path / "side")
    call = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    told = call(past=tf.constant(past_of(panel, blended.reads)))["quantiles"].numpy()
    assert told == pytest.approx(blended.quantiles(panel), rel=1e-5)


def test_law_1_nothing_behind_the_cutoff_moves_a_forecast(panel, blended):
    cutoff = panel.last - 30
    other = replace(panel, values=panel.values.copy())
    behind = np.arange(len(panel.values)) % int(panel.lengths[0]) >= int(panel.lengths[0]) - 30
    other.values[behind, 0] += 1e3
    assert not np.array_equal(blended.quantiles(other), blended.quantiles(panel))
    assert np.array_equal(blended.quantiles(other.until(cutoff)), blended.quantiles(panel.until(cutoff)))


def test_a_second_fit_without_a_share_reads_no_further_than_its_network(panel):
    forecaster = RecurrentForecaster(tiny(steps=2, theta="auto"), HORIZON, season=12, lookback=LOOKBACK).fit(panel)
    assert forecaster.reads == 128
    forecaster.lookback = 60
    assert (forecaster.fit(panel).reads, forecaster.theta) == (60, 0.0)
    assert np.isfinite(forecaster.quantiles(panel)).all()


def test_a_date_behind_the_data_is_reached_with_the_whole_memory(panel, blended):
    start = panel.stamps(panel.last[:1] + 4)[0]
    frame = blended.predict(panel, start=start)
    assert np.isfinite(frame[blended.name]).all() and len(frame) == 2 * HORIZON


def test_how_much_is_told_and_left_to_the_validation_part(panel, caplog):
    caplog.set_level(logging.INFO, "forecaster")
    forecaster = fitted(panel, theta="auto")
    share = forecaster.theta
    assert 0 < share < 1 and f"custom_lstm: {100 * share:.0f}% of its forecast is the Theta method's" in caplog.text
    assert "has a share" in forecaster.resolved.reasons["theta"]


@pytest.mark.parametrize(
    ("errors", "apart", "origins", "wanted"),
    [
        ([1.0, 1.0], [2.0, 2.0], 1, (0.5, 0.5)),
        ([2.0, 2.0], [2.0, 2.0], 3, (0.875, 1.0)),
        ([-1.0, -3.0], [2.0, 2.0], 1, (0.25, 0.0)),
        ([np.nan, 1.0], [5.0, 2.0], 4, (0.5, 0.5)),
        ([np.nan], [1.0], 9, (0.5, 0.5)),
    ],
    ids=["half of the way", "all of it", "away from it", "missing targets do not count", "nothing known"],
)
def test_the_share_is_what_validates_best_drawn_towards_a_half(errors, apart, origins, wanted):
    assert share_of(np.array(errors), np.array(apart), origins) == wanted


@pytest.mark.parametrize(
    ("lookback", "covariate", "wanted"), [(48, False, True), (49, False, False), (24, True, False)]
)
def test_it_is_for_short_lookbacks_without_covariates(lookback, covariate, wanted):
    columns = {"known_a": np.zeros(480)} if covariate else {}
    panel = seasonal_panel(series=2, steps=240, **columns)
    resolved = resolve(panel, HORIZON, lookback, "auto", "auto", "auto", HORIZON)
    assert (resolved.theta, "theta" in resolved.reasons) == (wanted, wanted)
    assert resolved.memory == 128


def test_counts_and_paths_have_none(panel):
    with pytest.raises(ValueError, match="is no count; leave theta out"):
        ModelDefinition(network="gru", head="negative_binomial", theta=0.5)
    with pytest.raises(ValueError, match="sampled paths"):
        ModelDefinition(network="gru", strategy="recursive", theta=0.5)
    assert ModelDefinition(network="gru", strategy="recursive", theta=0.0).theta == 0.0
    assert fitted(panel, theta=0.0).reads == LOOKBACK
