"""Recursive forecasters as their users meet them: memory beyond the cut, the laws, exports and refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from forecaster.config import ModelDefinition
from forecaster.config.reading import parse
from forecaster.errors import DataError, DefinitionError, Interrupted
from forecaster.evaluation import roll
from forecaster.forecasting import lessons
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from forecaster.pipeline.publication import TOLERANCE
from forecaster.series import Columns, forecast_windows, panel_from_frame
from forecaster.store import ManifestDraft
from tests.synthetic import seasonal_panel, tiny

PERIOD, CUT = 4, 2


def signed(series=16, steps=48):
    """Every fourth step a value and its opposite, whose sign is the series' own and shows nowhere else."""
    place = np.arange(steps) % PERIOD
    wave = np.where(place == 0, 1.0, np.where(place == 1, -1.0, 0.0))
    sign = np.where(np.arange(series) % 2, 1.0, -1.0)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{number:02}" for number in range(series)], steps),
            "ds": np.tile(np.arange(steps), series),
            "y": (10 * sign[:, None] * wave).reshape(-1),
            "due": np.tile(place == 0, series).astype(float),
        }
    )
    return panel_from_frame(frame, Columns("unique_id", known=["due"])), sign


def recursive(panel, horizon=2, control=None, season=1, **keys):
    options = {"strategy": "recursive", "samples": 40, "units": 8, "steps": 20, **keys}
    model = tiny(options.pop("network", "custom_lstm"), **options)
    return RecurrentForecaster(model, horizon, lookback=12, season=season, validation=1, control=control).fit(panel)


def test_what_lies_further_back_than_the_gradient_reaches_is_remembered():
    """The last value with a sign lies three steps back, the gradient is cut after two: the state tells the sign."""
    panel, sign = signed()
    keys = {"steps": 200, "learning_rate": 0.02, "batch_size": 16, "evaluate_every": 100, "network": "lstm"}
    forecaster = recursive(panel, carry_state=True, truncate=CUT, **keys)
    seen = panel.until(PERIOD * 10 + 3)  # a value with the sign is due
    said = forecaster.quantiles(seen)[:, 0, 2]
    assert said == pytest.approx(10 * sign, abs=3)
    blind = forecast_windows(seen, CUT, 2).gather(slice(None))
    inputs = {**blind.inputs, "seed": np.ones(len(sign), np.int32)}
    without = forecaster._network.answer(inputs)["quantiles"][:, 0, 2]
    assert np.ptp(without) < 1e-3, "two steps of zeros tell no sign"


@pytest.fixture(scope="module")
def carried():
    """A carried state on two series with a gap, known, static and calendar inputs."""
    steps = 120
    columns = {
        "known_x": np.random.default_rng(0).normal(size=2 * steps),
        "static_size": np.repeat([1.0, 2.0], steps),
    }
    panel = seasonal_panel(series=2, steps=steps, **columns).with_calendar(["hour"])
    panel.values[60:66, 0] = np.nan
    return panel, recursive(panel.until(90), 3, carry_state=True, truncate=8, season=12)


@pytest.mark.parametrize("lengths", [(70, 120), (120, 70), (70, 120, 70)])
@pytest.mark.parametrize("limits", [{"MOST_STEPS": 130}, {"MOST_STEPS": 300}, {"MOST_STEPS": 60, "PIECE": 20}])
def test_a_series_that_ended_before_the_validation_part_stops_no_fit(lengths, limits, monkeypatch):
    """A loss of nothing is 0, and no network would be better than the untrained one."""
    for name, value in limits.items():
        monkeypatch.setattr(lessons, name, value)
    parts = [seasonal_panel(steps=steps).until(steps - 1) for steps in lengths]
    frames = [pd.DataFrame({"unique_id": f"s{n}", "ds": np.arange(len(one.target)), "y": one.target})
              for n, one in enumerate(parts)]  # fmt: skip
    panel = panel_from_frame(pd.concat(frames), Columns("unique_id"), clock="shared")
    border, model = np.full(len(lengths), 90), tiny(strategy="recursive", carry_state=True, truncate=8)
    told = lessons.sequence_lessons(panel, border, resolve(panel, 2, 12, 12, 1, 1, 2), 2, model, 1)
    assert np.isfinite(told.held_out.target).any()
    with pytest.raises(DataError, match="no target was observed in the validation part"):
        lessons.sequence_lessons(panel, border + 40, resolve(panel, 2, 12, 12, 1, 1, 2), 2, model, 1)


def test_law_1_nothing_behind_a_cutoff_changes_its_forecast(carried):
    panel, forecaster = carried
    before = forecaster.quantiles(panel.until(100))
    changed = seasonal_panel(series=2, steps=120, known_x=0.0, static_size=0.0).with_calendar(["hour"])
    changed.values[:] = panel.values
    changed.static_values[:] = panel.static_values
    changed.values[np.arange(240) % 120 > 100, 0] = 1e6
    assert np.array_equal(before, forecaster.quantiles(changed.until(100)))
    changed.values[100, 0] = 1e6
    assert not np.array_equal(before, forecaster.quantiles(changed.until(100)))


def test_neighbouring_series_do_not_leak_and_a_history_may_be_of_any_length(carried):
    panel, forecaster = carried
    both = forecaster.quantiles(panel.until(100))
    alone = forecaster.quantiles(panel.select([1]).until(100))
    assert alone[0] == pytest.approx(both[1], rel=1e-5)
    assert np.isfinite(forecaster.quantiles(panel.until(2))).all()


