"""The recurrent forecaster as its users meet it; laws 1 and 3."""

import functools

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


def covered():
    """Two series of 240 steps with a covariate of each kind."""
    load = np.random.default_rng(1).normal(size=480)
    hour = np.tile(np.arange(24.0), 20)
    return seasonal_panel(series=2, past_load=load, known_hour=hour, static_size=np.repeat([100.0, 300.0], 240))


def fit_covered(network, transform):
    options = {"transform": transform, "levels": [50, 80, 99]}
    return fitted(covered().until(150), tiny(network, dropout=0.2), **options)


fit_once = pytest.fixture(scope="module")(lambda: functools.cache(fit_covered))
"""Fits with covariates by network and transform, each done once and only read."""


@pytest.fixture(scope="module")
def usual():
    """A fit on two series, which is only read."""
    return fitted(seasonal_panel(series=2), levels=[50, 80, 95])


@pytest.mark.parametrize("network", NETWORKS)
def test_each_network_forecasts_every_series_in_raw_units(fit_once, network):
    frame = fit_once(network, "none").predict(covered().until(180), levels=[80, 99])
    assert list(frame.columns) == [
        "unique_id", "ds", "cutoff", network,
        f"{network}-lo-80", f"{network}-hi-80", f"{network}-lo-99", f"{network}-hi-99",
    ]  # fmt: skip
    assert len(frame) == 2 * 6
    assert (frame["ds"] > frame["cutoff"]).all()
    means = frame.groupby("unique_id")[network].mean()
    assert means["s0"] == pytest.approx(10, abs=3.5)
    assert means["s1"] == pytest.approx(20, abs=3.5)


@pytest.mark.parametrize("head", ["quantiles", "student_t"])
@pytest.mark.parametrize("kind", ["outages", "zeros", "stuck"])
def test_where_lookbacks_show_nothing_intervals_stay_of_the_size_of_the_values(kind, head):
    """Outages, zeros and stuck values longer than the lookback, in more than a tenth of the data; values about 1e5."""
    panel = seasonal_panel(steps=480)
    values = panel.values[:, 0] = 1e4 * panel.values[:, 0]
    usual = values.std()
    for start in range(40, 440, 90):
        values[start : start + 40] = {"outages": np.nan, "zeros": 0.0, "stuck": values[start]}[kind]
    quantiles = fitted(panel, tiny(head=head, steps=60)).quantiles(panel)
    width = quantiles[:, :, -1] - quantiles[:, :, 0]
    assert (width < (12 if kind == "outages" else 60) * usual).all()


@pytest.mark.parametrize("transform", ["none", "log", "difference", "log_return"])
def test_quantiles_never_cross_under_any_transform(fit_once, transform):
    quantiles = fit_once("custom_lstm", transform).quantiles(covered().until(180))
    assert quantiles.shape == (2, 6, 7)
    assert (np.diff(quantiles, axis=-1) > 0).all()


@pytest.mark.parametrize(
    ("network", "transform"), [*((network, "none") for network in NETWORKS), ("custom_lstm", "log_return")]
)
def test_law_1_nothing_behind_a_cutoff_changes_its_forecast(fit_once, network, transform):
    panel, forecaster = covered(), fit_once(network, transform)
    before = forecaster.quantiles(panel.until(180))
    panel.values[np.arange(480) % 240 > 180, :2] = 1e6  # target and past covariate; the known one is known
    assert np.array_equal(before, forecaster.quantiles(panel.until(180)))
    panel.values[180, 0] = 1e6
    assert not np.array_equal(before, forecaster.quantiles(panel.until(180)))


@pytest.mark.parametrize("network", NETWORKS)
def test_law_3_same_seed_same_forecasts_bit_for_bit(fit_once, network):
    seen = covered().until(180)
    first, second = (one.quantiles(seen) for one in (fit_once(network, "none"), fit_covered(network, "none")))
    assert np.array_equal(first, second)


def test_another_seed_gives_another_network(usual):
    panel = seasonal_panel(series=2)
    another = fitted(panel, levels=[50, 80, 95], seed=2)
    assert not np.array_equal(usual.quantiles(panel), another.quantiles(panel))


