"""Random numbers as a function: known answers, and independence of everything but seed, path and step."""

import numpy as np
import pytest
from keras import ops

from forecaster.networks.uniforms import threefry, uniforms


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_known_answers_of_its_authors(counter, key, answer):
    def pair(numbers):
        return tuple(ops.convert_to_tensor(np.array([number], np.uint32)) for number in numbers)

    assert [int(part[0]) for part in threefry(pair(key), pair(counter))] == list(answer)


def test_numbers_are_uniform_and_depend_on_seed_path_and_step_alone():
    many = np.asarray(uniforms(np.array([7, 8], np.int32), 6, 500))
    assert ((many > 0) & (many < 1)).all()
    assert many.mean() == pytest.approx(0.5, abs=0.02) and many.var() == pytest.approx(1 / 12, abs=0.004)
    assert len(np.unique(many)) > 5990
    assert np.asarray(uniforms(np.array([7792], np.int32), 2, 200)).max() == np.float32(1 - 2**-24), "its largest draw"
    fewer = np.asarray(uniforms(np.array([8], np.int32), 4, 100))
    assert np.array_equal(fewer[0], many[1, :100, :4])
