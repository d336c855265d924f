"""The Theta method as a layer: against a plain loop, and what it does where little is seen."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.frame import ToFrame
from forecaster.networks.theta import FARTHEST, RATES, Blend, deviation, theta

HORIZON = 5


def said(values, season=1, horizon=HORIZON):
    given = np.asarray(values, np.float32)
    seen = np.isfinite(given)
    return ops.convert_to_numpy(theta(np.where(seen, given, 0), seen.astype(np.float32), season, horizon))


def by_loop(values, horizon):
    """Of one window without a season: the recurrence for each rate, the level of the best one, half the slope."""
    seen = values[np.isfinite(values)]
    tried = []
    for rate in RATES:
        level, squares = seen[0], 0.0
        for value in seen[1:]:
            squares += (value - level) ** 2
            level += rate * (value - level)
        tried.append((squares, rate, level))
    least = min(squares for squares, _, _ in tried)
    rate, level = np.mean([(rate, level) for squares, rate, level in tried if squares == least], axis=0)
    places = np.flatnonzero(np.isfinite(values))
    slope = np.polyfit(places, seen, 1)[0] if len(seen) > 2 else 0.0
    unseen = len(values) - 1 - places[-1]
    return level + slope / 2 * (np.arange(horizon) + unseen + (1 - (1 - rate) ** len(seen)) / rate)


@pytest.mark.parametrize("missing", [[], range(20), [3, 4, 17, 29], [8, *range(33, 40)], range(38), range(39)])
def test_a_window_is_smoothed_as_by_the_recurrence_step_by_step(missing):
    values = np.random.default_rng(1).normal(0.2, 1, (8, 40)).cumsum(axis=1)
    values[:, list(missing)] = np.nan
    wanted = [by_loop(window, HORIZON) for window in values]
    assert said(values) == pytest.approx(np.array(wanted), abs=1e-4)


def test_half_of_a_trend_goes_on_through_a_gap_at_the_end():
    line = np.arange(60.0)
    unseen = np.where(line < 52, line, np.nan)
    assert said([unseen])[0] == pytest.approx(51 + (np.arange(HORIZON) + 9) / 2, abs=0.3)


@pytest.mark.parametrize("season", [4, 7, 12])
def test_a_season_is_found_and_goes_on_in_step(season):
    time = np.arange(10 * season + 3)
    wave = 5 * np.sin(2 * np.pi * time / season)
    forecast = said([wave[:-HORIZON]], season)[0]
    assert forecast == pytest.approx(wave[-HORIZON:], abs=0.3)


def test_noise_has_no_season():
    noise = np.random.default_rng(2).normal(size=(200, 48))
    with_season, without = said(noise, 12, 12), said(noise, 1, 12)
    assert np.abs(with_season - without).mean() < 0.2  # a season of plain means would have a spread of a half


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([np.nan] * 6, 0.0), ([np.nan] * 5 + [3.0], 3.0), ([2.0] * 6, 2.0)],
    ids=["nothing", "one value", "flat"],
)
def test_of_little_it_says_the_little_that_there_is(values, wanted):
    assert said([values]) == pytest.approx(np.full((1, HORIZON), wanted), abs=1e-6)


def test_its_unit_is_that_of_the_values():
    values = np.random.default_rng(3).normal(size=(4, 36)).cumsum(axis=1)
    assert said(100 + 7 * values, 12) == pytest.approx(100 + 7 * said(values, 12), rel=1e-4)


@pytest.mark.parametrize("transform", ["none", "log", "difference", "log_return"])
def test_a_share_of_one_is_the_method_itself_in_the_scale_that_the_network_works_in(transform):
    from forecaster.networks.frame import FromFrame, logarithmic

    past = np.exp(np.random.default_rng(4).normal(0, 0.1, (3, 30)).cumsum(axis=1)).astype(np.float32)
    frame = ToFrame(transform)(past)[2]
    quantiles = np.tile(np.array([-1.0, 0.0, 2.0], np.float32), (3, HORIZON, 1))
    blended = Blend(1.0, 1.0, 1, transform)(quantiles, past, frame)
    raw = ops.convert_to_numpy(FromFrame(transform)(blended, frame))
    wanted = np.exp(said(np.log(past))) if logarithmic(transform) else said(past)
    assert raw[:, :, 1] == pytest.approx(wanted, rel=1e-4)


def test_quantiles_move_together_and_are_stretched_about_their_median():
    past = np.arange(12, dtype=np.float32)[None]
    frame, quantiles = np.array([[0.0, 1.0]], np.float32), np.tile(np.float32([-1.0, 0.5, 2.0]), (1, HORIZON, 1))
    apart = ops.convert_to_numpy(deviation(quantiles[:, :, 1], past, frame, 1, "none"))
    moved = ops.convert_to_numpy(Blend(0.25, 2.0, 1)(quantiles, past, frame))
    assert moved[:, :, 1] == pytest.approx(quantiles[:, :, 1] + 0.25 * apart)
    assert moved[:, :, 2] - moved[:, :, 0] == pytest.approx(np.full((1, HORIZON), 6.0))


def test_what_lies_only_in_the_longer_memory_moves_a_forecast_by_a_bounded_distance():
    past = np.random.default_rng(5).normal(0, 1, (1, 60)).astype(np.float32)
    past[0, 10] = 1e6
    frame = ToFrame("none")(past[:, 30:])[2]
    apart = ops.convert_to_numpy(deviation(np.zeros((1, HORIZON), np.float32), past, frame, 1, "none"))
    assert np.abs(said(past)).max() > 1000 and np.abs(apart).max() == FARTHEST


def test_where_nothing_was_observed_the_network_is_left_alone():
    quantiles = np.ones((1, HORIZON, 3), np.float32)
    past = np.full((1, 8), np.nan, np.float32)
    assert np.array_equal(Blend(0.5, 1.0, 1)(quantiles, past, np.array([[0.0, 1.0]], np.float32)), quantiles)


def test_the_layer_comes_back_from_its_config():
    layer = Blend(0.3, 0.9, 12, "log", name="theta")
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).get_config() == (
        layer.get_config()
    )
