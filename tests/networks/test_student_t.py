"""The Student-t head against SciPy, and what it is for: far values move it less."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

from forecaster.networks.build import Shape, build
from forecaster.networks.student_t import StudentT
from tests.synthetic import tiny

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


def head():
    layer = StudentT(LEVELS)
    layer.build()
    return layer


def free(location, spread, freedom):
    """Free numbers that mean these parameters, shape (1, 1, 3)."""
    share = (0 if np.isinf(freedom) else 1 / freedom) / 0.49
    freedom_number = np.log(share / (1 - share)) if share else -40.0
    return np.array([[[np.log(np.expm1(spread)), location, freedom_number]]], np.float32)


@pytest.mark.parametrize("freedom", [2.1, 3.0, 5.5, 30.0, np.inf])
def test_quantiles_and_likelihood_are_scipys(freedom):
    numbers, base = free(0.5, 2.0, freedom), np.array([[1.0]], np.float32)
    expected = stats.norm(1.5, 2) if np.isinf(freedom) else stats.t(freedom, 1.5, 2)
    said = ops.convert_to_numpy(head()(numbers, base))[0, 0]
    assert said == pytest.approx(expected.ppf(LEVELS), rel=2e-3)
    for value in (-2.0, 1.4, 2.9):
        loss = float(head().loss(ops.convert_to_tensor([[value]], "float32"), numbers, base))
        assert loss == pytest.approx(-expected.logpdf(value), abs=5e-3)


def test_what_is_missing_does_not_count():
    numbers, base = np.tile(free(0.0, 1.0, 5.0), (2, 2, 1)), np.zeros((2, 2), np.float32)
    some = ops.convert_to_tensor(np.array([[1.0, np.nan], [np.nan, 1.0]], np.float32))
    all_of_them = ops.convert_to_tensor(np.ones((2, 2), np.float32))
    assert float(head().loss(some, numbers, base)) == pytest.approx(float(head().loss(all_of_them, numbers, base)))
    assert float(head().loss(some * np.nan, numbers, base)) == 0.0


def test_untrained_it_says_the_errors_of_the_base():
    errors = stats.t(5).rvs((4000, 2), random_state=1) * 3 + 1
    said = ops.convert_to_numpy(head()(head().first(errors)[None].astype(np.float32), np.zeros((1, 2), np.float32)))[0]
    assert said == pytest.approx(np.quantile(errors, LEVELS, axis=0).T, abs=0.6)
    assert said[:, 2] == pytest.approx(np.median(errors, axis=0), abs=1e-4)


@pytest.mark.parametrize("strategy", ["direct", "seq2seq"])
def test_a_network_learns_by_it_and_says_quantiles(strategy):
    shape = Shape(24, 6, LEVELS, known=2, seasons=(12,), segment=6)
    built = build(tiny(head="student_t", strategy=strategy), shape, seed=1)
    generator = np.random.default_rng(0)
    inputs = {"past": generator.normal(size=(16, 24, 3)), "known": generator.normal(size=(16, 6, 2))}
    inputs = {name: part.astype(np.float32) for name, part in inputs.items()}
    target = generator.normal(size=(16, 6)).astype(np.float32)
    built.prepare(inputs, target, np.zeros((1, 0), np.float32))
    lesson = built.lesson(inputs, target, 0)
    losses = [float(built.train.train_on_batch(lesson, target)) for _ in range(10)]
    assert losses[-1] < losses[0]
    assert np.isfinite(built.loss(inputs, target))
    built.calibrate(inputs, target)
    said = built.answer(inputs)["quantiles"]
    assert said.shape == (16, 6, 5) and (np.diff(said, axis=-1) > 0).all()
