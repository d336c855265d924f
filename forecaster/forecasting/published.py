"""Forecasts from a published version: its SavedModel and manifest, nothing of what trained it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from forecaster.errors import ForecasterError
from forecaster.forecasting.gap import Start, Tell, begun_at, quantiles_from
from forecaster.forecasting.inference import history_read, quantiles_in_batches
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.protocol import choose_quantiles, chosen_levels, forecast_frame, levels_to_quantiles
from forecaster.forecasting.trailing import from_the_end
from forecaster.series import Panel, forecast_windows
from forecaster.series.filling import Filling
from forecaster.store import ManifestDraft, Version

__all__ = ["InputSpec", "PublishedForecaster", "Signature"]

InputSpec = tuple[str, tuple[int | None, ...], np.dtype[Any]]
"""Name, shape and type of an input of a SavedModel."""
Signature = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
"""From the arrays of a signature's inputs by name to those of its outputs."""


class PublishedForecaster:
    """A published version under the Forecaster protocol.

    Args:
        version: From the store, verified.

    Attributes:
        name: Of the network that was published.
        horizon: Time steps that it forecasts.
        signature: Name, shape and type of each input, by name.

    Raises:
        ForecasterError: The SavedModel has no signature `serving_default` with the manifest's inputs.
    """

    output = "quantiles"
    """What is read of what the signature says."""

    def __init__(self, version: Version) -> None:
        self._open(version.served, version.manifest)

    @classmethod
    def load(cls, served: Path, manifest: ManifestDraft) -> Self:
        """The same for a SavedModel that is not published yet."""
        forecaster = cls.__new__(cls)
        forecaster._open(served, manifest)
        return forecaster

    @classmethod
    def called_by(
        cls,
        run: Callable[[dict[str, np.ndarray]], np.ndarray],
        signature: list[InputSpec],
        manifest: ManifestDraft,
        tell: Tell | None = None,
    ) -> Self:
        """The same where something else has loaded the SavedModel and calls it: a server.

        Args:
            run: From the arrays of `serving_default`'s inputs by name to its quantiles.
            signature: Those inputs.
            manifest: Of the version.
            tell: Is told if steps before a start were not observed and are gone through; the log by default.
        """
        forecaster = cls.__new__(cls)
        forecaster._describe(manifest)
        forecaster._tell = tell
        forecaster.signature, forecaster._call = signature, run
        return forecaster

    def _describe(self, manifest: ManifestDraft) -> None:
        self.manifest = manifest
        self.name, self.horizon = manifest.model, manifest.horizon
        self._inputs = Inputs.recorded(manifest.inputs, manifest.calendar, manifest.frequency)
        self._tell: Tell | None = None

    def _open(self, served: Path, manifest: ManifestDraft) -> None:
        import tensorflow as tf

        self._describe(manifest)
        self._loaded = tf.saved_model.load(str(served))
        default: Any = self._loaded.signatures.get("serving_default")
        if default is None:
            raise ForecasterError(f"{served}: has no signature serving_default; publish the pipeline again")
        told = default.structured_input_signature[1]
        self.signature = [
            (key, tuple(told[key].shape), np.dtype(told[key].dtype.as_numpy_dtype)) for key in sorted(told)
        ]

        def call(inputs: dict[str, np.ndarray]) -> np.ndarray:
            return np.asarray(default(**{key: tf.constant(part) for key, part in inputs.items()})[self.output])

        self._call: Callable[[dict[str, np.ndarray]], np.ndarray] = call

    def called(self, name: str) -> tuple[Signature, dict[str, tuple[int | None, ...]]] | None:
        """A signature as a function of arrays by name, and the shapes of its outputs; None where there is none."""
        import tensorflow as tf

        found: Any = self._loaded.signatures.get(name)
        if found is None:
            return None

        def call(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            said = found(**{key: tf.constant(part) for key, part in inputs.items()})
            return {key: part.numpy() for key, part in said.items()}

        return call, {key: tuple(part.shape) for key, part in found.structured_outputs.items()}

    def fit(self, panel: Panel) -> Self:
        """A published version is not fitted again."""
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None, start: Start | None = None) -> pd.DataFrame:
        """Forecasts every series of the panel from its cutoff, or from a later start.

        Args:
            panel: With the columns of the data that the version was trained on; its calendar features are
                computed here, as the manifest says.
            levels: Some of the trained ones; all by default.
            start: Time stamp of the first row; see `RecurrentForecaster.predict`.

        Raises:
            LevelError: A level was not trained.
            DataError: Columns or frequency differ, or known covariates do not reach over the horizon; or there are
                past covariates, and the steps before the start are not observed.
        """
        trained = self.manifest.levels
        wanted = chosen_levels(levels, trained)
        if start is None:
            return forecast_frame(panel, self.name, choose_quantiles(self.quantiles(panel), trained, wanted), wanted)
        begun = begun_at(panel, start)
        probabilities = levels_to_quantiles(trained)
        said = quantiles_from(
            begun, self._said, probabilities, self.manifest.lookback, self.horizon, self._tell, self._support
        )
        return forecast_frame(begun.panel, self.name, choose_quantiles(said, trained, wanted), wanted, begun.start)

    @property
    def _support(self) -> str:
        """Values that its forecasts can have; versions of before that had any."""
        return str(self.manifest.training.get("support", "real"))

    def quantiles(self, panel: Panel) -> np.ndarray:
        """Raw quantiles, shape (series, horizon, 2 × levels + 1); see `RecurrentForecaster.quantiles`."""
        if self.stepwise:
            return self._said(panel)
        told = self.manifest
        return from_the_end(
            self.check(panel), self._said, levels_to_quantiles(told.levels), told.lookback, self.horizon, self._support,
            framed=told.training.get("network", {}).get("lookback", told.lookback),
        )  # fmt: skip

    def check(self, panel: Panel) -> Panel:
        """The panel as the network reads it.

        Raises:
            DataError: Its steps or covariates are not those of training.
        """
        return replace(self._inputs.given_by(panel, self.name), filling=self._filling)

    def _said(self, panel: Panel) -> np.ndarray:
        """What the network says of the windows as they are."""
        given = self.check(panel)
        steps = history_read(given, self.manifest.streaming, self.manifest.lookback)
        seed = self.manifest.seed if self.stepwise else None
        return quantiles_in_batches(self.run, forecast_windows(given, steps, self.horizon), seed)

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """What the SavedModel says of a batch of windows: quantiles, shape (batch, horizon, 2 × levels + 1)."""
        return self._call(inputs)

    @property
    def stepwise(self) -> bool:
        """Whether it goes step by step, and draws what it goes on from."""
        return "seed" in {name for name, _, _ in self.signature}

    @property
    def _filling(self) -> Filling:
        """Gaps are filled as they were in training, whatever the panel's own way."""
        trained: Filling | str = self.manifest.definition.get("data", {}).get("missing", "mask")
        return "forward" if trained == "forward" else "interpolate" if trained == "interpolate" else "none"