def test_a_backtest_says_once_what_it_went_through_on_its_own_medians(carried, caplog):
    """Before two of three cutoffs of the first series three and six steps are missing, half a horizon and more."""
    panel, forecaster = carried
    origins = np.array([[62], [65], [67]]) + np.zeros(2, int)
    with caplog.at_level("WARNING", "forecaster"):
        roll(forecaster, panel, origins)
        roll(forecaster, panel, origins[2:])
        roll(forecaster, replace(panel, filling="forward"), origins)
    [told] = [record.getMessage() for record in caplog.records]
    last = panel.stamps(np.array([59]))[0]
    assert told.startswith(
        f"custom_lstm: up to 6 steps in a row before a cutoff not observed (series 's0', last seen at {last}"
    )
    assert "forecasts behind such a gap: 2 of 6)" in told and "on its own medians" in told


def test_law_2_the_exported_network_says_the_same_at_once_and_as_a_stream(carried, tmp_path):
    panel, forecaster = carried
    (tmp_path / "served").mkdir()
    forecaster.export(tmp_path / "served", tmp_path)
    draft = ManifestDraft(
        definition={}, model="custom_lstm", model_definition={}, inferred={}, levels=[80, 95], quantiles=[], horizon=3,
        inputs={"past": ["y", *panel.known_inputs], "known": [*panel.known_inputs], "static": [*panel.static]},
        calendar={"features": ["hour"], "zone": None, "columns": panel.features.definitions}, lookback=12,
        frequency={"name": panel.calendar.name}, data={}, scores={}, gate={}, seed=1, versions={},
        streaming=forecaster.streaming,
    )  # fmt: skip
    served = PublishedForecaster.load(tmp_path / "served", draft)
    seen = panel.until(30)
    own, said = forecaster.quantiles(seen), served.quantiles(seen)
    assert (np.abs(said - own) <= TOLERANCE * np.abs(own)).all()
    assert np.array_equal(said, served.quantiles(seen)), "the same request has the same answer"

    step = served._loaded.signatures["step"]
    batch = forecast_windows(seen, 31, 3).gather(slice(None))
    known = np.concatenate([batch.past[:, 1:, 1:], batch.known[:, :1]], axis=1)
    shapes = draft.streaming["state"]
    state = {name: np.zeros((2, *tensor["shape"]), np.float32) for name, tensor in shapes.items()}
    for place in range(31):
        now = {"observation": batch.past[:, place], "known": known[:, place], "static": batch.static, **state}
        answer = step(**{name: tf.constant(part) for name, part in now.items()})
        state = {name: answer[name] for name in shapes}
    assert answer["quantiles"].numpy()[:, 0] == pytest.approx(own[:, 0], rel=1e-5)
    functions = step.graph.as_graph_def().library.function
    operations = {node.op for function in functions for node in function.node_def}
    assert not [name for name in operations if "cudnn" in name.lower()]


def test_law_3_a_resumed_fit_carries_on_the_state_of_the_unbroken_one(tmp_path):
    panel = seasonal_panel()
    keys = {"carry_state": True, "truncate": 5, "steps": 12, "evaluate_every": 6, "dropout": 0.2}
    whole = recursive(panel, **keys)
    asked = iter(range(100))
    control = {"checkpoint": tmp_path / "fit.npz", "key": "this"}
    with pytest.raises(Interrupted, match="stopped at step 7 of 12"):
        recursive(panel, control=Control(stop=lambda: next(asked) == 7, **control), **keys)
    resumed = recursive(panel, control=Control(resume=True, **control), **keys)
    assert whole.curve.equals(resumed.curve)
    for ours, theirs in zip(whole._network.train.weights, resumed._network.train.weights, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_past_covariate_is_refused_with_what_to_do():
    panel = seasonal_panel(past_load=np.zeros(240))
    with pytest.raises(DataError, match=r"past covariates past_load .*declare them under `known`"):
        recursive(panel)


def test_law_1_gaps_are_not_filled_towards_what_is_to_be_forecast():
    """Every step is forecast from those before it: halfway to the next one would tell it."""
    panel = replace(seasonal_panel(), filling="interpolate")
    assert recursive(panel).resolved, "where there are no gaps nothing is filled"
    panel.values[50, 0] = np.nan
    with pytest.raises(DataError, match=r"missing: interpolate draws gaps towards .* write missing: mask or forward"):
        recursive(panel)


def test_what_has_no_logarithm_is_a_gap_in_what_is_learnt_from():
    panel = seasonal_panel()
    panel.values[50, 0] = 0.0
    assert lessons.gapless(panel) and lessons.gapless(panel, "difference")
    assert not lessons.gapless(panel, "log") and not lessons.gapless(panel, "log_return")


@pytest.mark.parametrize(
    ("keys", "fragment"),
    [
        ({"truncate": 25, "strategy": "recursive"}, "carry_state: true"),
        ({"carry_state": True}, "strategy: recursive"),
        ({"samples": 100}, "strategy: recursive"),
        ({"segment": 4, "strategy": "recursive"}, "has no segment; leave it out"),
        ({"samples": 3, "strategy": "recursive"}, "should be at least 20; found 3"),
        ({"truncate": 1, "carry_state": True, "strategy": "recursive"}, "should be at least 2; found 1"),
    ],
)
def test_keys_that_do_not_go_together(keys, fragment):
    with pytest.raises(DefinitionError, match=fragment):
        parse({"network": "gru", **keys}, ModelDefinition, "model.yaml")
