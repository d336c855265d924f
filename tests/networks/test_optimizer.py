"""Clipping by value and by norm, and how often it bit."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.optimizer import ClippedAdagrad, ClippedAdamW, WarmCosine, optimizer
from tests.synthetic import tiny


class Seen(ClippedAdamW):
    """Keeps what is left of the gradients."""

    def update_step(self, gradient, variable, learning_rate):
        self.left = [*getattr(self, "left", []), np.asarray(gradient)]


def clipped(**limits):
    """What is left of the gradients (3, −4) and (12,), of norm 13."""
    weights = [keras.Variable(np.zeros(2, np.float32)), keras.Variable(np.zeros(1, np.float32))]
    one = Seen(1.0, **limits)
    one.apply([ops.array([3.0, -4.0]), ops.array([12.0])], weights)
    return one, np.concatenate(one.left)


@pytest.mark.parametrize(
    ("limits", "left", "bites"),
    [
        ({}, [3, -4, 12], 0),
        ({"largest_norm": 13.5}, [3, -4, 12], 0),
        ({"largest_norm": 6.5}, [1.5, -2, 6], 1),
        ({"largest_value": 12.5}, [3, -4, 12], 0),
        ({"largest_value": 3.5}, [3, -3.5, 3.5], 1),
        ({"largest_value": 4, "largest_norm": 41**0.5 / 2}, [1.5, -2, 2], 1),  # by value first, then by norm
    ],
)
def test_values_then_the_norm_are_cut_and_the_step_counts_once(limits, left, bites):
    one, found = clipped(**limits)
    assert found == pytest.approx(left)
    assert one.reset_watch() == pytest.approx((bites, 13.0))
    assert one.reset_watch() == (0.0, 0.0)


@pytest.mark.parametrize("kind", [ClippedAdamW, ClippedAdagrad])
def test_rows_of_an_embedding_that_were_read_twice_are_added_up_first(kind):
    """The same numbers as one-hot vectors times the weights, whose gradient is dense."""
    tf = pytest.importorskip("tensorflow")
    places, wish = [0, 1, 1], tf.constant([[3.0], [4.0], [8.0]])
    found = []
    for read in (lambda rows: tf.gather(rows, places), lambda rows: tf.one_hot(places, 4) @ rows):
        weight, one = keras.Variable(np.ones((4, 1), np.float32)), kind(0.1, largest_norm=1.0)
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(read(weight.value) * wish)
            one.apply(tape.gradient(loss, [weight.value]), [weight])
        found.append([*ops.convert_to_numpy(weight).ravel(), *one.reset_watch()])
    assert found[0] == pytest.approx(found[1]) and found[0][-1] == pytest.approx(153**0.5)


def test_a_step_is_that_of_keras_adamw_with_the_same_limit():
    steps = []
    for one in (
        ClippedAdamW(0.1, 0.01, largest_norm=1.0, averaging=0.9),
        keras.optimizers.AdamW(0.1, 0.01, global_clipnorm=1.0, use_ema=True, ema_momentum=0.9),
    ):
        weight = keras.Variable(np.ones(3, np.float32))
        for gradient in ([1, 2, 3], [0.1, 0, 0.2], [-3, 0.5, 0]):
            one.apply([ops.array(gradient, dtype="float32")], [weight])
            steps.append(np.array(weight))
        one.finalize_variable_values([weight])
        steps.append(np.array(weight))
    assert np.allclose(steps[:4], steps[4:], atol=1e-7)
    assert not np.allclose(steps[2], steps[3], atol=1e-3)


def test_a_weight_that_nothing_is_learnt_about_is_left_to_the_decay():
    one = ClippedAdamW(0.1, 0.5, averaging=0.9)
    used, unused = (keras.Variable(np.ones(2, np.float32)) for _ in range(2))
    one.apply([ops.ones(2), None], [used, unused])
    one.finalize_variable_values([used, unused])
    assert np.allclose(unused, 0.95) and np.allclose(used, 0.85)


def test_a_model_file_sets_both_limits():
    one = optimizer(tiny(clipvalue=0.5, clipnorm=2.0))
    assert (one.largest_value, one.largest_norm) == (0.5, 2.0)
    again = ClippedAdamW.from_config(one.get_config())
    assert again.get_config() == one.get_config()
    assert optimizer(tiny(clipnorm=None)).largest_norm is None


def test_the_learning_rate_is_keras_cosine_decay_behind_its_warm_up():
    ours = WarmCosine(0.004, steps=120, warmup=20)
    theirs = keras.optimizers.schedules.CosineDecay(0.0, 100, alpha=0.01, warmup_target=0.004, warmup_steps=20)
    for step in (0, 1, 19, 20, 21, 70, 119, 120, 500):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-9)
    again = WarmCosine.from_config(ours.get_config())
    assert float(again(33)) == float(ours(33))
    assert float(WarmCosine(0.004, steps=10, warmup=50)(9)) == pytest.approx(0.004), "a warm-up ends before the course"


def test_a_new_course_remembers_nothing_of_the_one_before():
    """Where the first course ended decides nothing but the weights: moments, running mean and rate begin anew."""
    steps = []
    for before in (0, 3):
        one, weight = optimizer(tiny(steps=9, averaging=0.9)), keras.Variable(np.ones(3, np.float32))
        one.build([weight])
        for _ in range(before):
            one.apply([ops.array([5.0, -1.0, 2.0])], [weight])
        weight.assign(np.ones(3))
        one.restart(0.1, steps=5, warmup=1)
        for gradient in ([1.0, 2.0, 3.0], [0.1, 0.0, 0.2]):
            one.apply([ops.array(gradient)], [weight])
        last = np.array(weight)
        one.finalize_variable_values([weight])
        steps.append([last, np.array(weight), float(one.learning_rate)])
    assert all(np.array_equal(*pair) for pair in zip(*steps, strict=True))
    assert not np.array_equal(steps[0][0], np.ones(3))


def test_adagrad_begins_with_steps_of_the_rate_which_nothing_lowers_but_the_gradients():
    one = optimizer(tiny(optimizer="adagrad", learning_rate=0.1, decay="none", warmup=0, averaging=0))
    weight = keras.Variable(np.zeros(2, np.float32))
    one.apply([ops.array([0.3, -0.4])], [weight])
    assert np.asarray(weight) == pytest.approx([-0.1, 0.1])  # g / √g²
    one.apply([ops.array([0.4, 0.0])], [weight])
    assert np.asarray(weight) == pytest.approx([-0.1 - 0.1 * 0.4 / 0.5, 0.1])  # 0.3² + 0.4² = 0.5²
    assert float(WarmCosine(0.1, steps=10, warmup=0, left=1.0)(10_000)) == pytest.approx(0.1)
