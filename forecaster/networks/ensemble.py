"""Several networks as one: the median of what they say, inside one exported network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
from keras import ops

from forecaster.networks.answering import Answers, answers
from forecaster.networks.frame import FromFrame
from forecaster.networks.network import Network
from forecaster.networks.shape import Shape

__all__ = ["Ensemble", "MedianOfMembers", "join"]


@keras.saving.register_keras_serializable(package="forecaster")
class MedianOfMembers(keras.layers.Layer):
    """The median of several tensors, number by number; of an even count the mean of the two in the middle.

    Medians of quantiles that do not cross do not cross either.

    Call arguments:
        members: Tensors of one shape.
    """

    def call(self, members: Sequence[Any]) -> Any:
        """See the class."""
        count = len(members)
        ranked = ops.sort(ops.stack(list(members), axis=-1), axis=-1)
        return (ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / 2


@dataclass(frozen=True)
class Ensemble:
    """Networks of one shape that forecast together.

    Attributes:
        forecast: As that of one `Network`.
        members: The networks, with weights of their own.
        shape: Of each of them.
    """

    forecast: keras.Model
    members: tuple[Network, ...]
    shape: Shape

    @cached_property
    def answer(self) -> Answers:
        """What `forecast` says of arrays."""
        return answers(self.forecast, self.forecast.input)

    def export(self, folder: Path) -> None:
        """Writes a SavedModel; see `Network.export`."""
        self.forecast.export(folder, format="tf_saved_model", verbose=False)


def join(members: Sequence[Network]) -> Ensemble:
    """One network that says the median of its members' quantiles.

    The median is taken in the units of the window's frame, which all members share.

    Args:
        members: Two or more of one shape.
    """
    first = members[0]
    inputs = {name: keras.Input(part.shape[1:], name=name) for name, part in first.scaled.input.items()}
    said = [
        keras.Model(one.scaled.input, one.scaled.output, name=f"member_{number}")(inputs)
        for number, one in enumerate(members, start=1)
    ]
    middle = MedianOfMembers(name="median")([one["quantiles"] for one in said])
    raw = FromFrame(first.shape.transform, name="quantiles")(middle, said[0]["frame"])
    return Ensemble(keras.Model(inputs, {"quantiles": raw}), tuple(members), first.shape)
