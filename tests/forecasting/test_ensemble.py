"""An ensemble: several seeds and lookbacks, one network out; fitted, resumed, inspected and exported as any other."""

import numpy as np
import pytest

from forecaster.errors import Interrupted
from forecaster.forecasting.inspection import inspect
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from forecaster.networks.caution import cautious
from forecaster.networks.ensemble import Voters, join
from forecaster.networks.widening import usual_in_frames
from forecaster.series import training_windows
from tests.synthetic import seasonal_panel, tiny


def fitted(panel, model, **options):
    return RecurrentForecaster(model, 6, season=1, lookback=24, **options).fit(panel)


@pytest.fixture(scope="module")
def panel():
    return seasonal_panel(series=2)


@pytest.fixture(scope="module")
def three(panel):
    return fitted(panel, tiny(ensemble=3, finish=0.5))


def test_the_forecast_is_the_median_of_the_members_quantiles(panel, three):
    assert [member.network.shape.lookback for member in three._members] == [24, 12, 18]
    single = [calibrated(member.network, panel) for member in three._members]
    assert np.median(single, axis=0) == pytest.approx(calibrated(three._network, panel), rel=1e-5)
    assert not np.allclose(single[0], single[1])
    assert (np.diff(three.quantiles(panel), axis=-1) > 0).all()


@pytest.mark.parametrize(("missing", "voters"), [(11, [0, 1, 2]), (13, [0, 2]), (20, [0]), (24, [0])])
def test_a_member_that_sees_nothing_has_no_vote(panel, three, missing, voters):
    past = windows(panel)
    past[1, -missing:] = np.nan
    single = [calibrated(three._members[one].network, panel, past)[1] for one in voters]
    both = calibrated(three._network, panel, past)
    assert both[1] == pytest.approx(np.median(single, axis=0), rel=1e-5)
    assert both[0] == pytest.approx(calibrated(three._network, panel)[0], rel=1e-6)


def test_nor_has_it_one_in_the_exported_network_and_the_level_stays(panel, three, tmp_path):
    import tensorflow as tf

    three.export(tmp_path / "served", tmp_path)
    past = windows(panel)
    past[:, -20:] = np.nan
    served = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"](past=past)
    quantiles = served["quantiles"].numpy()
    assert quantiles == pytest.approx(three._network.answer({"past": past})["quantiles"], rel=1e-5)
    seen = past[:, :4, 0]
    assert (np.abs(quantiles[:, :, 2] - seen.mean(axis=1)[:, None]) < 3 * seen.std(axis=1)[:, None]).all()


def test_under_logarithms_values_that_have_none_give_no_vote():
    votes = Voters((4, 2), "log")(np.array([[1.0, 1.0, 0.0, -1.0], [1.0, 1.0, np.nan, 2.0]], np.float32))
    assert np.asarray(votes).tolist() == [[True, False], [True, True]]


def calibrated(network, panel, past=None):
    """Raw quantiles before any caution, which is one for all networks together."""
    assert network.shape.transform == "none"
    past = windows(panel) if past is None else past
    said = network.scaled({"past": past[:, -network.shape.lookback :]})
    frame = np.asarray(said["frame"])[:, None]
    return frame[..., :1] + frame[..., 1:] * np.asarray(said["quantiles"])


def test_one_caution_for_all_of_them_is_in_the_frame_of_the_longest_lookback(panel, three):
    shape = three._network.shape
    every = training_windows(panel, 24, 6).gather(slice(None))
    usual = usual_in_frames(every.past[:, :, 0], every.target, shape)
    assert np.array(shape.usual) == pytest.approx(np.array(usual)) and np.min(np.delete(usual, 2, axis=1)) > 0
    before, spread = calibrated(three._network, panel), windows(panel)[:, :, 0].std(axis=1)[:, None]
    median = before[:, :, 2:3]
    apart = np.stack(
        [
            cautious(size, one * np.array(usual), shape.quantiles, shape.looks)
            for size, one in zip(np.abs(before - median), spread, strict=True)
        ]
    )
    assert three.quantiles(panel) == pytest.approx(median + np.sign(before - median) * apart, rel=1e-4)


def said_by(member, panel):
    past = windows(panel)[:, -member.network.shape.lookback :]
    return member.network.answer({"past": past})["quantiles"]


def windows(panel):
    from forecaster.series import forecast_windows

    return forecast_windows(panel, 24, 6).gather(slice(None)).past


@pytest.fixture(scope="module")
def alone(panel):
    return fitted(panel, tiny(finish=0.5))


def test_the_first_member_is_the_network_without_an_ensemble(panel, three, alone):
    assert alone.curve.equals(three.curve) and list(alone.curves) == ["custom_lstm"]
    assert list(three.curves) == ["custom_lstm 1", "custom_lstm 2", "custom_lstm 3"]
    assert np.array_equal(said_by(three._members[0], panel), alone.quantiles(panel))


def test_an_even_count_takes_the_mean_of_the_two_in_the_middle(panel, three):
    together = join([member.network for member in three._members[:2]])
    single = [calibrated(member.network, panel) for member in three._members[:2]]
    assert np.mean(single, axis=0) == pytest.approx(calibrated(together, panel), rel=1e-5)


def test_unfinished_members_are_judged_together_and_come_back(panel, three):
    after = three.quantiles(panel)
    with three.unfinished():
        assert not np.allclose(three.quantiles(panel), after)
    assert np.array_equal(three.quantiles(panel), after)


def test_law_3_an_ensemble_that_was_stopped_in_its_second_member_goes_on_to_the_same_forecast(panel, three, tmp_path):
    control = {"checkpoint": tmp_path / "gru.npz", "key": "this"}
    asked, told = iter(range(1000)), []
    with pytest.raises(Interrupted):
        fitted(panel, tiny(ensemble=3, finish=0.5), control=Control(stop=lambda: next(asked) == 40, **control))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["gru+1.npz", "gru+2.npz"]
    control = Control(resume=True, report=told.append, **control)
    resumed = fitted(panel, tiny(ensemble=3, finish=0.5), control=control)
    assert np.array_equal(resumed.quantiles(panel), three.quantiles(panel))
    assert {(one.member, one.members) for one in told} == {(1, 3), (2, 3), (3, 3)}


def test_the_saved_model_says_the_same_and_holds_all_members(panel, three, tmp_path):
    import tensorflow as tf

    served, side = tmp_path / "served", tmp_path / "side"
    side.mkdir()
    three.export(served, side)
    call = tf.saved_model.load(str(served)).signatures["serving_default"]
    past = windows(panel)
    said = call(past=tf.constant(past))["quantiles"].numpy()
    assert said == pytest.approx(three.quantiles(panel), rel=1e-5)
    assert call(past=tf.constant(past[:1]))["quantiles"].shape == (1, 6, 5)


def test_its_inside_is_seen_member_by_member(panel, three, alone):
    seen, single = inspect(three, panel), inspect(alone, panel)
    assert [trace.layer for trace in seen.traces] == ["lstm 1", "lstm 2", "lstm 3"]
    counted = [sum(layer.count for layer in one.parameters) for one in (seen, single)]
    assert counted[0] == 3 * counted[1]
    begins = [layer["edges"][0] for layer in seen.document()["activations"]]
    assert begins == [seen.document()["window"]["lookback"]["ds"][-steps] for steps in (24, 12, 18)]
