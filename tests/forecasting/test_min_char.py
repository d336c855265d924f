"""`pipelines/min_char.yaml` against the same network written in NumPy: forward, backward, Adagrad, clipping."""

from pathlib import Path

import numpy as np
import pytest

from forecaster.config import ModelDefinition, read_pipeline
from forecaster.forecasting.lessons import Lessons
from forecaster.forecasting.symbols import step_by_step
from forecaster.forecasting.training import Control, train
from forecaster.networks.recursive import build_recursive
from forecaster.networks.shape import Shape
from forecaster.series.runs import Runs
from forecaster.series.symbols import in_terms_of, vocabulary_of
from forecaster.series.text import text_panel

PIPELINE = Path(__file__).parents[2] / "pipelines" / "min_char.yaml"
TEXT = ("the cat sat on the mat, and the rat that saw the cat ran. " * 9)[:450]
STEPS, LOOK, NOVELTY = 60, 10, 0.001
RATE, LIMIT = 0.02, 0.05
"""At the classic's rate of 0.1 the first steps blow rounding up, and no two implementations stay together."""


def chunks(places, length, steps):
    """What is read and what comes, 25 characters each; the last chunk of the text has no character to end with."""
    starts = np.arange(0, len(places), length)
    for step in range(steps):
        start = starts[step % len(starts)]
        read, coming = places[start : start + length], places[start + 1 : start + 1 + length]
        yield start == 0, read[: len(coming)], coming


def numpy_curve(weights, places, steps, rate, limit, length):
    """Loss of each step; `weights`: input (symbols, units), recurrent, bias, output (units, symbols), bias."""
    weights = [weight.astype(np.float64) for weight in weights]
    squares = [np.zeros_like(weight) for weight in weights]
    losses, hidden = [], np.zeros(weights[1].shape[0])
    for begins, read, coming in chunks(places, length, steps):
        wx, wh, b, wy, c = weights
        states = [np.zeros_like(hidden) if begins else hidden]
        for symbol in read:
            states.append(np.tanh(wx[symbol] + states[-1] @ wh + b))
        scores = np.stack(states[1:]) @ wy + c
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        steps_here = np.arange(len(read))
        losses.append(-np.mean(np.log(chances[steps_here, coming] * (1 - NOVELTY))))
        wrong = chances.copy()
        wrong[steps_here, coming] -= 1
        wrong /= len(read)
        slopes = [np.zeros_like(weight) for weight in weights]
        slopes[3], slopes[4] = np.stack(states[1:]).T @ wrong, wrong.sum(axis=0)
        later = np.zeros_like(hidden)
        for step in reversed(steps_here):
            inner = (1 - states[step + 1] ** 2) * (wrong[step] @ wy.T + later)
            slopes[0][read[step]] += inner
            slopes[1] += np.outer(states[step], inner)
            slopes[2] += inner
            later = inner @ wh.T
        for weight, square, slope in zip(weights, squares, slopes, strict=True):
            cut = np.clip(slope, -limit, limit)
            square += cut**2
            weight -= rate * cut / np.sqrt(square + 1e-8)
        hidden = states[-1]
    return np.array(losses)


@pytest.fixture(scope="module")
def definition():
    told = read_pipeline(PIPELINE).models[0]
    changes = {
        "steps": STEPS, "evaluate_every": LOOK, "smoothing": 0.9, "learning_rate": RATE, "clipvalue": LIMIT,
    }  # fmt: skip
    short = {**told.model_dump(exclude_unset=True), **changes}
    return step_by_step(ModelDefinition.model_validate({**short, "name": "min_char"}), text=True)


def test_the_loss_curve_is_that_of_an_independent_implementation(definition):
    panel = text_panel(TEXT)
    vocabulary = vocabulary_of(panel)
    panel = in_terms_of(panel, vocabulary)
    shape = Shape(25, 1, (), vocabulary=vocabulary, novelty=NOVELTY)
    network = build_recursive(definition, shape, seed=1, gapless=True)
    generator, variables = np.random.default_rng(2), network.train.trainable_variables
    start = [generator.normal(0, 0.01, variable.shape).astype(np.float32) for variable in variables]
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    runs = Runs(panel, lanes=1, length=25, seed=1)
    curve = train(network, Lessons(runs.batch(0), runs.batch, runs.batch(0)), definition, Control())
    places = panel.target.astype(int) - 1
    theirs = numpy_curve(start, places, STEPS, rate=RATE, limit=LIMIT, length=25)
    smooth = theirs[0]
    smoothed = [smooth := 0.9 * smooth + 0.1 * loss for loss in theirs]
    assert curve["training"].to_numpy()[1:] == pytest.approx(np.array(smoothed)[LOOK - 1 :: LOOK], rel=2e-3)
    assert theirs[:20].mean() > 1.3 * theirs[-20:].mean(), "it learns"
    assert curve["clipped"].sum() > 0, "clipping was at work"
