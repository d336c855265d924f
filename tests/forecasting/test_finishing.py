"""The finish of a fit: it learns from the validation part, and what is judged by that part has not."""

import numpy as np
import pytest

from forecaster.errors import Interrupted
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from tests.synthetic import seasonal_panel, tiny


def fitted(panel, model, **options):
    return RecurrentForecaster(model, 6, season=12, lookback=24, transform="none", **options).fit(panel)


def changed_at_its_end():
    """The same a little higher in its last six steps, which the validation part holds."""
    changed = seasonal_panel()
    changed.values[-6:] += 0.5
    return changed


def learnt(forecaster):
    """All numbers that training moves; calibration's are not among them."""
    return np.concatenate([one.numpy().ravel() for one in forecaster._network.train.trainable_variables])


def test_the_finish_can_be_undone_is_told_and_keeps_the_calibration():
    panel, told = seasonal_panel(), []
    plain = fitted(panel, tiny(finish=0))
    forecaster = fitted(panel, tiny(finish=1.0), control=Control(report=told.append))
    before, finished = plain.quantiles(panel), forecaster.quantiles(panel)
    assert not np.array_equal(finished, before)
    for one in (plain, forecaster):
        with one.unfinished():
            assert np.array_equal(one.quantiles(panel), before)
    assert np.array_equal(forecaster.quantiles(panel), finished)
    stretches = [np.asarray(one._network.stretch.numpy()) for one in (plain, forecaster)]
    assert np.array_equal(*stretches) and not np.allclose(stretches[0], 1)
    assert {one.model for one in told} == {"gru"}
    assert [one.step for one in told if one.finishing][-1] == forecaster.curve["step"].max()


def test_the_weights_that_the_validation_part_judges_have_not_learnt_from_it():
    """A validation part of other numbers gives the same unfinished weights, where it stops the fit at the same step."""
    panel = seasonal_panel()
    model = tiny(steps=10, evaluate_every=10, finish=1.0)
    ours, theirs = fitted(panel, model), fitted(changed_at_its_end(), model)
    best = [int(one.curve["validation"].argmin()) for one in (ours, theirs)]
    assert best == [1, 1]
    with ours.unfinished(), theirs.unfinished():
        before = [learnt(one) for one in (ours, theirs)]
    after = [learnt(one) for one in (ours, theirs)]
    assert np.array_equal(*before)
    assert not np.array_equal(*after)


def test_law_1_a_finish_knows_nothing_behind_the_panel_that_it_was_given():
    panel, changed = seasonal_panel(), seasonal_panel()
    changed.values[200:] = 1e6
    ours, theirs = (fitted(one.until(199), tiny(finish=1.0)).quantiles(one.until(199)) for one in (panel, changed))
    assert np.array_equal(ours, theirs)


def test_law_3_a_fit_interrupted_in_its_finish_is_the_unbroken_one(tmp_path):
    """20 steps, of which the best is known, then as many again: stopped within both."""
    panel, model = seasonal_panel(), tiny(dropout=0.2, finish=1.0)
    whole = fitted(panel, model).quantiles(panel)
    control = {"checkpoint": tmp_path / "fit.npz", "key": "this", "resume": True}
    for more, said in ((13, "stopped at step 13 of 20"), (14, "stopped at step 7 of .* of finishing")):
        counted = iter(range(1000))
        with pytest.raises(Interrupted, match=said):
            fitted(panel, model, control=Control(stop=lambda left=counted, more=more: next(left) == more, **control))
    resumed = fitted(panel, model, control=Control(**control))
    assert np.array_equal(resumed.quantiles(panel), whole)
