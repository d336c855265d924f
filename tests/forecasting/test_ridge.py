"""The cheap rival: what it computes, against scikit-learn alone; its intervals; what it makes of odd data."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge

import forecaster
from forecaster import NaiveForecaster, RidgeForecaster, naive
from forecaster.errors import DataError, ForecasterError, LevelError
from forecaster.evaluation import backtest, coverage, scales, score
from forecaster.forecasting.ridge import PENALTIES, _solve
from forecaster.series import Columns, cutoffs, panel_from_frame

LAGS, HORIZON, ORIGINS = 8, 3, 4


def panel_of(*series, known=None):
    """Series on a shared clock of whole numbers; `known` is one covariate for all, which may reach further."""
    frames = []
    for number, y in enumerate(series):
        steps = len(y) if known is None else len(known)
        padded = np.append(y, np.full(steps - len(y), np.nan))
        frame = pd.DataFrame({"unique_id": f"s{number}", "ds": range(steps), "y": padded})
        frames.append(frame if known is None else frame.assign(known=known))
    roles = {} if known is None else {"known": ["known"]}
    return panel_from_frame(pd.concat(frames), Columns(id="unique_id", **roles), clock="shared")


def waves(steps=120, noise=0.3, seed=0, period=6):
    generator = np.random.default_rng(seed)
    return 10 + 3 * np.sin(2 * np.pi * np.arange(steps) / period) + generator.normal(0, noise, steps)


def ridge(**options):
    return RidgeForecaster(HORIZON, **{"lookback": LAGS, "validation": ORIGINS, **options})


def by_scikit_learn(y, penalties=PENALTIES):
    """The same for one complete series, window by window: fitted model, errors of the validation part, naive errors."""
    y = np.asarray(y, np.float32).astype(float)
    border = len(y) - HORIZON * ORIGINS
    origins = range(LAGS, len(y) - HORIZON + 1)
    inputs = [(y[o - LAGS : o] - y[o - 1]) / y[o - LAGS : o].std() for o in origins]
    targets = [(y[o : o + HORIZON] - y[o - 1]) / y[o - LAGS : o].std() for o in origins]
    spreads = np.array([y[o - LAGS : o].std() for o in origins])
    training = [place for place, o in enumerate(origins) if o + HORIZON <= border]
    held_out = [place for place, o in enumerate(origins) if o >= border]
    weight = {
        part: np.minimum(1, spreads[places] / np.median(spreads[places]))
        for part, places in (("training", training), ("held_out", held_out))
    }
    fits = []
    for penalty in penalties:
        model = Ridge(alpha=penalty)
        model.fit(np.array(inputs)[training], np.array(targets)[training], sample_weight=weight["training"] ** 2)
        errors = np.abs(np.array(targets)[held_out] - model.predict(np.array(inputs)[held_out]))
        fits.append(((weight["held_out"][:, None] * errors).mean(), model, errors))
    return *min(fits, key=lambda fit: fit[0])[1:], np.abs(targets)


def test_a_horizon_of_one_step():
    """scikit-learn says one target as one column or none, by its version."""
    y = waves()
    first = RidgeForecaster(1, lookback=LAGS, validation=ORIGINS).fit(panel_of(y)).predict(panel_of(y))
    longer = ridge().fit(panel_of(y)).predict(panel_of(y))
    assert first["ridge"].to_numpy() == pytest.approx(longer["ridge"].to_numpy()[:1], rel=0.02)
    assert (first["ridge-lo-80"] < first["ridge"]).all() and (first["ridge"] < first["ridge-hi-80"]).all()


def test_it_is_scikit_learns_ridge_on_the_lags():
    y = waves()
    frame = ridge().fit(panel_of(y)).predict(panel_of(y))
    model, errors, naive_errors = by_scikit_learn(y)
    spread = y[-LAGS:].std()
    expected = y[-1] + spread * model.predict([(y[-LAGS:] - y[-1]) / spread])[0]
    assert frame["ridge"].to_numpy() == pytest.approx(expected, rel=1e-5)
    for level in (80, 95):
        probability = 0.5 + level / 200
        wider = stats.t.ppf(probability, ORIGINS + 4) / stats.norm.ppf(probability)  # four origins are few
        own = np.quantile(errors, level / 100, axis=0)
        usual = np.clip(np.quantile(naive_errors, level / 100, axis=0, method="hazen"), own / 8, 8 * own)
        width = wider * spread * stats.hmean([own, usual], axis=0)  # naive errors are worth four, too
        assert (frame[f"ridge-hi-{level}"] - frame["ridge"]).to_numpy() == pytest.approx(width, rel=1e-4)
        assert (frame["ridge"] - frame[f"ridge-lo-{level}"]).to_numpy() == pytest.approx(width, rel=1e-4)


def test_the_penalty_suits_the_data():
    """Noise is shrunk towards the last value's forecast, a clean wave is not."""
    walk = np.cumsum(np.random.default_rng(1).normal(size=200))
    shrunk = ridge().fit(panel_of(walk)).predict(panel_of(walk))["ridge"].to_numpy()
    assert np.abs(shrunk - walk[-1]).max() < 0.5
    clean = waves(noise=0)
    followed = ridge().fit(panel_of(clean)).predict(panel_of(clean))["ridge"].to_numpy()
    assert followed == pytest.approx(waves(steps=123, noise=0)[-3:], abs=0.02)


