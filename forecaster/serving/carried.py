"""The state that a network carries from step to step: which tensors there are, and a client's held against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecaster.serving.failures import Refused
from forecaster.serving.models import Loaded

__all__ = ["STEP", "given_state", "state_shapes", "zero_state"]

STEP = "step"
"""The signature that advances a state by one observation."""


def state_shapes(name: str, loaded: Loaded) -> dict[str, tuple[int, ...]]:
    """The state's tensors.

    Raises:
        Refused: 400; the network carries none, and why.
    """
    manifest = loaded.version.manifest
    told = manifest.streaming
    if not told or STEP not in loaded.model.signatures:
        strategy = manifest.model_definition.get("strategy", "direct")
        raise Refused(
            400,
            f"version {loaded.number} of {name} ({manifest.model}, strategy: {strategy}) carries no state from step to "
            f"step: it reads {manifest.lookback} steps for each forecast. Ask POST /api/forecast/{name}, or train it "
            "with `strategy: recursive` and `carry_state: true`",
        )
    return {key: tuple(tensor["shape"]) for key, tensor in told["state"].items()}


def zero_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The state before the first observation."""
    return {key: np.zeros(shape, np.float32) for key, shape in shapes.items()}


def given_state(tensors: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """A client's state as arrays.

    Raises:
        Refused: 400; names the tensor and the shape expected.
    """
    if tensors.keys() != shapes.keys():
        raise Refused(400, f"state.tensors has {', '.join(tensors)}; expected {', '.join(shapes)}")
    found = {}
    for key, shape in shapes.items():
        try:
            tensor = np.asarray(tensors[key], np.float32)
        except (ValueError, TypeError, OverflowError):
            raise Refused(
                400, f"state.tensors.{key} is no array of numbers; expected the shape {list(shape)}"
            ) from None
        if tensor.shape != shape or not np.isfinite(tensor).all():
            raise Refused(
                400,
                f"state.tensors.{key} has shape {list(tensor.shape)}; expected finite numbers of shape {list(shape)}",
            )
        found[key] = tensor
    return found
