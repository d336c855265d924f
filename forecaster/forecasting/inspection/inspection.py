"""Looking inside a trained network: parameters, gates on one window, and how far back the gradient reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.errors import ForecasterError
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.inspection.by_symbol import GatesBySymbol, gates_by_symbol
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
from forecaster.networks.inspection.layers import labels, walk
from forecaster.series import Batch, Panel, training_windows
from forecaster.series.symbols import in_terms_of, with_known
from forecaster.store import Version

if TYPE_CHECKING:
    from forecaster.forecasting.recurrent import RecurrentForecaster

__all__ = ["Inspection", "Subject", "inspect", "look"]

WINDOWS = 16
"""Over which the gradient's norms are averaged."""
LOSS = "mean pinball loss of the forecast, in standard deviations of each window's lookback"
LOSS_OF_SYMBOLS = "cross-entropy of the forecast, in nats"


@dataclass(frozen=True)
class Inspection:
    """What was found inside a network.

    Attributes:
        model: Its name.
        definition: Its model definition.
        parameters: By layer and matrix.
        window: The one that the traces belong to.
        median: The network's median forecast there; shape (horizon,). Of symbols the place of the likeliest.
        traces: Of each recurrent layer, of that window: gates and states, shape (1, steps, units).
        reach: How far back the gradient reaches, over several windows.
        windows: How many.
        trained: Whether the network has learnt anything.
        vocabulary: Of a network of symbols.
        by_symbol: What the gates of each of its recurrent layers did at each symbol, over several windows.
        lookbacks: Steps that the network around a layer sees, where there are several or one that sees less than all.
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
    vocabulary: tuple[str, ...] = ()
    by_symbol: Mapping[str, GatesBySymbol] = field(default_factory=dict)
    lookbacks: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The same as JSON types; see `forecaster.forecasting.inspection.document`."""
        return document(self, LOSS_OF_SYMBOLS if self.vocabulary else LOSS)


@dataclass(frozen=True)
class Subject:
    """A network and what it reads.

    Args:
        name: Its own.
        definition: Its model definition.
        model: From raw windows to raw `quantiles`, or of symbols to `probabilities`.
        inputs: The covariates that it reads.
        lookback: Steps up to the cutoff.
        horizon: Steps after it.
        quantiles: Their probabilities, the median in the middle.
        trained: Whether it has learnt anything.
        vocabulary: Of a network of symbols.
    """

    name: str
    definition: ModelDefinition
    model: Any
    inputs: Inputs
    lookback: int
    horizon: int
    quantiles: tuple[float, ...]
    trained: bool = True
    vocabulary: tuple[str, ...] = ()

    def given_by(self, panel: Panel) -> Panel:
        """The panel with the columns of training, symbols in the terms of the vocabulary."""
        if self.vocabulary:
            panel = in_terms_of(with_known(panel, self.inputs.known), self.vocabulary)
        return self.inputs.given_by(panel, self.name)

    def middle(self, said: Any) -> np.ndarray:
        """The median, or the likeliest symbol's place, of each step of the first window; shape (horizon,)."""
        if self.vocabulary:
            return np.asarray(ops.convert_to_numpy(said["probabilities"])[0].argmax(axis=-1), np.float64)
        return np.asarray(ops.convert_to_numpy(said["quantiles"])[0, :, len(self.quantiles) // 2])


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
        DataError: No such series or time stamp, or other steps or columns than in training.

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
    given = one.given_by(panel)
    window = choose_window(given, one.lookback, one.horizon, series, cutoff)
    batch = window.windows.gather(slice(None))
    with recorded(one.model) as recordings:
        median = one.middle(one.model(_complete(one.model, batch), training=False))
    traces = [trace for recording in recordings for trace in recording.traces()]
    known = training_windows(given, one.lookback, one.horizon)
    chosen = known.spread(WINDOWS)
    several = known.gather(chosen)
    by_symbol = _by_symbol(one, several) if one.vocabulary else {}
    return Inspection(
        one.name, one.definition, parameters(one.model), window, median, traces, _reach(one, several), len(chosen),
        one.trained, one.vocabulary, by_symbol, lookbacks(one.model),
    )  # fmt: skip


def lookbacks(model: Any) -> dict[str, int]:
    """Steps of the past that the networks inside of a model see, by the names of their layers."""
    names = labels(model)
    seen: dict[str, int] = {}
    for member in model.layers:
        given = getattr(member, "input", None) if isinstance(member, keras.Model) else None
        if isinstance(given, Mapping) and "past" in given and given["past"].shape[1]:
            seen |= {names[id(part)]: int(given["past"].shape[1]) for part in walk(member) if id(part) in names}
    return seen


def _by_symbol(one: Subject, batch: Batch) -> dict[str, GatesBySymbol]:
    with recorded(one.model) as recordings:
        one.model(_complete(one.model, batch), training=False)
    traces = [trace for recording in recordings for trace in recording.traces()]
    return gates_by_symbol(traces, batch.past[:, :, 0], one.vocabulary)


def _fitted(forecaster: RecurrentForecaster) -> Subject:
    network = forecaster._network
    if network is None:
        raise ForecasterError(f"{forecaster.name} is not fitted; call fit(panel) first")
    shape = network.shape
    return Subject(
        forecaster.name, forecaster.definition, network.forecast, forecaster._inputs, shape.lookback, shape.horizon,
        shape.quantiles, vocabulary=shape.vocabulary,
    )  # fmt: skip


def _published(version: Version) -> Subject:
    from forecaster.networks import build, ensemble, recursive  # noqa: F401 - their layers are registered

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
    inputs = Inputs.recorded(manifest.inputs, manifest.calendar, manifest.frequency)
    quantiles = tuple(manifest.quantiles)
    return Subject(
        manifest.model, definition, model, inputs, manifest.lookback, manifest.horizon, quantiles,
        vocabulary=tuple(manifest.vocabulary),
    )  # fmt: skip


def _reach(one: Subject, batch: Batch) -> GradientReach:
    """Of the loss that the network was trained by, as far as its forecasts show it."""
    segments = one.definition.strategy != "recursive"
    if one.vocabulary:
        return gradient_reach(one.model, _complete(one.model, batch), _cross_entropy(batch.target), segments)
    past = batch.past[:, :, 0].astype(np.float64)
    spread = np.ma.masked_invalid(past).std(axis=1).filled(1.0)
    unit = np.where(spread > 0, spread, 1.0).astype(np.float32)[:, None]
    target = ops.convert_to_tensor((batch.target / unit).astype(np.float32))

    def loss(said: Any) -> Any:
        return pinball(target, said["quantiles"] / unit[:, :, None], one.quantiles)

    return gradient_reach(one.model, _complete(one.model, batch), loss, segments)


def _cross_entropy(target: np.ndarray) -> Callable[[Any], Any]:
    """The mean surprise at what came, where something was observed; of places, shape (batch, horizon)."""
    came = np.isfinite(target)
    places = ops.convert_to_tensor(np.where(came, target, 0).astype(np.int32)[:, :, None])
    weights = ops.convert_to_tensor((came / max(came.sum(), 1)).astype(np.float32))

    def loss(said: Any) -> Any:
        given = ops.take_along_axis(said["probabilities"], places, axis=-1)[:, :, 0]
        return -ops.sum(ops.log(given) * weights)

    return loss


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
