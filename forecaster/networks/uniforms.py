"""Random numbers that are a function of a seed and a place: the same on every backend, and in an exported network."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

__all__ = ["threefry", "uniforms"]

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
LARGEST = 1.0 - 2.0**-24
"""Of the 32-bit numbers below 1, to the nearest of which the largest draw is else rounded up to 1."""


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Threefry-2x32 with 20 rounds: 64 random bits from a 64-bit key and a 64-bit counter.

    Source: Salmon, Moraes, Dror and Shaw 2011, Parallel random numbers: as easy as 1, 2, 3.

    Args:
        key: Two uint32 tensors.
        counter: Two uint32 tensors that broadcast with the key.

    Returns:
        Two uint32 tensors of the broadcast shape.
    """
    keys = (*key, ops.bitwise_xor(ops.bitwise_xor(*key), ops.cast(PARITY, "uint32")))
    first, second = counter[0] + keys[0], counter[1] + keys[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            first = first + second
            second = ops.bitwise_xor(_rotated(second, rotation), first)
        first = first + keys[(group + 1) % 3]
        second = second + keys[(group + 2) % 3] + ops.cast(group + 1, "uint32")
    return first, second


def uniforms(seed: Any, steps: int, paths: int) -> Any:
    """Uniform numbers strictly between 0 and 1, a function of (seed, step, path) and nothing else.

    Args:
        seed: int32, shape (batch,).
        steps: Numbers a path.
        paths: Paths a seed.

    Returns:
        float32, shape (batch, paths, steps).
    """
    path, step = np.indices((1, paths, steps), np.uint32)[1:]
    key = ops.cast(seed, "uint32")[:, None, None] + ops.zeros((1, paths, steps), dtype="uint32")
    bits, _ = threefry((key, ops.zeros_like(key)), (ops.convert_to_tensor(path), ops.convert_to_tensor(step)))
    number = ops.cast(ops.cast(ops.right_shift(bits, ops.cast(8, "uint32")), "int32"), "float32")
    return ops.minimum((number + 0.5) * 2.0**-24, LARGEST)


def _rotated(bits: Any, by: int) -> Any:
    left, right = ops.cast(by, "uint32"), ops.cast(32 - by, "uint32")
    return ops.bitwise_or(ops.left_shift(bits, left), ops.right_shift(bits, right))
