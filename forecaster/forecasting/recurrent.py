"""The recurrent forecaster: one Keras network, trained on all series of a panel at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition, Project
from forecaster.config.arguments import seasons, transformation, whole, whole_or_auto
from forecaster.config.model import Support
from forecaster.errors import ForecasterError
from forecaster.forecasting.defaults import Resolved, resolve
from forecaster.forecasting.finishing import OF_SEQUENCES, OF_WINDOWS, all_windows, refuse_finish
from forecaster.forecasting.gap import Start, begun_at, quantiles_from
from forecaster.forecasting.inference import check_counts, check_transform, history_read, quantiles_in_batches
from forecaster.forecasting.inputs import Inputs, refuse_unseen
from forecaster.forecasting.lessons import Examples, Lessons, gapless, sample, sequence_lessons, window_lessons
from forecaster.forecasting.mixing import refuse_mixing
from forecaster.forecasting.protocol import (
    checked_levels,
    choose_quantiles,
    chosen_levels,
    forecast_frame,
    levels_to_quantiles,
)
from forecaster.forecasting.trailing import from_the_end
from forecaster.forecasting.training import Control
from forecaster.forecasting.warm import UNFINISHED, WarmStart, network_facts, warmed
from forecaster.series import Panel, cutoffs, forecast_windows, training_windows

if TYPE_CHECKING:
    from forecaster.forecasting.member import Member

__all__ = ["RecurrentForecaster"]


class RecurrentForecaster:
    """A recurrent network under the Forecaster protocol.

    Args:
        model: A model definition, or the name of one: `simple_rnn`, `lstm`, `gru`, `custom_lstm`, or a file in
            `models/`.
        horizon: Time steps to forecast.
        lookback: Time steps that the network sees; `auto` takes two of the longest season, or enough for the horizon.
        season: Season or seasons in time steps; `auto` takes those that the training part shows.
        levels: Intervals, in per cent.
        transform: `none`, `log`, `difference` or `log_return`; `auto` takes `log` where all values are above zero and
            changes grow with the level, else `none`.
        strict: Whether a value that the transform has no place for is refused in a fit; else it counts as missing.
        validation: Forecast origins that are cut from the end of the panel for early stopping; `auto`: a fifth of it.
        step: Time steps between those origins; the horizon by default.
        seed: Of weights, dropout and batches.
        control: How the fit is watched, stopped and resumed.
        warm: Weights of a published version to go on from.
        devices: GPUs (or logical CPU devices) that it learns on at once, each from some rows of every batch; `all`:
            every one of this machine. It forecasts on one.

    Attributes:
        name: The model's, its column in forecast frames.
        curve: Of the fit: step, training and validation loss, and how the gradient was clipped (see `clipping`). Of an
            ensemble it is that of the first network; `curves` has all.
        resolved: What `auto` became.
        theta: Share of the Theta method in its forecasts.
        seconds: That the fit took.

    Raises:
        DefinitionError: An argument is none that a pipeline file could have.
        LevelError: A level is none.

    Example:
        >>> import forecaster
        >>> panel = forecaster.read_csv("data/energy_demand.csv", target="demand")    # doctest: +SKIP
        >>> lstm = forecaster.RecurrentForecaster("lstm", horizon=48).fit(panel)      # doctest: +SKIP
        >>> lstm.predict(panel, levels=[80, 95])                                      # doctest: +SKIP
    """

    def __init__(
        self,
        model: str | ModelDefinition,
        horizon: int,
        *,
        lookback: int | Literal["auto"] = "auto",
        season: int | Sequence[int] | Literal["auto"] = "auto",
        levels: Sequence[float] = (80, 95),
        transform: str = "auto",
        strict: bool = True,
        validation: int | Literal["auto"] = "auto",
        step: int | None = None,
        seed: int = 1,
        control: Control | None = None,
        warm: WarmStart | None = None,
        devices: int | Literal["all"] = 1,
    ) -> None:
        self.definition = Project.find().model(model)
        self.name = str(self.definition.name)
        self.horizon, self.season = whole("horizon", horizon), seasons(season)
        self.lookback, self.validation = whole_or_auto("lookback", lookback), whole_or_auto("validation", validation)
        self.transform, self.strict = transformation(transform), strict
        self.levels = checked_levels(levels)
        self.step = self.horizon if step is None else whole("step", step)
        self.seed = whole("seed", seed, least=0)
        self.control, self.warm = control or Control(), warm
        self.devices: int | Literal["all"] = "all" if devices == "all" else whole("devices", devices)
        self.seconds, self.theta = 0.0, 0.0
        self.curve = pd.DataFrame(columns=["step", "training", "validation"])
        self.resolved: Resolved | None = None
        self._inputs = Inputs()
        self._network: Any = None
        self._members: list[Member] = []

    def fit(self, panel: Panel) -> Self:
        """Trains on the panel; the last part of it is held out to stop by.

        Args:
            panel: Everything that may be seen.

        Raises:
            DataError: The series are too short for horizon and validation part.
            TrainingError: The loss is not finite.
            Interrupted: `control.stop` said so.
        """
        began = time.monotonic()
        self.theta = 0.0
        resolved = resolve(
            panel, self.horizon, self.lookback, self.season, self.definition.segment, self.validation, self.step,
            "none" if self.counts else self.transform, sparing=self.spares,
        )  # fmt: skip
        self.resolved = resolved = replace(resolved, cycle=self.warm.cycle) if self.warm else resolved
        if self.counts:
            check_counts(panel, self.name)
        elif self.transform != "auto" and self.strict:
            check_transform(panel, self.transform)
        refuse_mixing(panel, self.definition)
        refuse_finish(panel, self.definition)
        definition = warmed(self._filled_in(resolved)) if self.warm else self._filled_in(resolved)
        if self.definition.strategy == "recursive":
            refuse_unseen(panel, f"{self.name}: strategy: recursive")
        self._inputs = Inputs.of(panel)
        if self.warm:
            self.warm.check(self.facts)
        self._network = self._fitted(panel, resolved, definition)
        self.curve = self._members[0].curve
        self.seconds = time.monotonic() - began
        return self

    def _fitted(self, panel: Panel, resolved: Resolved, definition: ModelDefinition) -> Any:
        """Builds all networks, joins them, and fits one after the other."""
        from forecaster.forecasting.blending import theta_blend
        from forecaster.forecasting.member import conform, seed_of
        from forecaster.forecasting.variety import varied
        from forecaster.networks.ensemble import join, joined

        numbers = range(definition.ensemble)
        each = [varied(resolved, definition, number, self.horizon) for number in numbers]
        networks = [self._built(panel, each[one], definition, seed_of(self.seed, one)) for one in numbers]
        together = joined(networks, definition.conformal)
        if self.warm:
            self.warm.give(together)
        self._members = [self._member(panel, each[one], definition, one, networks[one]) for one in numbers]
        border = cutoffs(panel, self.horizon, resolved.validation, self.step)[0]
        if definition.theta:
            with self.unfinished():
                theta = theta_blend(together, panel, border, resolved, self.horizon, definition)
            self.theta = theta.share
            together = join(networks, definition.conformal, theta, resolved.memory)
        if definition.conformal:
            with self.unfinished():
                offsets = conform(together, panel, border, self.horizon, resolved.spared)
            together.offsets.assign(offsets)
        return together

    def _member(
        self, panel: Panel, resolved: Resolved, definition: ModelDefinition, number: int, network: Any
    ) -> Member:
        """One network, fitted: the only one, or one of an ensemble."""
        from forecaster.forecasting.member import fit_member, seed_of
        from forecaster.networks.replicas import mirrored, refuse_replicas

        seed = seed_of(self.seed, number)
        border = cutoffs(panel, self.horizon, resolved.validation, self.step)[0]
        teach = sequence_lessons if self.stepwise else window_lessons
        lessons = teach(panel, border, resolved, self.horizon, definition, seed)
        later = self._later(panel, resolved, definition, seed) if definition.finish else None
        static = None if self.warm else panel.until(border).static_values
        with mirrored(self.devices) as several:
            learner = network
            if several > 1:
                refuse_replicas(definition)
                learner = self._built(panel, resolved, definition, seed)
                learner.forecast.set_weights(network.forecast.get_weights())
            control = self._watching(self.control.of_member(number + 1, definition.ensemble), learner, lessons)
            member = fit_member(learner, lessons, static, definition, control, later)
        return member if learner is network else member.moved_to(network)

    def _later(
        self, panel: Panel, resolved: Resolved, definition: ModelDefinition, seed: int
    ) -> Callable[[int], Examples] | None:
        """The batches of the finish; None where there is none."""
        return None if self.stepwise else all_windows(panel, resolved, self.horizon, definition, seed)

    def _watching(self, control: Control, network: Any, lessons: Lessons) -> Control:
        """How the fit of a network is watched."""
        return control

    @property
    def curves(self) -> dict[str, pd.DataFrame]:
        """The curve of each of its networks, by the name of the model; in an ensemble with its number."""
        if len(self._members) < 2:
            return {self.name: self.curve}
        return {f"{self.name} {number}": member.curve for number, member in enumerate(self._members, start=1)}

    @property
    def stepwise(self) -> bool:
        """Whether it goes from step to step, forecasting each, and samples what it goes on from."""
        return not self.definition.windowed

    @property
    def counts(self) -> bool:
        """Whether it learns the distribution of counts, which it reads as they are: there is no transform."""
        return self.definition.head == "negative_binomial"

    @property
    def support(self) -> Support:
        """Values that its forecasts can have; `real` before a fit, where nothing is told."""
        told = self.definition if self.resolved is None else self._filled_in(self.resolved)
        return "real" if told.support == "auto" else told.support

    @property
    def reads(self) -> int | None:
        """Steps before a cutoff that decide a forecast; None where all do, or nothing is fitted."""
        return None if self.resolved is None or self.stepwise else self._lookback

    @property
    def spares(self) -> bool:
        """Whether stretches of a long past may be kept from a fit.

        Without a finish it would never learn from them, and weights to go on from may know them already.
        """
        return self.definition.spares and not self.stepwise and self.warm is None

    @property
    def facts(self) -> dict[str, Any]:
        """What its weights depend on; empty before a fit."""
        if self.resolved is None:
            return {}
        return network_facts(self._filled_in(self.resolved), self.resolved, self.horizon, self.levels, self._inputs)

    @property
    def streaming(self) -> dict[str, Any]:
        """The state that the exported network carries from step to step: see `ManifestDraft.streaming`."""
        return dict(self._network.streaming) if self.stepwise else {}

    @contextmanager
    def unfinished(self) -> Iterator[Self]:
        """Itself as it was before it learnt from what was kept from the fit, to be judged by that."""
        with ExitStack() as undone:
            for member in self._members:
                if member.finished:
                    undone.enter_context(member.finished.undone())
            yield self

    def _filled_in(self, resolved: Resolved) -> ModelDefinition:
        """The model file with what it leaves to the data; sequences are taken as they are, counts not mixed."""
        model = self.definition
        blends = resolved.theta and model.mixes and not self.stepwise
        theta = "auto" if blends else 0.0  # how much is said by the validation part
        own: dict[str, Any] = {"batch_size": resolved.batch_size, "finish": OF_SEQUENCES, "theta": theta}
        own["support"] = "whole" if self.counts else resolved.support
        if model.windowed:
            mixtures = resolved.mixing if model.mixes else 0.0
            own |= {"finish": OF_WINDOWS, "mixing": mixtures, "masking": resolved.masking}
        left = {key: value for key, value in own.items() if getattr(model, key) == "auto"}
        return model.model_copy(update=left)

    def _built(self, panel: Panel, resolved: Resolved, definition: ModelDefinition, seed: int) -> Any:
        """The untrained network."""
        from forecaster.networks.build import Shape, build
        from forecaster.networks.recursive import build_recursive
        from forecaster.networks.widening import usual_in_frames

        shape = Shape(
            resolved.lookback, self.horizon, levels_to_quantiles(self.levels), len(panel.past),
            len(self._inputs.known), len(panel.static), resolved.seasons or (1,), resolved.segment, resolved.transform,
            self._inputs.columns, resolved.cycle, relative=resolved.relative,
            looks=resolved.looks if definition.cautious else 0, support=self.support,
        )  # fmt: skip
        if self.stepwise:
            return build_recursive(definition, shape, seed, gapless(panel, resolved.transform))
        if shape.looks:
            some = sample(training_windows(panel, shape.lookback, self.horizon))
            shape = replace(shape, usual=usual_in_frames(some.past[:, :, 0], some.target, shape))
        return build(definition, shape, seed)

    def predict(self, panel: Panel, levels: Sequence[float] | None = None, start: Start | None = None) -> pd.DataFrame:
        """Forecasts every series of the panel from its cutoff, also series that were not in training.

        Args:
            panel: With the covariates of training; calendar features are computed here.
            levels: Some of the trained ones; all by default.
            start: Time stamp of the first row, the same for all series; by default the step behind each cutoff. Steps
                before it that were not observed are gone through on the network's own forecasts (see
                `forecaster.forecasting.gap`); values from it on are not used.

        Returns:
            The forecast frame, in raw units. Its `cutoff` is the last observed step before the first row.

        Raises:
            LevelError: A level was not trained, or is no number.
            DataError: Steps or covariates differ from those of training, or known ones do not reach over the horizon;
                or there are past covariates, and the steps before the start are not observed.
        """
        wanted = chosen_levels(levels, self.levels)
        if start is None:
            said = self.quantiles(panel)
            return forecast_frame(panel, self.name, choose_quantiles(said, self.levels, wanted), wanted)
        begun, probabilities = begun_at(panel, start), levels_to_quantiles(self.levels)
        said = quantiles_from(begun, self._said, probabilities, self._lookback, self.horizon, support=self.support)
        return forecast_frame(begun.panel, self.name, choose_quantiles(said, self.levels, wanted), wanted, begun.start)

    def quantiles(self, panel: Panel) -> np.ndarray:
        """Raw quantiles, shape (series, horizon, 2 × levels + 1).

        Missing values at the end of a series are gone through where they are many (`forecaster.forecasting.trailing`);
        a network that goes step by step does that by itself.
        """
        if self.stepwise or self.resolved is None:
            return self._said(panel)
        return from_the_end(
            panel, self._said, levels_to_quantiles(self.levels), self._lookback, self.horizon, self.support,
            framed=self.resolved.lookback,
        )  # fmt: skip

    def _said(self, panel: Panel) -> np.ndarray:
        """What the network says of the windows as they are."""
        if self._network is None or self.resolved is None:
            raise ForecasterError(f"{self.name} is not fitted; call fit(panel) first")
        given = self._inputs.given_by(panel, self.name)
        answer = self._network.answer
        windows = forecast_windows(given, self._steps_back(given), self.horizon)
        seed = self.seed if self.stepwise else None
        return quantiles_in_batches(lambda inputs: answer(inputs)["quantiles"], windows, seed)

    def _steps_back(self, panel: Panel) -> int:
        """How much of the past it reads: the lookback, or all of it where it carries its state."""
        return history_read(panel, self.streaming, self._lookback)

    @property
    def _lookback(self) -> int:
        """Steps that are read at once: the lookback, or the memory of the Theta method."""
        if self._network is None or self.resolved is None:
            return 0
        return self.resolved.lookback if self.stepwise else int(self._network.shape.lookback)

    def export(self, served: Path, side: Path) -> None:
        """Writes the network as a SavedModel (folder `served`) and as `model.keras` (in folder `side`).

        Beside it lie its weights before the finish, which another fit can go on from.
        """
        self._network.export(served)
        self._network.forecast.save(side / "model.keras")
        if not self.stepwise:
            with self.unfinished():
                self._network.forecast.save(side / UNFINISHED)
