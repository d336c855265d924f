"""When a fit ends, by networks that say what validation loss they are told to; and which checkpoints fit."""

from types import SimpleNamespace

import numpy as np
import pytest

from forecaster.config import ModelDefinition
from forecaster.forecasting.lessons import Lessons
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control, train
from tests.synthetic import seasonal_panel, tiny

NOTHING = SimpleNamespace(inputs={}, target=None)


class Scripted:
    """A network whose validation loss falls until one step, and rises from there."""

    def __init__(self, best):
        watch = SimpleNamespace(build=lambda variables: None, reset_watch=lambda: (0, 0.0))
        self.steps, self.best = 0, best
        self.train = SimpleNamespace(optimizer=watch, variables=[], trainable_variables=[], train_on_batch=self.learn)

    def learn(self, inputs, target):
        self.steps += 1
        return 1.0

    def lesson(self, inputs, target, step=None):
        return inputs

    def loss(self, inputs, target):
        return float(abs(self.steps - self.best))


@pytest.mark.parametrize(
    ("best", "end"),
    [
        (0, 50),  # half of the patience at least
        (20, 70),
        (50, 100),
        (80, 160),  # as many steps as led to the best
        (100, 200),
        (150, 250),  # the patience at most
        (280, 300),  # never more than the steps
    ],
)
def test_a_fit_waits_as_long_as_its_best_step_took(best, end):
    definition = ModelDefinition(network="gru", name="gru", steps=300, patience=100, evaluate_every=10, averaging=0)
    network = Scripted(best)
    curve = train(network, Lessons(NOTHING, lambda step: NOTHING, NOTHING), definition, Control())
    assert network.steps == end
    assert list(curve["step"]) == list(range(0, end + 1, 10))


@pytest.mark.parametrize(("patience", "end"), [(1, 10), (300, 300), (1000, 300)])
def test_the_smallest_patience_sees_one_look_behind_the_first_and_one_of_all_steps_ends_no_fit(patience, end):
    definition = ModelDefinition(
        network="gru", name="gru", steps=300, patience=patience, evaluate_every=10, averaging=0
    )
    curve = train(Scripted(0), Lessons(NOTHING, lambda step: NOTHING, NOTHING), definition, Control())
    assert curve["step"].iloc[-1] == end


@pytest.mark.parametrize(
    ("changes", "key", "why"),
    [
        ({}, "that", "it is of other data, another definition, other code or another release"),
        ({"units": 3}, "this", "it is of a network with other weights"),
        ({"optimizer": "adagrad"}, "this", "it is of a network with other weights"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_not_gone_on_from_and_that_is_told(tmp_path, caplog, changes, key, why):
    """As where the code of a network of the user's own has changed in a way that its key does not show."""

    def fitted(**control):
        network = RecurrentForecaster(
            tiny(steps=4, evaluate_every=2, **{"units": 2} | changes), 6, season=12, lookback=24,
            control=Control(**control),
        )  # fmt: skip
        return network.fit(panel).quantiles(panel)

    panel, file = seasonal_panel(), tmp_path / "fit.npz"
    before = RecurrentForecaster(
        tiny(units=2, steps=4, evaluate_every=2), 6, season=12, lookback=24,
        control=Control(checkpoint=file, key="this"),
    )  # fmt: skip
    before.fit(panel)
    again = fitted(checkpoint=file, key=key, resume=True)
    [told] = [one.getMessage() for one in caplog.records if "fit.npz" in one.getMessage()]
    assert told == f"{file}: no checkpoint to go on from ({why}); the fit begins anew"
    assert np.array_equal(again, fitted())
