"""Looking inside a trained network: parameters, gates on one window, and how far back the gradient reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.errors import ForecasterError
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.inspection.document import document
from forecaster.forecasting.inspection.window import SeenWindow, choose_window
from forecaster.networks.heads import pinball
from forecaster.networks.inspection import (
    GradientReach,
    LayerParameters,
    Trace,
    gradient_reach,
    parameters,
)
from forecaster.networks.inspection.activations import recorded
from forecaster.series import Batch, Panel, training_windows
from forecaster.store import Version

if TYPE_CHECKING:
    from forecaster.forecasting.recurrent import RecurrentForecaster

__all__ = ["Inspection", "Subject", "inspect", "look"]

WINDOWS = 16
"""Over which the gradient's norms are averaged."""
LOSS = "mean pinball loss of the forecast, in standard deviations of each window's lookback"


@dataclass(frozen=True)
class Inspection:
    """What was found inside a network.

    Attributes:
        model: Its name.
        definition: Its model definition.
        parameters: By layer and matrix.
        window: The one that the traces belong to.
        median: The network's median forecast there; shape (horizon,).
        traces: Of each recurrent layer, of that window: gates and states, shape (1, steps, units).
        reach: How far back the gradient reaches, over several windows.
        windows: How many.
        trained: Whether the network has learnt anything.
    """

    model: str
    definition: ModelDefinition
    parameters: Sequence[LayerParameters]
    window: SeenWindow
    median: np.ndarray
    traces: Sequence[Trace]
    reach: GradientReach
    windows: int
    trained: bool = True

    def document(self) -> dict[str, Any]:
        """The same as JSON types; see `forecaster.forecasting.inspection.document`."""
        return document(self, LOSS)


@dataclass(frozen=True)
class Subject:
    """A network and what it reads.

    Args:
        name: Its own.
        definition: Its model definition.
        model: From raw windows to raw `quantiles`.
        inputs: The covariates that it reads.
        lookback: Steps up to the cutoff.
        horizon: Steps after it.
        quantiles: Their probabilities, the median in the middle.
        trained: Whether it has learnt anything.
    """

    name: str
    definition: ModelDefinition
    model: Any
    inputs: Inputs
    lookback: int
    horizon: int
    quantiles: tuple[float, ...]
    trained: bool = True


def inspect(
    subject: RecurrentForecaster | Version, panel: Panel, *, series: str | None = None, cutoff: str | int | None = None
) -> Inspection:
    """Looks inside a trained network.

    Args:
        subject: A fitted `RecurrentForecaster`, or a published version (`Store(...).read(name)`).
        panel: Data with the columns of training.
        series: The series to look at; the first by default.
        cutoff: Time stamp of the last step that the network sees in the window to look at; by default the last one
            whose horizon has come.

    Raises:
        ForecasterError: The forecaster is not fitted, or `model.keras` cannot be read.
        DataError: No such series or time stamp, or other columns than in training.

    Example:
        >>> import forecaster
        >>> panel = forecaster.read_csv("data/energy_demand.csv", target="demand")   # doctest: +SKIP
        >>> lstm = forecaster.RecurrentForecaster("lstm", horizon=48).fit(panel)     # doctest: +SKIP
        >>> seen = forecaster.inspect(lstm, panel)                                   # doctest: +SKIP
        >>> seen.traces[0].gates["forget"].mean(), seen.reach.layers[0].verdict      # doctest: +SKIP
    """
    return look(_published(subject) if isinstance(subject, Version) else _fitted(subject), panel, series, cutoff)


def look(one: Subject, panel: Panel, series: str | None = None, cutoff: str | int | None = None) -> Inspection:
    """The same for any network."""
    given = one.inputs.given_by(panel, one.name)
    window = choose_window(given, one.lookback, one.horizon, series, cutoff)
    batch = window.windows.gather(slice(None))
    inputs = _complete(one.model, batch)
    with recorded(one.model) as recordings:
        said = ops.convert_to_numpy(one.model(inputs, training=False)["quantiles"])
    traces = [recording.trace() for recording in recordings if recording.steps]
    known = training_windows(given, one.lookback, one.horizon)
    chosen = known.spread(WINDOWS)
    reach = _reach(one, known.gather(chosen))
    median = said[0, :, len(one.quantiles) // 2]
    counted = parameters(one.model)
    return Inspection(one.name, one.definition, counted, window, median, traces, reach, len(chosen), one.trained)


def _fitted(forecaster: RecurrentForecaster) -> Subject:
    network = forecaster._network
    if network is None:
        raise ForecasterError(f"{forecaster.name} is not fitted; call fit(panel) first")
    shape = network.shape
    return Subject(
        forecaster.name, forecaster.definition, network.forecast, forecaster._inputs, shape.lookback, shape.horizon,
        shape.quantiles,
    )  # fmt: skip


def _published(version: Version) -> Subject:
    from forecaster.networks import build, ensemble  # noqa: F401 - their layers are registered

    manifest, file = version.manifest, version.side / "model.keras"
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError) as error:
        raise ForecasterError(
            f"{file}: the network cannot be read ({str(error).splitlines()[0]}); publish it again (forecaster run) if "
            "another version of forecaster wrote it; a network of your own must be imported first, under the name that "
            "it had in training"
        ) from error
    definition = ModelDefinition.model_validate(manifest.model_definition)
    inputs = Inputs.recorded(manifest.inputs, manifest.calendar)
    quantiles = tuple(manifest.quantiles)
    return Subject(manifest.model, definition, model, inputs, manifest.lookback, manifest.horizon, quantiles)


def _reach(one: Subject, batch: Batch) -> GradientReach:
    """Of the loss that the network was trained by, as far as its forecasts show it."""
    past = batch.past[:, :, 0].astype(np.float64)
    spread = np.ma.masked_invalid(past).std(axis=1).filled(1.0)
    unit = np.where(spread > 0, spread, 1.0).astype(np.float32)[:, None]
    target = ops.convert_to_tensor((batch.target / unit).astype(np.float32))

    def loss(said: Any) -> Any:
        return pinball(target, said["quantiles"] / unit[:, :, None], one.quantiles)

    return gradient_reach(one.model, _complete(one.model, batch), loss)


def _complete(model: Any, batch: Batch) -> dict[str, np.ndarray]:
    """A batch with zeros for the seed of a network that draws, and whatever else is an input but no data."""
    rows = len(batch.past)
    given = dict(batch.inputs)
    own = getattr(model, "inputs", None)
    if own is None:  # a model that is no graph of layers
        return {**given, "seed": np.zeros(rows, np.int32)}
    for tensor in own:
        if tensor.name not in given:
            sizes = [size or rows for size in tensor.shape]
            given[tensor.name] = np.zeros(sizes, keras.backend.standardize_dtype(tensor.dtype))
    return given
