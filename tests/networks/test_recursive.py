"""A network that goes step by step: carried state, gaps, streams, samples and gradients. Runs eagerly, so nothing is
compiled."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import norm

from forecaster.config import ModelDefinition
from forecaster.networks.heads import free_numbers
from forecaster.networks.numbers import GRID, Numbers
from forecaster.networks.recursive import build_recursive
from forecaster.networks.shape import Shape
from forecaster.networks.stack import Stack
from forecaster.networks.stepper import Stepper

LEVELS = (0.1, 0.5, 0.9)


def built(network="gru", *, transform="none", horizon=3, seasons=(1,), known=0, **keys):
    definition = ModelDefinition(
        network=network, strategy="recursive", **{"units": 3, "layers": 2, "samples": 20, "batch_size": 2, **keys}
    )
    shape = Shape(8, horizon, LEVELS, known=known, seasons=seasons, transform=transform)
    made = build_recursive(definition, shape, seed=1, gapless=True)
    stepper = made.forecast.stepper
    generator = np.random.default_rng(3)
    stepper.head.kernel.assign(generator.normal(0, 0.3, stepper.head.kernel.shape))
    return made


def line(batch=2, steps=10, seed=0):
    return np.cumsum(np.random.default_rng(seed).normal(0, 1, (batch, steps)), axis=1).astype(np.float32) + 20


def numbers(said):
    return {name: ops.convert_to_numpy(part) for name, part in said.items()}


def close(ours, theirs, rel=1e-4):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert np.allclose(ours[name], theirs[name], rtol=rel, atol=1e-5), name


NETWORKS = ["simple_rnn", "gru", "lstm", "custom_lstm", "feed_forward"]


def stepper_of(network, transform):
    definition = ModelDefinition(network=network, strategy="recursive", units=3)
    made = Stepper(Numbers(transform, (1, 4), 8, LEVELS), Stack(definition, iter(range(99))), 8, known=2)
    made.build()
    made.head.kernel.assign(np.random.default_rng(3).normal(0, 0.3, made.head.kernel.shape))
    return made


@pytest.mark.parametrize("transform", ["none", "log_return"])
@pytest.mark.parametrize("network", NETWORKS)
def test_all_steps_at_once_are_the_steps_one_by_one(network, transform):
    """Teacher forcing in parallel, in the loop, and cut in two with the state carried over, say the same."""
    stepper = stepper_of(network, transform)
    values = line()
    known = np.random.default_rng(1).normal(5, 2, (2, 10, 2)).astype(np.float32)
    whole, last = stepper.teach(values, known, None, stepper.zeros(2), gapless=True)
    walked, behind = stepper.walk(values, known, None, stepper.zeros(2))
    close(numbers(walked), numbers(whole))
    close(numbers(behind), numbers(last))
    _, between = stepper.teach(values[:, :4], known[:, :4], None, stepper.zeros(2), gapless=True)
    rest, carried = stepper.teach(values[:, 4:], known[:, 4:], None, between, gapless=True)
    close(numbers(rest), {name: part[:, 4:] for name, part in numbers(whole).items()})
    close(numbers(carried), numbers(last))


def test_the_state_has_names_and_begins_as_zeros():
    assert sorted(built("lstm").forecast.stepper.widths) == [
        "age", "expected", "memory_values", "recurrence_0_c", "recurrence_0_h", "recurrence_1_c", "recurrence_1_h",
        "scale_count", "scale_mean", "scale_variance",
    ]  # fmt: skip


def test_missing_values_in_front_change_nothing():
    forecast = built().forecast
    values, seed = line(), np.array([1, 1], np.int32)
    padded = np.concatenate([np.full((2, 5), np.nan, np.float32), values], axis=1)
    plain, behind = (forecast({"past": one[:, :, None], "seed": seed})["quantiles"] for one in (values, padded))
    assert np.array_equal(plain, behind)


@pytest.mark.parametrize("transform", ["log", "log_return"])
@pytest.mark.parametrize("place", [-1, -4])
def test_a_value_without_a_logarithm_counts_as_missing(transform, place):
    made = built(transform=transform, seasons=(4,)).forecast
    zero, missing = line(), line()
    zero[:, place], missing[:, place] = 0.0, np.nan
    said = [
        numbers(made({"past": values[:, :, None], "seed": np.array([1, 2], np.int32)})) for values in (zero, missing)
    ]
    close(*said)
    assert (said[0]["quantiles"] > 10).all()
    none = np.zeros((2, 10, 0), np.float32)
    taught = [
        numbers(made.stepper.teach(values, none, None, made.stepper.zeros(2), gapless=False)[0])
        for values in (zero, missing)
    ]
    close(*taught)


def test_no_scale_of_a_covariate_learns_before_the_first_observation():
    """At once and step by step, what stood there before the series began has no say."""
    stepper = built(known=1).forecast.stepper
    values, known = line(), np.random.default_rng(1).normal(5, 2, (2, 10, 1)).astype(np.float32)
    values[:, :4] = np.nan
    other = np.concatenate([np.full((2, 4, 1), 1e3, np.float32), known[:, 4:]], axis=1)
    for teach in (lambda around: stepper.teach(values, around, None, stepper.zeros(2), gapless=True),
                  lambda around: stepper.walk(values, around, None, stepper.zeros(2))):  # fmt: skip
        one, another = (numbers(teach(around)[1]) for around in (known, other))
        names = [name for name in one if name.startswith("known_")]
        close({name: one[name] for name in names}, {name: another[name] for name in names})
        assert names and (one["known_count"] == 6).all()


def test_where_nothing_is_observed_it_steps_on_its_own_median():
    stepper = built(seasons=(1, 3)).forecast.stepper
    values = line(1, 9)
    values[0, 4:7] = np.nan
    none = np.zeros((1, 1, 0), np.float32)
    said, _ = stepper.walk(values, np.zeros((1, 9, 0), np.float32), None, stepper.zeros(1))
    state = stepper.zeros(1)
    for place in range(9):
        gap = not np.isfinite(values[0, place])
        here = np.asarray(state["expected"]) if gap else values[:, place : place + 1]
        step, state = stepper.advance(here, ops.convert_to_tensor([[not gap]]), none, None, state)
        walked = {name: part[:, place : place + 1] for name, part in numbers(said).items()}
        close(numbers(step), walked)
    spread = ops.convert_to_numpy(said["spread"])[0, :, 0]
    assert (spread[4:7] == spread[3]).all() and spread[7] != spread[6], "only what is observed moves the scale"


@pytest.mark.parametrize("transform", ["none", "log", "difference", "log_return"])
def test_a_stream_is_one_pass_from_the_start(transform):
    forecast = built("lstm", transform=transform, known=1, carry_state=True).forecast
    past = np.stack([line(), line(seed=5)], axis=2)
    past[0, 3:5, 0] = np.nan
    coming = np.full((2, 3, 1), 20, np.float32)
    whole = forecast({"past": past, "known": coming, "seed": np.array([1, 2], np.int32)})["quantiles"]
    state = {name: np.zeros((2, width), np.float32) for name, width in forecast.stepper.widths.items()}
    for place in range(10):
        known = past[:, place + 1, 1:] if place < 9 else coming[:, 0]
        answer = forecast.step({"observation": past[:, place], "known": known, **state})
        state = {name: answer[name] for name in state}
    assert np.asarray(answer["quantiles"])[:, 0] == pytest.approx(np.asarray(whole)[:, 0], rel=1e-5)


def test_draws_are_a_function_of_the_seed_and_not_of_the_company():
    forecast = built(samples=50, horizon=4).forecast
    past = line()[:, :, None]
    first, again, other = (
        np.asarray(forecast({"past": past, "seed": np.array([3, seed], np.int32)})["quantiles"]) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again) and np.array_equal(first[0], other[0])
    assert np.array_equal(first[1, 0], other[1, 0]), "the first step is not sampled"
    assert not np.array_equal(first[1, 1:], other[1, 1:])
    alone = np.asarray(forecast({"past": past[1:], "seed": np.array([3], np.int32)})["quantiles"])
    assert alone[0] == pytest.approx(first[1], rel=1e-5)
    assert (np.diff(first, axis=-1) > 0).all()


def test_paths_of_a_random_walk_widen_with_the_root_of_the_steps():
    """A head that says N(last value, spread) whatever it reads: four steps on the spread is twice as wide."""
    made = built(samples=4000, horizon=4)
    stepper = made.forecast.stepper
    stepper.head.kernel.assign(ops.zeros_like(stepper.head.kernel))
    places = norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None]
    stepper.head.bias.assign(free_numbers(places, GRID)[0])
    said = np.asarray(made.forecast({"past": line(1)[:, :, None], "seed": np.array([1], np.int32)})["quantiles"])[0]
    widths = said[:, 2] - said[:, 0]
    assert widths / widths[0] == pytest.approx(np.sqrt([1, 2, 3, 4]), rel=0.06)
    assert said[:, 1] == pytest.approx(np.full(4, line(1)[0, -1]), abs=float(0.1 * widths[0]))


def taught(values):
    return {"values": values[:, :, None], "begins": np.zeros(len(values), np.float32)}


def test_training_carries_the_state_and_begins_anew_where_it_is_told():
    made = built(carry_state=True, truncate=4)
    values = line(2, 9)
    first, second = values[:, :5], values[:, 4:]
    whole = numbers(made.train(taught(values), training=False))
    begins = {**taught(first), "begins": np.ones(2, np.float32)}
    made.train(begins, training=True)
    made.train(taught(second), training=False)  # a look at the validation part moves nothing
    goes_on = numbers(made.train({**taught(second), "begins": np.array([0, 1], np.float32)}, training=True))
    anew = numbers(made.train(taught(second), training=False))
    for name in whole:
        assert np.allclose(goes_on[name][0], whole[name][0, 4:], rtol=1e-4, atol=1e-5)
        assert np.allclose(goes_on[name][1], anew[name][1], rtol=1e-4, atol=1e-5)
    assert not np.allclose(goes_on["quantiles"][0], anew["quantiles"][0], rtol=1e-3)


def test_lanes_do_not_leak_into_each_other():
    made = built(carry_state=True, truncate=4)
    ours, theirs = line(2, 5), line(2, 5)
    theirs[1] *= -3
    said = []
    for values in (ours, theirs):
        for variable in made.train.carried.values():
            variable.assign(ops.zeros_like(variable))
        made.train(taught(values), training=True)
        said.append(numbers(made.train(taught(ours), training=True)))
    assert all(np.array_equal(said[0][name][0], said[1][name][0]) for name in said[0])
    assert not np.array_equal(said[0]["quantiles"][1], said[1]["quantiles"][1])


def gradient(made, loss):
    """d loss / d recurrent weights of the lower layer."""
    import tensorflow as tf  # this test runs on TensorFlow; the network's own code does not know it

    weights = made.train.trainable_variables
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, [variable.value for variable in weights])
    return np.concatenate([np.asarray(part).reshape(-1) for part in found if part is not None])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="asks TensorFlow for gradients")
def test_the_gradient_is_whole_within_a_chunk_and_zero_across_the_cut():
    made = built(carry_state=True, truncate=4)
    stepper, kind = made.forecast.stepper, made.forecast.stepper.kind
    values, none = line(2, 9), np.zeros((2, 9, 0), np.float32)
    target = values[:, 5:]

    def late(cut):
        _, between = stepper.teach(values[:, :4], none[:, :4], None, stepper.zeros(2), gapless=True)
        between = {name: ops.stop_gradient(part) for name, part in between.items()} if cut else between
        said, _ = stepper.teach(values[:, 4:8], none[:, 4:8], None, between, gapless=True)
        return kind.loss(said, target)

    def carried():
        return made.train.compute_loss(y=target, y_pred=made.train(taught(values[:, 4:]), training=True))

    made.train({**taught(values[:, :5]), "begins": np.ones(2, np.float32)}, training=True)
    ours, cut, whole = gradient(made, carried), gradient(made, lambda: late(True)), gradient(made, lambda: late(False))
    assert ours == pytest.approx(cut, rel=1e-3, abs=1e-6)
    assert not np.allclose(cut, whole, rtol=1e-2)

    begun = {**taught(values[:, :5]), "begins": np.ones(2, np.float32)}
    first = gradient(made, lambda: made.train.compute_loss(y=values[:, 1:5], y_pred=made.train(begun, training=True)))
    plain = built()
    plain.train.set_weights(
        [ops.convert_to_numpy(one) for one in made.train.weights if one.path.split("/")[-1] != "carried"]
    )
    bptt = gradient(
        plain, lambda: plain.train.compute_loss(y=values[:, 1:5], y_pred=plain.train(taught(values[:, :5])))
    )
    assert first == pytest.approx(bptt, rel=1e-4, abs=1e-7)
