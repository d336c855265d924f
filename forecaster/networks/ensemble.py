"""Networks that forecast as one: the median of what they say, a share of the Theta method, and conformal offsets.

All of it is inside one exported network. The networks may see lookbacks of different lengths, all of which end at the
cutoff; the Theta method may look back further. Each network scales its own; before the median is taken, what they say
is brought into the frame of the longest. A network in whose lookback nothing was observed has no frame, and no vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.answering import Answers, answers
from forecaster.networks.conformal import Conformal, conformal_offsets
from forecaster.networks.exporting import export_model
from forecaster.networks.frame import Reframe, encode_target, on_working_scale
from forecaster.networks.network import Network
from forecaster.networks.shape import Shape
from forecaster.networks.support import to_raw
from forecaster.networks.theta import Blend
from forecaster.networks.widening import widened

__all__ = ["Ensemble", "MedianOfMembers", "Voters", "join", "joined"]


@keras.saving.register_keras_serializable(package="forecaster")
class MedianOfMembers(keras.layers.Layer):
    """The median of several tensors, number by number; of an even count the mean of the two in the middle.

    Medians of quantiles that do not cross do not cross either.

    Call arguments:
        members: Tensors of one shape, (batch, horizon, quantiles).
        voters: Whose numbers count, shape (batch, members), of which one at least; without it all do.
    """

    def call(self, members: Sequence[Any], voters: Any = None) -> Any:
        """See the class."""
        count, every = len(members), ops.stack(list(members), axis=-1)
        if voters is None:
            ranked = ops.sort(every, axis=-1)
            return (ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / 2
        votes = voters[:, None, None, :]
        ranked = ops.sort(ops.where(votes, every, float("inf")), axis=-1)
        last = ops.sum(ops.cast(votes, "int32"), axis=-1, keepdims=True) - 1
        places = np.arange(count)
        middle = [ops.sum(ops.where(places == place, ranked, 0.0), axis=-1) for place in (last // 2, (last + 1) // 2)]
        return (middle[0] + middle[1]) / 2


@keras.saving.register_keras_serializable(package="forecaster")
class Voters(keras.layers.Layer):
    """Which networks of an ensemble have anything to go by: those in whose lookback a value was observed.

    The first has the longest lookback, and always a vote.

    Args:
        lookbacks: Theirs, in time steps.
        transform: One of `frame.TRANSFORMS`; under logarithms a value that has none is missing.

    Call arguments:
        target: Raw, shape (batch, steps); NaN where missing.

    Returns:
        True or false, shape (batch, networks).
    """

    def __init__(self, lookbacks: Sequence[int], transform: str = "none", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lookbacks, self.transform = tuple(lookbacks), transform

    def call(self, target: Any) -> Any:
        """See the class."""
        seen = ops.isfinite(on_working_scale(target, self.transform))
        first = ops.ones_like(seen[:, 0])
        return ops.stack([first, *(ops.any(seen[:, -steps:], axis=1) for steps in self.lookbacks[1:])], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "lookbacks": self.lookbacks, "transform": self.transform}


@dataclass(frozen=True)
class Ensemble:
    """Networks that forecast the same together, or one whose median or bounds are moved.

    Attributes:
        forecast: As that of one `Network`.
        scaled: As that of one `Network`, before the conformal offsets and any caution.
        members: The networks, with weights of their own.
        shape: Of the one with the longest lookback, but with all of the lookback that is read.
        offsets: The weights of the conformal layer, shape (horizon, quantiles); None without one.
    """

    forecast: keras.Model
    scaled: keras.Model
    members: tuple[Network, ...]
    shape: Shape
    offsets: keras.Variable | None = None

    def conformal_offsets(self, inputs: dict[str, np.ndarray], target: np.ndarray, independent: float) -> np.ndarray:
        """The offsets that windows held out ask for; see `forecaster.networks.conformal`.

        Args:
            inputs: Those windows.
            target: Their targets, raw, shape (windows, horizon).
            independent: How many windows that share no target there are.
        """
        said = self.scaled.predict(inputs, batch_size=512, verbose=0)  # many windows, of which few may fit at once
        frame = ops.convert_to_tensor(said["frame"])
        scaled = ops.convert_to_numpy(encode_target(ops.convert_to_tensor(target), frame, self.shape.transform))
        return conformal_offsets(scaled, said["quantiles"], self.shape.quantiles, independent)

    @cached_property
    def answer(self) -> Answers:
        """What `forecast` says of arrays."""
        return answers(self.forecast, self.forecast.input)

    def export(self, folder: Path) -> None:
        """Writes a SavedModel; see `Network.export`."""
        export_model(folder, self.forecast)


def join(members: Sequence[Network], conformal: bool = False, theta: Blend | None = None, reads: int = 0) -> Ensemble:
    """One network that says the median of its members' quantiles.

    Args:
        members: One or more, alike but for lookback, segment and cycle; the first has the longest lookback.
        conformal: Whether its bounds can be moved.
        theta: What moves it towards the Theta method; None for nothing.
        reads: Time steps that this method reads, where these are more than the longest lookback.
    """
    shape = replace(members[0].shape, lookback=max(reads, members[0].shape.lookback))
    inputs, said, frame = _together(members, shape.lookback)
    if theta:
        said = theta(said, inputs["past"][:, :, 0], frame)
    scaled = keras.Model(inputs, {"quantiles": said, "frame": frame}, name="scaled")
    offsets = None
    if conformal:
        layer = Conformal(shape.horizon, len(shape.quantiles), name="conformal")
        said, offsets = layer(said), layer.offsets
    raw = to_raw(widened(said, shape), frame, shape)
    return Ensemble(keras.Model(inputs, {"quantiles": raw}), scaled, tuple(members), shape, offsets)


def joined(networks: Sequence[Any], conformal: bool) -> Any:
    """One network out of one or more; one whose bounds cannot be moved is itself."""
    return join(networks, conformal) if len(networks) > 1 or conformal else networks[0]


def _together(members: Sequence[Network], reads: int) -> tuple[dict[str, Any], Any, Any]:
    """Inputs, the median of the quantiles in units of the first member's frame, and that frame."""
    first = members[0].scaled
    if len(members) == 1 and reads == members[0].shape.lookback:
        return dict(first.input), first.output["quantiles"], first.output["frame"]
    inputs = {name: keras.Input(part.shape[1:], name=name) for name, part in first.input.items()}
    inputs["past"] = keras.Input((reads, *first.input["past"].shape[2:]), name="past")
    said = [
        keras.Model(one.scaled.input, one.scaled.output, name=f"member_{number}")(_seen(inputs, one.shape))
        for number, one in enumerate(members, start=1)
    ]
    frame, lookbacks = said[0]["frame"], [one.shape.lookback for one in members]
    transform = members[0].shape.transform
    quantiles = [
        told["quantiles"] if steps == lookbacks[0] else Reframe(transform)(told["quantiles"], told["frame"], frame)
        for steps, told in zip(lookbacks, said, strict=True)
    ]
    if len(members) == 1:
        return inputs, quantiles[0], frame
    alike = len(set(lookbacks)) == 1
    voters = None if alike else Voters(lookbacks, transform, name="voters")(inputs["past"][:, :, 0])
    return inputs, MedianOfMembers(name="median")(quantiles, voters), frame


def _seen(inputs: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """What a member sees: of the past the end."""
    past = inputs["past"]
    return inputs if shape.lookback == past.shape[1] else {**inputs, "past": past[:, -shape.lookback :]}