def test_law_3_a_resumed_fit_is_the_unbroken_one_and_a_checkpoint_of_another_fit_is_not_used(tmp_path):
    """Stopped before the first step, at a look at the validation part, and between two of them."""
    panel, model, file = seasonal_panel(), tiny(dropout=0.2, steps=40), tmp_path / "fit.npz"
    whole = fitted(panel, model)

    def stopping(more, key="this"):
        asked = iter(range(1000))
        return Control(stop=lambda: next(asked) == more, checkpoint=file, resume=True, key=key)

    for step, more in ((0, 0), (10, 10), (33, 23)):
        with pytest.raises(Interrupted, match=f"stopped at step {step} of 40"):
            fitted(panel, model, control=stopping(more))
    kept = file.read_bytes()
    with pytest.raises(Interrupted, match="stopped at step 0 of 40"):
        fitted(panel, model, control=stopping(0, key="that"))
    file.write_bytes(kept)
    resumed = fitted(panel, model, control=stopping(1000))
    assert np.array_equal(whole.quantiles(panel), resumed.quantiles(panel))
    assert whole.curve.equals(resumed.curve)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"\x93NUMPY" * 50, lambda file: file[: len(file) // 2]])
def test_law_8_a_damaged_checkpoint_is_none(tmp_path, damage, caplog):
    """As it is behind a power failure: the fit begins anew, says so, and is the unbroken one."""
    panel, model, file = seasonal_panel(), tiny(steps=20), tmp_path / "fit.npz"
    whole = fitted(panel, model, control=Control(checkpoint=file))
    file.write_bytes(damage(file.read_bytes()))
    again = fitted(panel, model, control=Control(checkpoint=file, resume=True))
    assert np.array_equal(whole.quantiles(panel), again.quantiles(panel))
    assert "no checkpoint to go on from" in caplog.text


def test_a_checkpoint_that_cannot_be_written_costs_no_fit(tmp_path, caplog):
    panel, model = seasonal_panel(), tiny(steps=20)
    (tmp_path / "folder").write_text("a file")
    control = Control(checkpoint=tmp_path / "folder" / "fit.npz", every=0.0)
    assert np.array_equal(fitted(panel, model, control=control).quantiles(panel), fitted(panel, model).quantiles(panel))
    [told] = [one.getMessage() for one in caplog.records if "cannot be kept there" in one.getMessage()]
    assert "Not a directory" in told or "File exists" in told
    control = Control(checkpoint=tmp_path / "folder" / "fit.npz", stop=lambda: True)
    with pytest.raises(Interrupted, match=r"stopped at step 0 of 20 of .*, which could not be kept"):
        fitted(panel, model, control=control)


def test_a_fit_that_gets_no_better_ends_before_its_last_step():
    curve = fitted(seasonal_panel(), tiny(learning_rate=0.5, steps=60, warmup=0, patience=1)).curve
    assert curve["validation"].idxmin() < len(curve) - 1
    assert curve["step"].max() < 60


def test_training_beats_the_naive_base_that_it_starts_from():
    panel = seasonal_panel(steps=800)
    curve = fitted(panel, tiny(units=16, steps=100, batch_size=32, learning_rate=0.01)).curve
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


def test_levels_that_were_not_trained_are_an_error_that_names_the_trained_ones(usual):
    panel = seasonal_panel(series=2)
    assert list(usual.predict(panel, levels=[95]).columns[3:]) == [
        "custom_lstm",
        "custom_lstm-lo-95",
        "custom_lstm-hi-95",
    ]
    with pytest.raises(LevelError, match=r"level 90 was not trained; the trained levels are 50, 80, 95"):
        usual.predict(panel, levels=[90])


def test_the_bounds_of_one_level_do_not_depend_on_the_others_asked_for(usual):
    panel = seasonal_panel(series=2)
    whole, one = usual.predict(panel), usual.predict(panel, levels=[80])
    for column in ("custom_lstm", "custom_lstm-lo-80", "custom_lstm-hi-80"):
        assert whole[column].equals(one[column])


def test_series_unseen_in_training_and_shorter_than_the_lookback_are_forecast(usual):
    for steps in (1, 5, 300):
        unseen = seasonal_panel(steps=max(steps, 3), seed=9).until(steps - 1)
        assert np.isfinite(usual.quantiles(unseen)).all()


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


def test_a_forecast_moves_with_the_unit(usual):
    """Scaling is part of the network: thousandfold data give thousandfold forecasts of the same weights."""
    panel = seasonal_panel()
    before = usual.quantiles(panel)
    panel.values[:] *= 1000
    assert usual.quantiles(panel) == pytest.approx(1000 * before, rel=1e-4)


def test_known_covariates_matter_and_must_reach_over_the_horizon():
    """The target jumps where the known covariate says so; only a network that reads it can know."""
    steps = 600
    flag = (np.random.default_rng(3).random(steps) < 0.3).astype(float)
    panel = seasonal_panel(steps=steps, season=6, known_flag=flag)
    panel.values[:, 0] += 20 * flag
    forecaster = fitted(panel, tiny(units=16, steps=150, learning_rate=0.02), season=6)
    seen = panel.until(500)
    said = forecaster.quantiles(seen)[0, :, 2]
    assert np.corrcoef(said, panel.values[501:507, 0])[0, 1] > 0.9
    with pytest.raises(DataError, match=r"known covariate 'known_flag' of series 's0' has no value at .*reach over"):
        forecaster.quantiles(panel)


def test_static_covariates_are_scaled_by_constants_of_the_training_part(fit_once):
    mean, spread = fit_once("custom_lstm", "none")._network.forecast.get_layer("static_scale").get_weights()
    assert (mean[0], spread[0]) == (200, 100)


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
    assert frame["custom_lstm"].to_numpy() == pytest.approx(panel.values[180:186, 0], abs=1e-3)
    assert list(frame["ds"]) == list(panel.stamps(np.arange(180, 186)))
