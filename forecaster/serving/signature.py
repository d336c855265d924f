"""Signatures: the names, types and shapes of a SavedModel's inputs and outputs, and arrays held against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecaster.serving.failures import Refused

__all__ = ["Signature", "TensorSpec"]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        tensor: Its name in the graph.
        kind: Its type as TensorFlow calls it in messages: float, int32, string, bool, ….
        dtype: numpy's type; object for strings.
        shape: Sizes, -1 for any; None where not even their number is known.
    """

    tensor: str
    kind: str
    dtype: np.dtype
    shape: tuple[int, ...] | None

    @property
    def batched(self) -> bool:
        """Whether the first dimension may have any size."""
        return bool(self.shape) and self.shape is not None and self.shape[0] == -1

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The shape with None for any size."""
        return tuple(None if size == -1 else size for size in self.shape or ())

    @property
    def text(self) -> str:
        """The shape for messages.

        Example:
            >>> TensorSpec("x:0", "float", np.dtype("float32"), (-1, 48, 1)).text
            'float [-1,48,1]'
        """
        return f"{self.kind} {shape_text(self.shape)}"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape can be fed."""
        if self.shape is None:
            return True
        pairs = zip(shape, self.shape, strict=False)
        return len(shape) == len(self.shape) and all(wanted in (-1, found) for found, wanted in pairs)


@dataclass(frozen=True)
class Signature:
    """One callable of a SavedModel.

    Attributes:
        name: `serving_default`, say.
        inputs: By the name that clients use.
        outputs: By the name that clients use.
        method: What it is for: `tensorflow/serving/predict`.
    """

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    method: str

    @property
    def joinable(self) -> bool:
        """Whether requests may be put together along the first dimension; where paths are sampled it does not pay."""
        return "seed" not in self.inputs and all(
            spec.batched for part in (self.inputs, self.outputs) for spec in part.values()
        )

    def check(self, arrays: Mapping[str, np.ndarray]) -> int:
        """Holds arrays against the inputs, before the graph runs.

        Returns:
            How many rows the batch has; 1 where there is no batch.

        Raises:
            Refused: 400; names the input, the shape that was found and the one expected.
        """
        rows: dict[str, int] = {}
        for name, spec in self.inputs.items():
            shape = arrays[name].shape
            if not spec.fits(shape):
                raise Refused(400, f"input {name!r} has shape {shape_text(shape)}; expected {spec.text}")
            if spec.batched:
                rows[name] = shape[0]
        if 0 in rows.values():
            raise Refused(400, f"input {next(iter(rows))!r} has no rows; send at least one")
        if len(set(rows.values())) > 1:
            found = ", ".join(f"{name!r} has {count}" for name, count in rows.items())
            raise Refused(400, f"the inputs have different numbers of rows: {found}; send as many of each")
        return next(iter(rows.values()), 1)


def shape_text(shape: tuple[int, ...] | None) -> str:
    """A shape as TensorFlow Serving writes it.

    Example:
        >>> shape_text((2, 3)), shape_text(None)
        ('[2,3]', '[?]')
    """
    return "[?]" if shape is None else f"[{','.join(map(str, shape))}]"
