"""The finish of a fit: it learns from the validation part, and what is judged by that part has not."""

import numpy as np
import pytest

from forecaster.errors import DefinitionError, Interrupted
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from tests.synthetic import seasonal_panel, tiny

MODEL = tiny(dropout=0.2, finish=1.0)


def fitted(panel, model, **options):
    return RecurrentForecaster(model, 6, season=12, lookback=24, transform="none", **options).fit(panel)


@pytest.fixture(scope="module")
def panel():
    """The first 200 of 240 hours."""
    return seasonal_panel().until(199)


@pytest.fixture(scope="module")
def told():
    """The progress of the fit below."""
    return []


@pytest.fixture(scope="module")
def finished(panel, told):
    return fitted(panel, MODEL, control=Control(report=told.append))


def learnt(forecaster):
    """All numbers that training moves; calibration's are not among them."""
    return np.concatenate([one.numpy().ravel() for one in forecaster._network.train.trainable_variables])


def test_the_finish_can_be_undone_is_told_and_keeps_the_calibration(panel, finished, told):
    plain = fitted(panel, MODEL.model_copy(update={"finish": 0}))
    before, after = plain.quantiles(panel), finished.quantiles(panel)
    assert not np.array_equal(after, before)
    for one in (plain, finished):
        with one.unfinished():
            assert np.array_equal(one.quantiles(panel), before)
    assert np.array_equal(finished.quantiles(panel), after)
    stretches = [np.asarray(one._network.stretch.numpy()) for one in (plain, finished)]
    assert np.array_equal(*stretches) and not np.allclose(stretches[0], 1)
    assert {one.model for one in told} == {"custom_lstm"}
    assert [one.step for one in told if one.finishing][-1] == finished.curve["step"].max()


def test_a_network_of_windows_is_finished_by_two_thirds_of_the_steps_that_led_to_its_best(panel):
    """Where a model file leaves that open; of symbols it is one third, see test_symbols."""
    told = []
    one = fitted(panel, tiny(steps=9, evaluate_every=3), control=Control(report=told.append))
    assert one.curve["validation"].idxmin() == 3, "the last look, after nine steps"
    assert [one.steps for one in told if one.finishing and one.done] == [6]


def test_networks_of_numbers_that_go_step_by_step_have_none_and_a_written_one_is_refused(panel):
    told = []
    model = tiny(strategy="recursive", samples=20, steps=4, evaluate_every=2)
    without = fitted(panel, model, control=Control(report=told.append))
    assert not any(one.finishing for one in told) and not np.allclose(without._network.stretch, 1)
    assert fitted(panel, model.model_copy(update={"finish": 0.0})).curve.equals(without.curve)
    with pytest.raises(DefinitionError, match=r"custom_lstm: finish: 0\.5, but .* leave finish out, or write strategy"):
        fitted(panel, model.model_copy(update={"finish": 0.5}))


def test_law_1_the_validation_part_trains_nothing_but_the_finish(finished):
    """One of other numbers gives the same unfinished weights, where it stops the fit at the same step."""
    changed = seasonal_panel()
    changed.values[200 - 6 * finished.resolved.validation : 200] += 0.5
    theirs = fitted(changed.until(199), MODEL)
    best = [int(one.curve["validation"].argmin()) for one in (finished, theirs)]
    assert best == [2, 2]
    assert finished.curve["training"].equals(theirs.curve["training"])
    assert not finished.curve["validation"].equals(theirs.curve["validation"])
    with finished.unfinished(), theirs.unfinished():
        before = [learnt(one) for one in (finished, theirs)]
    after = [learnt(one) for one in (finished, theirs)]
    assert np.array_equal(*before)
    assert not np.array_equal(*after)


def test_law_1_a_finish_knows_nothing_behind_the_panel_that_it_was_given(panel, finished):
    changed = seasonal_panel()
    changed.values[200:] = 1e6
    theirs = fitted(changed.until(199), MODEL).quantiles(changed.until(199))
    assert np.array_equal(finished.quantiles(panel), theirs)


def test_law_3_a_fit_interrupted_in_its_finish_is_the_unbroken_one(panel, finished, tmp_path):
    """20 steps, of which the best is known, then as many again: stopped within both."""
    control = {"checkpoint": tmp_path / "fit.npz", "key": "this", "resume": True}
    for more, said in ((13, "stopped at step 13 of 20"), (14, "stopped at step 7 of .* of finishing")):
        counted = iter(range(1000))
        with pytest.raises(Interrupted, match=said):
            fitted(panel, MODEL, control=Control(stop=lambda left=counted, more=more: next(left) == more, **control))
    resumed = fitted(panel, MODEL, control=Control(**control))
    assert np.array_equal(resumed.quantiles(panel), finished.quantiles(panel))
