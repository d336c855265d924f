"""Arrays from and to TensorFlow's protocol buffers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from forecaster.serving.failures import Refused
from forecaster.serving.signature import TensorSpec, shape_text

__all__ = ["array_of", "tensor_of"]


def tensor_of(array: np.ndarray) -> Any:
    """An array as a protocol buffer's tensor."""
    import tensorflow as tf

    return tf.make_tensor_proto(array)


def array_of(tensor: Any, name: str, spec: TensorSpec, most: int) -> np.ndarray:
    """A protocol buffer's tensor as an array, whose size is looked at before it is made: one value may stand for any
    number of equal ones.

    Args:
        tensor: From outside.
        name: The input's.
        spec: What it should be.
        most: Values that it may hold.

    Raises:
        Refused: 400 with the shape expected; 413 where it is too large.
    """
    import tensorflow as tf

    sizes = tuple(int(side.size) for side in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise Refused(400, f"input {name!r} has no shape; expected {spec.text}")
    if not spec.fits(sizes):
        raise Refused(400, f"input {name!r} has shape {shape_text(sizes)}; expected {spec.text}")
    if math.prod(sizes) > most:
        raise Refused(413, f"input {name!r} holds {math.prod(sizes):,} values; at most {most:,}, so send fewer rows")
    try:
        kind = tf.dtypes.as_dtype(tensor.dtype)
        if kind != tf.dtypes.as_dtype(spec.dtype):
            raise Refused(400, f"input {name!r} is of type {kind.name}; expected {spec.text}")
        return np.asarray(tf.make_ndarray(tensor), spec.dtype)
    except (TypeError, ValueError) as error:
        raise Refused(400, f"input {name!r} cannot be read ({str(error)[:200]}); expected {spec.text}") from None
