"""When a fit ends, by networks that say what validation loss they are told to; nothing is learnt."""

from types import SimpleNamespace

import pytest

from forecaster.config import ModelDefinition
from forecaster.forecasting.lessons import Lessons
from forecaster.forecasting.training import Control, train

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