def test_one_model_serves_all_series_whatever_their_level_and_unit():
    y = waves()
    panel = panel_of(y, 1000 * y + 5000)
    frame = ridge().fit(panel).predict(panel)
    first, second = frame["ridge"].to_numpy().reshape(2, HORIZON)
    assert second == pytest.approx(1000 * first + 5000, rel=1e-3)


def test_series_that_it_was_not_fitted_on_can_be_forecast():
    clean = waves(noise=0.01)
    frame = ridge().fit(panel_of(clean)).predict(panel_of(40 + 7 * waves(steps=50, noise=0)))
    assert frame["ridge"].to_numpy() == pytest.approx(40 + 7 * waves(steps=53, noise=0)[-3:], abs=0.5)


def test_known_covariates_of_the_future_help():
    generator = np.random.default_rng(3)
    known = generator.normal(size=250)
    y = 5 + 2 * known + generator.normal(0, 0.1, 250)
    errors = {}
    for label, panel in (("with", panel_of(y, known=known)), ("without", panel_of(y))):
        frame = backtest(ridge(), panel, windows=5)
        errors[label] = (frame["y"] - frame["ridge"]).abs().mean()
    assert errors["with"] < 0.25 < errors["without"] / 4


def test_known_covariates_must_be_those_of_the_fit_and_reach_over_the_horizon():
    known = np.arange(123.0)
    fitted = ridge().fit(panel_of(waves(), known=known))
    assert len(fitted.predict(panel_of(waves(), known=known))) == HORIZON
    with pytest.raises(DataError, match="ridge was trained with the known covariates known, the data have none"):
        fitted.predict(panel_of(waves()))
    with pytest.raises(DataError, match="'known' of series 's0' has no value at 122"):
        fitted.predict(panel_of(waves(), known=known[:-1]))


def test_intervals_cover_their_share_of_a_stationary_series():
    """20 autoregressive series, each judged on 60 steps."""
    shares = {80: [], 95: []}
    for seed in range(20):
        generator = np.random.default_rng(seed)
        y = np.zeros(500)
        for step in range(1, 500):
            y[step] = 0.7 * y[step - 1] + generator.normal()
        frame = backtest(ridge(validation=28), panel_of(y), windows=20)
        for level, share in shares.items():
            share.append(coverage(frame, "ridge", level))
    assert np.mean(shares[80]) == pytest.approx(0.80, abs=0.04)
    assert np.mean(shares[95]) == pytest.approx(0.95, abs=0.03)


def test_a_validation_part_that_is_off_to_one_side_does_not_push_the_intervals_there():
    """The level falls through the validation part and comes back: the errors change their sign, not their size."""
    y = waves(400, noise=0.2)
    y[340:370] -= np.linspace(0, 12, 30)
    y[370:] += np.linspace(-12, 0, 30)
    frame = backtest(ridge(validation=10), panel_of(y), windows=10)
    assert frame["y"].gt(frame["ridge"]).mean() > 0.6
    assert coverage(frame, "ridge", 80) > 0.6
    assert (frame["ridge-lo-80"] <= frame["ridge"]).all() and (frame["ridge"] <= frame["ridge-hi-80"]).all()


def test_on_half_hourly_demand_the_intervals_cover_about_their_share():
    panel = forecaster.read_csv("data/energy_demand.csv", target="demand")
    frame = backtest(RidgeForecaster(48, lookback=336, validation=11), panel, windows=28)
    assert 0.75 < coverage(frame, "ridge", 80) < 0.92
    assert coverage(frame, "ridge", 95) > 0.9


def test_any_level_can_be_asked_for_and_wider_ones_are_wider():
    fitted = ridge(levels=[80]).fit(panel_of(waves()))
    frame = fitted.predict(panel_of(waves()), levels=[99, 50])
    assert list(frame.columns[3:]) == ["ridge", "ridge-lo-50", "ridge-hi-50", "ridge-lo-99", "ridge-hi-99"]
    assert (frame["ridge-hi-50"] < frame["ridge-hi-99"]).all()
    assert list(fitted.predict(panel_of(waves()), levels=[]).columns[3:]) == ["ridge"]
    with pytest.raises(LevelError):
        fitted.predict(panel_of(waves()), levels=[101])


