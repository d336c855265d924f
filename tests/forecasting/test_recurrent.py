"""The recurrent forecaster as its users meet it; laws 1 and 3."""

import numpy as np
import pytest

from forecaster.config import ModelDefinition
from forecaster.errors import DataError, DefinitionError, ForecasterError, Interrupted, LevelError, TrainingError
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from tests.synthetic import seasonal_panel, tiny

NETWORKS = ["simple_rnn", "lstm", "gru", "custom_lstm"]


def fitted(panel, model=None, **options):
    return RecurrentForecaster(model or tiny(), 6, **{"season": 12, "lookback": 24, **options}).fit(panel)


@pytest.mark.parametrize("network", NETWORKS)
def test_each_network_forecasts_every_series_in_raw_units(network):
    panel = seasonal_panel(series=2)
    frame = fitted(panel, tiny(network)).predict(panel)
    assert list(frame.columns) == [
        "unique_id", "ds", "cutoff", network,
        f"{network}-lo-80", f"{network}-hi-80", f"{network}-lo-95", f"{network}-hi-95",
    ]  # fmt: skip
    assert len(frame) == 2 * 6
    assert (frame["ds"] > frame["cutoff"]).all()
    means = frame.groupby("unique_id")[network].mean()
    assert means["s0"] == pytest.approx(10, abs=3.5)
    assert means["s1"] == pytest.approx(20, abs=3.5)


@pytest.mark.parametrize("transform", ["none", "log", "difference", "log_return"])
def test_quantiles_never_cross_under_any_transform(transform):
    panel = seasonal_panel(series=2)
    quantiles = fitted(panel, transform=transform, levels=[50, 80, 99]).quantiles(panel)
    assert quantiles.shape == (2, 6, 7)
    assert (np.diff(quantiles, axis=-1) > 0).all()


