"""Conformal calibration: numbers by hand, and the promise that it makes."""

import keras
import numpy as np
import pytest
from keras import ops

from forecaster.networks.conformal import Conformal, conformal_offsets

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


def moved(quantiles, offsets):
    layer = Conformal(*np.shape(offsets))
    layer.build(None)
    layer.offsets.assign(offsets)
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(quantiles, "float32")))


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ([0, 0, 0, 0, 0], [1, 2, 3, 4, 5]),
        ([-1, -0.5, 0, 0.5, 2], [0, 1.5, 3, 4.5, 7]),
        ([0, 0, 0, 3, 0], [1, 2, 3, 7, 7]),  # the outer bound goes along
        ([4, 4, 9, -4, -4], [3, 3, 3, 3, 3]),  # the median stays, and holds the others
    ],
)
def test_bounds_move_by_their_offsets_and_never_cross(offsets, expected):
    assert moved([[[1, 2, 3, 4, 5]]], [offsets]).tolist() == [[expected]]


def test_each_step_has_offsets_of_its_own_and_the_layer_is_rebuilt_from_its_configuration():
    said = moved(np.zeros((2, 2, 3)), [[-1, 0, 1], [-2, 0, 3]])
    assert said.tolist() == [[[-1, 0, 1], [-2, 0, 3]]] * 2
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Conformal(2, 3))).quantiles == 3


def test_by_hand():
    target = np.array([[0.0], [1.0], [2.0], [np.nan], [9.0]])
    said, levels = np.tile([1.0, 2.0, 3.0], (5, 1, 1)), [0.25, 0.5, 0.75]
    # outside by 1 (below), 0, -1 (inside) and 6 (above)
    assert conformal_offsets(target, said, levels, 1e9).tolist() == [[0.0, 0.0, 0.0]]
    assert conformal_offsets(target, said, levels, 2.0).tolist() == [[-1.0, 0.0, 1.0]]  # three of four are 75%
    assert conformal_offsets(target, said, levels, 1.0).tolist() == [[-6.0, 0.0, 6.0]]
    assert conformal_offsets(np.full((3, 1), np.nan), said[:3], levels, 3.0).tolist() == [[0.0] * 3]


@pytest.mark.parametrize(("count", "rank"), [(4, 4), (9, 8), (19, 16), (49, 40), (99, 80)])
def test_of_so_many_errors_it_is_the_one_that_split_conformal_prediction_takes(count, rank):
    """The ceil((n + 1) p)-th smallest for p = 0.8 (Vovk et al. 2005)."""
    errors = np.random.default_rng(1).permutation(np.arange(1.0, count + 1))[:, None]
    assert conformal_offsets(errors, np.zeros((count, 1, 3)), [0.1, 0.5, 0.9], count)[0, 2] == rank


def test_a_bias_that_the_finish_mends_widens_intervals_and_does_not_shift_them():
    offsets = conformal_offsets(np.full((50, 2), 9.0), np.tile([-1.0, 0.0, 1.0], (50, 2, 1)), [0.1, 0.5, 0.9], 50)
    assert offsets.tolist() == [[-8.0, 0.0, 8.0]] * 2


@pytest.mark.parametrize("factor", [0.3, 2.5])
def test_intervals_that_were_too_narrow_or_too_wide_hold_what_they_say_on_new_windows(factor):
    generator = np.random.default_rng(0)
    steps, normal = np.arange(1, 9), np.array([-1.96, -1.2816, 0, 1.2816, 1.96])

    def windows(count):
        said = np.broadcast_to(factor * normal, (count, 8, 5))
        return generator.normal(0, np.sqrt(4 + steps), (count, 8)), said

    target, said = windows(400)
    new, forecast = windows(4000)
    bounds = moved(forecast, conformal_offsets(target, said, LEVELS, 400))
    for low, high, share in ((1, 3, 0.8), (0, 4, 0.95)):
        inside = (bounds[..., low] <= new) & (new <= bounds[..., high])
        assert inside.mean(axis=0) == pytest.approx(share, abs=0.05)  # at every step, though errors grow with it