def test_missing_targets_are_left_out_of_the_fit_step_by_step():
    """Each step's model is the one that scikit-learn finds for the windows in which this step was observed."""
    generator = np.random.default_rng(5)
    inputs = generator.normal(size=(300, 6))
    target = inputs @ generator.normal(size=(6, HORIZON)) + generator.normal(size=(300, HORIZON))
    target[generator.random(target.shape) < 0.1] = np.nan
    weights = generator.random(300)
    ours = _solve(inputs, target, weights, penalty=10.0)
    for step in range(HORIZON):
        seen = np.isfinite(target[:, step])
        alone = Ridge(alpha=10.0).fit(inputs[seen], target[seen, step], sample_weight=weights[seen])
        assert ours.predict(inputs)[:, step] == pytest.approx(alone.predict(inputs), abs=0.01)


def test_a_series_with_gaps_is_forecast_nearly_as_well_as_a_complete_one():
    complete = waves(300, noise=0.1)
    holed = np.where(np.random.default_rng(0).random(300) < 0.15, np.nan, complete)
    holed[-1] = complete[-1]
    frame = backtest(ridge(lookback=12), panel_of(holed), windows=8)
    assert (frame["y"] - frame["ridge"]).abs().mean() < 0.6
    assert not frame["ridge"].isna().any()


def test_no_window_with_a_complete_horizon_is_needed():
    y = np.where(np.arange(240) % 3 == 1, np.nan, waves(240, noise=0.05, period=7))
    frame = ridge(lookback=14).fit(panel_of(y)).predict(panel_of(y))
    assert frame["ridge"].to_numpy() == pytest.approx(waves(243, noise=0, period=7)[-3:], abs=1)


def test_a_lookback_without_any_value_is_forecast_from_the_last_one_before():
    y = waves(noise=0.05)
    panel = panel_of(y)
    later = replace(panel, values=np.append(panel.values, np.full((20, 1), np.nan, np.float32), axis=0))
    later = replace(later, offsets=np.array([0, 140]), ends=np.array([140]))
    before = later.values.copy()
    frame = ridge().fit(panel).predict(later)
    assert frame["ridge"].to_numpy() == pytest.approx([y[-1]] * HORIZON)
    np.testing.assert_array_equal(later.values, before)


def test_a_constant_series_stays_as_it_is():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = ridge().fit(panel_of(np.full(80, 0.1))).predict(panel_of(np.full(80, 0.1)))
    assert frame[["ridge", "ridge-lo-95", "ridge-hi-95"]].to_numpy() == pytest.approx(np.full((3, 3), 0.1))


def test_a_constant_series_among_others_does_no_harm():
    y = waves()
    alone = ridge().fit(panel_of(y)).predict(panel_of(y))
    both = ridge().fit(panel_of(y, np.full(120, 7.0))).predict(panel_of(y))
    assert both["ridge"].to_numpy() == pytest.approx(alone["ridge"].to_numpy(), rel=1e-4)


def test_a_flat_stretch_does_not_make_it_worse_than_the_last_value():
    """As of a currency that was pegged for a while: in the unit of a flat window, leaving it is a huge error."""
    generator = np.random.default_rng(0)
    y = 100 + np.cumsum(generator.normal(size=600))
    y[100:200] = y[99] + generator.normal(0, 1e-3, 100)
    panel = panel_of(y)
    frame = backtest([ridge(), NaiveForecaster(naive, HORIZON)], panel, windows=40)
    scale = scales(panel.until(cutoffs(panel, HORIZON, 40, HORIZON)[0]), 1)
    table = score(frame, ["ridge", "naive"], ["mase"], scale)["mase"]
    assert table["ridge"] < 1.1 * table["naive"]


def test_the_same_data_give_the_same_forecasts():
    one, two = (ridge().fit(panel_of(waves())).predict(panel_of(waves())) for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_short_series_says_what_is_missing():
    with pytest.raises(DataError, match="at least"):
        ridge().fit(panel_of(waves(steps=13)))


def test_a_series_just_long_enough_is_forecast():
    frame = ridge(validation=1).fit(panel_of(waves(steps=10))).predict(panel_of(waves(steps=10)))
    assert np.isfinite(frame.drop(columns="unique_id").to_numpy(float)).all()


def test_a_validation_part_without_values_says_so():
    """The long series ended before the validation part began, the one that goes on began in it."""
    late = np.where(np.arange(100) < 97, np.nan, 1.0)
    early = np.where(np.arange(100) < 60, waves(100), np.nan)
    with pytest.raises(DataError, match="validation part"):
        ridge().fit(panel_of(early, late))


def test_unfitted_it_says_so():
    with pytest.raises(ForecasterError, match=r"call fit\(panel\) first"):
        ridge().predict(panel_of(waves()))