@pytest.mark.parametrize(
    ("network", "transform"), [*((network, "none") for network in NETWORKS), ("gru", "log_return")]
)
def test_law_1_nothing_behind_a_cutoff_changes_its_forecast(network, transform):
    steps = 240
    generator = np.random.default_rng(1)
    covariates = {"past_load": generator.normal(size=steps), "known_hour": np.tile(np.arange(24.0), steps // 24)}
    panel = seasonal_panel(steps=steps, **covariates)
    forecaster = fitted(panel.until(150), tiny(network), transform=transform)
    before = forecaster.quantiles(panel.until(180))
    panel.values[181:, :2] = 1e6  # target and past covariate; the known one is known
    assert np.array_equal(before, forecaster.quantiles(panel.until(180)))
    panel.values[180, 0] = 1e6
    assert not np.array_equal(before, forecaster.quantiles(panel.until(180)))


def test_law_1_the_last_part_of_the_panel_does_not_train():
    """Training targets end at the border of the validation part: it changes when to stop, never what is learnt."""
    panel, changed = seasonal_panel(), seasonal_panel()
    border = fitted(panel).resolved.validation * 6
    changed.values[-border:] *= 3
    model = tiny(steps=10, evaluate_every=10)
    ours, theirs = (fitted(one, model) for one in (panel, changed))
    assert ours.curve["training"].equals(theirs.curve["training"])
    assert not ours.curve["validation"].equals(theirs.curve["validation"])


@pytest.mark.parametrize("network", NETWORKS)
def test_law_3_same_seed_same_forecasts_bit_for_bit(network):
    panel = seasonal_panel()
    model = tiny(network, dropout=0.2)
    first, second = (fitted(panel, model, seed=1).quantiles(panel) for _ in range(2))
    assert np.array_equal(first, second)


def test_another_seed_gives_another_network():
    panel = seasonal_panel()
    first, second = (fitted(panel, seed=seed).quantiles(panel) for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_law_3_a_resumed_fit_is_the_unbroken_one(tmp_path):
    panel = seasonal_panel()
    model = tiny(dropout=0.2, steps=40)
    whole = fitted(panel, model)
    for last in (0, 10, 33):
        asked = iter(range(100))
        control = {"checkpoint": tmp_path / f"{last}.npz", "key": "this"}
        stopping = Control(stop=lambda asked=asked, last=last: next(asked) == last, **control)
        with pytest.raises(Interrupted, match=f"stopped at step {last} of 40"):
            fitted(panel, model, control=stopping)
        resumed = fitted(panel, model, control=Control(resume=True, **control))
        assert np.array_equal(whole.quantiles(panel), resumed.quantiles(panel))
        assert whole.curve.equals(resumed.curve)


def test_a_checkpoint_of_another_fit_is_not_used(tmp_path):
    panel = seasonal_panel()
    file = tmp_path / "fit.npz"
    fitted(panel, tiny(steps=10), control=Control(checkpoint=file, key="this"))
    seen = []
    fitted(panel, control=Control(checkpoint=file, key="that", resume=True, report=seen.append))
    assert seen[0].step == 10 and len(seen) > 1


def test_the_best_weights_are_kept_not_the_last():
    panel = seasonal_panel()
    model = tiny(learning_rate=0.5, steps=60, warmup=0)
    forecaster = fitted(panel, model)
    best = forecaster.curve["validation"].idxmin()
    assert best < len(forecaster.curve) - 1
    short = tiny(learning_rate=0.5, steps=60, warmup=0, patience=1)
    assert fitted(panel, short).curve["step"].max() < 60


def test_training_beats_the_naive_base_that_it_starts_from():
    panel = seasonal_panel(steps=800)
    curve = fitted(panel, tiny(units=16, steps=300, batch_size=32, learning_rate=0.01)).curve
    assert curve["validation"].min() < 0.95 * curve["validation"].iloc[0]


def test_a_loss_that_is_not_finite_ends_the_fit_with_the_reason():
    model = tiny(network="tests.forecasting.own_network:exploding")
    with pytest.raises(TrainingError, match=r"loss is not finite at step .* lower learning_rate"):
        fitted(seasonal_panel(), model)


def test_a_network_of_the_users_own():
    panel = seasonal_panel()
    frame = fitted(panel, tiny("tests.forecasting.own_network:mean_of_the_past")).predict(panel)
    assert np.isfinite(frame.iloc[:, 3:]).all(axis=None)


@pytest.mark.parametrize(
    ("path", "fragment"),
    [
        ("no.such.module:build", "cannot be imported"),
        ("tests.synthetic:nothing", "cannot be imported"),
        ("tests.synthetic:__all__", "not a function"),
    ],
)
def test_an_import_path_that_leads_nowhere(path, fragment):
    with pytest.raises(DefinitionError, match=fragment):
        fitted(seasonal_panel(), ModelDefinition(network=path, name="own"))


def test_levels_that_were_not_trained_are_an_error_that_names_the_trained_ones():
    panel = seasonal_panel()
    forecaster = fitted(panel, levels=[80, 95])
    assert list(forecaster.predict(panel, levels=[95]).columns[3:]) == ["gru", "gru-lo-95", "gru-hi-95"]
    with pytest.raises(LevelError, match=r"level 90 was not trained; the trained levels are 80, 95"):
        forecaster.predict(panel, levels=[90])


def test_the_bounds_of_one_level_do_not_depend_on_the_others_asked_for():
    panel = seasonal_panel()
    forecaster = fitted(panel, levels=[50, 80, 95])
    whole, one = forecaster.predict(panel), forecaster.predict(panel, levels=[80])
    for column in ("gru", "gru-lo-80", "gru-hi-80"):
        assert whole[column].equals(one[column])


def test_series_unseen_in_training_and_shorter_than_the_lookback_are_forecast():
    forecaster = fitted(seasonal_panel(series=2))
    for steps in (1, 5, 300):
        unseen = seasonal_panel(steps=max(steps, 3), seed=9).until(steps - 1)
        assert np.isfinite(forecaster.quantiles(unseen)).all()


def test_missing_values_are_masked_and_never_reach_the_forecast():
    panel = seasonal_panel()
    panel.values[::7] = np.nan
    panel.values[100:160] = np.nan
    forecaster = fitted(panel)
    assert np.isfinite(forecaster.quantiles(panel)).all()
    assert np.isfinite(forecaster.quantiles(panel.until(159))).all()


def test_constant_and_zero_series_are_forecast_as_such():
    panel = seasonal_panel(series=2)
    panel.values[:240], panel.values[240:] = 0.0, 7.0
    quantiles = fitted(panel).quantiles(panel)
    assert quantiles[0] == pytest.approx(0, abs=1e-3)
    assert quantiles[1] == pytest.approx(7, abs=1e-2)


def test_a_forecast_moves_with_the_unit():
    """Scaling is part of the network: thousandfold data give thousandfold forecasts of the same weights."""
    panel = seasonal_panel()
    forecaster = fitted(panel)
    before = forecaster.quantiles(panel)
    panel.values[:] *= 1000
    assert forecaster.quantiles(panel) == pytest.approx(1000 * before, rel=1e-4)


def test_known_covariates_matter_and_must_reach_over_the_horizon():
    """The target jumps where the known covariate says so; only a network that reads it can know."""
    steps = 600
    flag = (np.random.default_rng(3).random(steps) < 0.3).astype(float)
    panel = seasonal_panel(steps=steps, season=6, known_flag=flag)
    panel.values[:, 0] += 20 * flag
    forecaster = fitted(panel, tiny(units=16, steps=300, learning_rate=0.01), season=6)
    seen = panel.until(500)
    said = forecaster.quantiles(seen)[0, :, 2]
    assert np.corrcoef(said, panel.values[501:507, 0])[0, 1] > 0.9
    with pytest.raises(DataError, match=r"known covariate 'known_flag' of series 's0' has no value at .*reach over"):
        forecaster.quantiles(panel)


def test_static_covariates_are_scaled_by_constants_of_the_training_part():
    panel = seasonal_panel(series=2, static_size=np.repeat([100.0, 300.0], 240))
    forecaster = fitted(panel)
    mean, spread = forecaster._network.forecast.get_layer("static_scale").get_weights()
    assert (mean[0], spread[0]) == (200, 100)
    assert np.isfinite(forecaster.quantiles(panel)).all()


def test_the_log_of_a_value_that_has_none_is_refused_with_its_place():
    panel = seasonal_panel()
    panel.values[5] = 0
    with pytest.raises(DataError, match=r"transform: log_return .* 's0' has 0 at 2024-01-01 05:00:00"):
        fitted(panel, transform="log_return")


def test_predicting_before_fitting_and_series_too_short_to_fit():
    with pytest.raises(ForecasterError, match=r"not fitted; call fit\(panel\) first"):
        RecurrentForecaster(tiny(), 6).predict(seasonal_panel())
    with pytest.raises(DataError, match=r"shorter horizon|shorten the horizon"):
        RecurrentForecaster(tiny(), 20).fit(seasonal_panel(steps=25))


def test_forecasts_stand_at_their_own_time_stamps():
    """A wave without noise: the untrained network repeats its last season, so a shift by one step would be seen."""
    panel = seasonal_panel()
    panel.values[:, 0] = 10 + 3 * np.sin(2 * np.pi * np.arange(240) / 12)
    frame = fitted(panel.until(179), tiny(steps=1, learning_rate=1e-9)).predict(panel.until(179))
    assert frame["gru"].to_numpy() == pytest.approx(panel.values[180:186, 0], abs=1e-3)
    assert list(frame["ds"]) == list(panel.stamps(np.arange(180, 186)))
