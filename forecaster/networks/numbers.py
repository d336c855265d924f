"""Values that are numbers, one step at a time: scaled by a running scale, forecast as quantiles, drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.config.model import Support
from forecaster.networks.frame import differenced, logarithmic, on_working_scale
from forecaster.networks.heads import Quantiles, best_stretch, free_numbers, pinball
from forecaster.networks.kind import Said, State
from forecaster.networks.quantile_function import quantile_function
from forecaster.networks.running_scale import RunningScale
from forecaster.networks.support import within

__all__ = ["GRID", "Numbers"]

GRID = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Probabilities of the quantiles that the head gives for one step; between and behind them see `quantile_function`."""
MIDDLE = GRID.index(0.5)


@keras.saving.register_keras_serializable(package="forecaster")
class Numbers(keras.layers.Layer):
    """A `Kind` (see there): the next number, in units of a running scale, from a naive base.

    With w the value on the working scale (its logarithm, if the transform says so), s the running spread::

        none, log                   read (w[t] − mean[t]) / s[t];        q[t+1] = mean[t] + s[t] · (base + …)
        difference, log_return      read (w[t] − w[t−1]) / s[t];         q[t+1] = w[t] + s[t] · (0 + …)

    The base is the mean of the values one season before the next step, those that lie behind the first observation;
    with season 1 it is the last value. The recurrence reads them, too. What the network stepped on where nothing was
    observed stands in for the values of a season ago, but never moves the scale.

    Args:
        transform: As `frame.TRANSFORMS`.
        seasons: In time steps; (1,) where there is none.
        memory: Observations after which the scale forgets older ones.
        levels: Probabilities that a forecast answers.
        support: Values that it can have; what the network steps on may be any.
    """

    def __init__(
        self,
        transform: str,
        seasons: Sequence[int],
        memory: int,
        levels: Sequence[float],
        support: Support = "real",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.transform, self.memory, self.support = transform, memory, support
        self.changes = differenced(transform)
        self.seasons = () if self.changes else tuple(seasons)
        self.levels = tuple(levels)
        self.scale = RunningScale(1, memory, centred=not self.changes, name="scale")
        self.quantiles = Quantiles(MIDDLE, name="scaled_quantiles")
        self.widths = {f"scale_{name}": width for name, width in self.scale.widths.items()}
        self.widths["memory_values"] = max(self.seasons, default=1)
        if self.changes:
            self.widths["memory_seen"] = 1
        self.numbers = len(GRID)
        self.outputs = {"quantiles": len(self.levels)}

    def build(self, *shapes: Any) -> None:
        """Makes the constants."""
        self.scale.build()
        self.quantiles.build()
        self.built = True

    @property
    def stretch(self) -> keras.Variable:
        """The factor that `calibrate` sets."""
        found: keras.Variable = self.quantiles.stretch
        return found

    def readable(self, values: Any) -> Any:
        """See `Kind`: where the network works on logarithms, those that have one."""
        return ops.where(values > 0, values, float("nan")) if logarithmic(self.transform) else values

    def read(self, values: Any, observed: Any, age: Any, state: State) -> tuple[Any, Said, State]:
        """See `Kind`."""
        values = on_working_scale(values, self.transform)
        values = ops.where(ops.isfinite(values), values, 0.0)  # before the first observation, and where none was
        line = ops.concatenate([state["memory_values"], values], axis=1)
        new = {"memory_values": line[:, values.shape[1] :]}
        if self.changes:
            level, spread, scaled, new = self._changes(line, values, observed, age, state, new)
            base = ops.zeros_like(values)
            parts = [scaled]
        else:
            level, spread, scaled, new = self._levels(values, observed, state, new)
            found, inside = self._seasons_ago(line, values, age)
            lags = [ops.where(there, (value - level) / spread, 0.0) for value, there in zip(found, inside, strict=True)]
            counted = sum(ops.cast(there, values.dtype) for there in inside)
            base = ops.where(counted > 0, sum(lags) / ops.maximum(counted, 1.0), scaled)
            parts = [scaled, *(lag for lag, season in zip(lags, self.seasons, strict=True) if season > 1)]
        parts.append(ops.cast(observed, values.dtype))
        frame = {"base": base, "level": level, "spread": spread}
        return ops.stack(parts, axis=-1), frame, new

    def _levels(self, values: Any, observed: Any, state: State, new: State) -> tuple[Any, Any, Any, State]:
        size = ops.ones_like(values)[:, :, None] if logarithmic(self.transform) else None
        mean, spread, scale = self.scale(values[:, :, None], observed[:, :, None], _part(state, "scale_"), size=size)
        new.update({f"scale_{name}": part for name, part in scale.items()})
        mean, spread = mean[:, :, 0], spread[:, :, 0]
        return mean, spread, (values - mean) / spread, new

    def _changes(
        self, line: Any, values: Any, observed: Any, age: Any, state: State, new: State
    ) -> tuple[Any, Any, Any, State]:
        steps = values.shape[1]
        before = line[:, -steps - 1 : -1]
        changes = ops.where(age > 1, values - before, 0.0)
        seen = ops.cast(observed, values.dtype)
        seen_before = ops.concatenate([state["memory_seen"], seen[:, :-1]], axis=1)
        both = ops.logical_and(ops.logical_and(observed, seen_before > 0), age > 1)
        size = ops.ones_like(values) if logarithmic(self.transform) else ops.abs(values)
        _, spread, scale = self.scale(
            changes[:, :, None], both[:, :, None], _part(state, "scale_"), size=size[:, :, None]
        )
        new.update({f"scale_{name}": part for name, part in scale.items()})
        new["memory_seen"] = seen[:, -1:]
        spread = spread[:, :, 0]
        return values, spread, changes / spread, new

    def _seasons_ago(self, line: Any, values: Any, age: Any) -> tuple[list[Any], list[Any]]:
        """The values one season before the next step, and whether they lie behind the first observation."""
        room, steps = self.widths["memory_values"], values.shape[1]
        found = [line[:, room - season + 1 : room - season + 1 + steps] for season in self.seasons]
        return found, [age >= season for season in self.seasons]

    def say(self, free: Any, frame: Said) -> Said:
        """See `Kind`: quantiles in units of the scale, of level and spread."""
        return {
            "quantiles": self.quantiles(free, frame["base"]),
            "level": frame["level"][:, :, None],
            "spread": frame["spread"][:, :, None],
        }

    def expected(self, said: Said) -> Any:
        """See `Kind`: the median."""
        return self._raw(said["quantiles"][:, :, MIDDLE : MIDDLE + 1], said)[:, :, 0]

    def draw(self, said: Said, uniform: Any) -> Any:
        """See `Kind`: the inverse transform of each step's quantile function."""
        quantiles = ops.reshape(said["quantiles"], (-1, len(GRID)))
        drawn = quantile_function(ops.reshape(uniform, (-1, 1)), quantiles, GRID)
        return self._raw(ops.reshape(drawn, (-1, uniform.shape[1], 1)), said)[:, :, 0]

    def answer(self, said: Said) -> dict[str, Any]:
        """See `Kind`: raw quantiles at the levels asked for."""
        steps = said["quantiles"].shape[1]
        quantiles = ops.reshape(said["quantiles"], (-1, len(GRID)))
        wanted = ops.zeros_like(quantiles[:, :1]) + np.asarray(self.levels, np.float32)
        found = quantile_function(wanted, quantiles, GRID)
        raw = self._raw(ops.reshape(found, (-1, steps, len(self.levels))), said)
        return {"quantiles": within(raw, self.support)}

    def answer_paths(self, paths: Any) -> dict[str, Any]:
        """See `Kind`: quantiles over the paths of each step."""
        found = ops.quantile(paths, np.asarray(self.levels, np.float32), axis=1)
        return {"quantiles": within(ops.transpose(found, (1, 2, 0)), self.support)}

    def loss(self, said: Said, target: Any) -> Any:
        """See `Kind`: mean pinball loss in units of the spread behind the last step, so that every series weighs the
        same, and the first steps of a series, whose spread is not known yet, no more than others.
        """
        share = said["spread"][:, :, 0] / said["spread"][:, -1:, 0]
        return pinball(self._encoded(said, target) * share, said["quantiles"] * share[:, :, None], GRID)

    def prepare(self, values: np.ndarray) -> None:
        """See `Kind`: what share of their size the values of training sequences spread by."""
        rows = ops.convert_to_numpy(on_working_scale(ops.convert_to_tensor(values), self.transform)).astype(np.float64)
        moves = np.diff(rows, axis=1) if self.changes else rows - _mean(rows)
        spread = np.sqrt(_mean(moves**2))
        size = np.ones_like(spread) if logarithmic(self.transform) else np.abs(_mean(rows))
        share = spread[size > 0] / size[size > 0]
        share = share[np.isfinite(share)]
        self.scale.start.assign([float(np.median(share)) if len(share) else 0.0])

    def first_bias(self, said: Said, target: np.ndarray) -> np.ndarray:
        """See `Kind`: by which the untrained network says the base with its own error quantiles."""
        encoded = ops.convert_to_numpy(self._encoded(said, ops.convert_to_tensor(target)))
        errors = encoded - ops.convert_to_numpy(said["quantiles"])[:, :, MIDDLE]
        return free_numbers(errors.reshape(-1, 1), GRID).reshape(-1)

    def calibrate(self, said: Said, target: np.ndarray) -> float:
        """See `Kind`: one factor on the distances from the median, by the pinball loss of the next step."""
        encoded = ops.convert_to_numpy(self._encoded(said, ops.convert_to_tensor(target)))
        factor = best_stretch(encoded, ops.convert_to_numpy(said["quantiles"]), GRID)
        self.quantiles.stretch.assign(self.quantiles.stretch * factor)
        return factor

    def _encoded(self, said: Said, target: Any) -> Any:
        return (on_working_scale(target, self.transform) - said["level"][:, :, 0]) / said["spread"][:, :, 0]

    def _raw(self, scaled: Any, said: Said) -> Any:
        found = said["level"] + said["spread"] * scaled
        return ops.exp(found) if logarithmic(self.transform) else found

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        own = {"transform": self.transform, "seasons": self.seasons, "memory": self.memory, "levels": self.levels}
        return {**super().get_config(), **own, "support": self.support}


def _part(state: State, prefix: str) -> State:
    return {name.removeprefix(prefix): part for name, part in state.items() if name.startswith(prefix)}


def _mean(rows: np.ndarray) -> np.ndarray:
    """Of what is observed in each row, NaN where nothing is; shape (rows, 1)."""
    observed = np.isfinite(rows)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.where(observed, rows, 0.0).sum(axis=1, keepdims=True) / observed.sum(axis=1, keepdims=True)
        )
