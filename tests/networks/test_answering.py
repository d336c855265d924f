import logging

import numpy as np
import pytest

from forecaster.networks.answering import answers
from forecaster.networks.build import Shape, build
from tests.synthetic import tiny


@pytest.fixture(scope="module")
def network():
    return build(tiny("gru"), Shape(8, 2, (0.1, 0.5, 0.9), seasons=(4,), segment=4), seed=1)


def windows(count: int) -> dict[str, np.ndarray]:
    return {"past": np.random.default_rng(count).normal(size=(count, 8, 1))}


def test_an_answer_is_keras_own(network):
    said = network.forecast.predict_on_batch(windows(5))["quantiles"]
    assert network.answer(windows(5))["quantiles"] == pytest.approx(said, rel=1e-5, abs=1e-6)


def test_one_graph_answers_any_number_of_windows(network, caplog):
    traced = []

    def counted(inputs, training):
        traced.append(inputs["past"].shape)
        return network.forecast(inputs, training=training)

    answer = answers(counted, network.forecast.input)
    with caplog.at_level(logging.WARNING):
        shapes = [answer(windows(count))["quantiles"].shape for count in (3, 1, 7, 2, 9, 4)]
    assert shapes == [(3, 2, 3), (1, 2, 3), (7, 2, 3), (2, 2, 3), (9, 2, 3), (4, 2, 3)]
    assert [tuple(shape) for shape in traced] == [(None, 8, 1)]
    assert not caplog.records


def test_answers_follow_the_weights(network):
    before = network.answer(windows(2))["quantiles"]
    kept = network.forecast.get_weights()
    network.forecast.set_weights([2 * part for part in kept])
    assert not np.allclose(network.answer(windows(2))["quantiles"], before)
    network.forecast.set_weights(kept)
    assert np.array_equal(network.answer(windows(2))["quantiles"], before)
