"""Before anything is fitted: the data, the split, and what every `auto` became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.config import ModelDefinition, PipelineDefinition, Project, TextData, TickerData
from forecaster.errors import DataError, DefinitionError
from forecaster.evaluation import scale_season, scales
from forecaster.forecasting.baselines import NAIVE_RULES, NaiveForecaster
from forecaster.forecasting.defaults import Resolved, resolve
from forecaster.forecasting.finishing import refuse_finish
from forecaster.forecasting.inference import check_counts, check_support, check_transform
from forecaster.forecasting.inputs import refuse_unseen
from forecaster.forecasting.protocol import Forecaster
from forecaster.forecasting.ridge import RidgeForecaster
from forecaster.forecasting.rivals import CLASSICAL, ClassicalForecaster
from forecaster.forecasting.symbols import step_by_step
from forecaster.series import (
    Panel,
    automatic_windows,
    cutoffs,
    forecastable,
    held_out,
    metric_season,
    natural_seasons,
    taking_part,
)
from forecaster.series.precision import TOO_COARSE
from forecaster.series.source import load
from forecaster.series.split import TEST_SHARE
from forecaster.series.stamps import say_stamp
from forecaster.words import plural

__all__ = ["Prepared", "baselines", "directional", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """A run before its first fit.

    Attributes:
        panel: All data.
        fitting: What comes before the test part.
        test: Cutoffs of the test part, shape (windows, series).
        validation: Cutoffs of the validation part, inside the fitting part.
        step: Time steps between cutoffs.
        resolved: Lookback, seasons, segment.
        season: Of MASE.
        transform: What the networks see.
        directional: Whether the signs of changes are judged, too.
        models: The networks to fit.
        inferred: Everything that was not said in the pipeline file, and where it came from.
    """

    panel: Panel
    fitting: Panel
    test: np.ndarray
    validation: np.ndarray
    step: int
    resolved: Resolved
    season: int
    transform: str
    directional: bool
    models: tuple[ModelDefinition, ...]
    inferred: dict[str, str]


def prepare(
    definition: PipelineDefinition, project: Project, base: Path, panel: Panel | None = None, *, offline: bool = False
) -> Prepared:
    """Reads the data, cuts it, and fills in what the definition leaves open, from the fitting part alone.

    Args:
        definition: What to run.
        project: Where models and snapshots lie.
        base: Folder of the pipeline file.
        panel: The data, where they have been read already.
        offline: Take tickers from their last snapshots, without the network.

    Raises:
        DataError: The data are unusable or too short.
        DefinitionError: A model does not exist, or has a name that it cannot have here; or fits are to go on from
            what can never be gone on from.
    """
    if definition.warm_start:
        _check_warm_start(definition)
    models = project.definitions(definition.models)
    if definition.symbolic:
        models = tuple(step_by_step(model, isinstance(definition.data, TextData)) for model in models)
    panel = load(definition.data, base, project.root, offline) if panel is None else panel
    if told := panel.notes.get(TOO_COARSE):
        raise DataError(told)
    horizon = definition.horizon
    step = horizon if definition.backtest.step == "auto" else definition.backtest.step
    windows, why = _windows(definition, panel, step)
    test = cutoffs(panel, horizon, windows, step)
    fitting = panel.until(test[0])
    season_told = definition.season
    if definition.symbolic and season_told == "auto":  # no sum or mean of names would tell
        season_told = (natural_seasons(panel.calendar) or [1])[0]
    validation_told = definition.validation
    if _every_symbol(definition, step) and validation_told == "auto":
        validation_told = held_out(fitting)
    resolved = resolve(
        fitting, horizon, definition.lookback, season_told, models[0].segment, validation_told, step,
        _transform(definition),
    )  # fmt: skip
    if not definition.symbolic:
        _check_values(models, panel, panel if definition.promote.refit or definition.backtest.refit else fitting)
    transform = resolved.transform
    check_transform(panel if definition.transform != "auto" else fitting, transform)
    by_source = definition.transform == "auto" and transform == "log_return"
    validation = cutoffs(fitting, horizon, resolved.validation, step)
    season, of_metric = _metric_season(definition, fitting.until(validation[0]))
    inferred = {
        **resolved.reasons,
        "test": why,
        "step": f"{plural(step, 'step')} between forecast origins",
        "metric season": of_metric,
        **({"transform": f"{transform} (by the source)"} if by_source else {}),
    }
    _leave_out(inferred, models, ridge="ridge" in definition.baselines)
    if definition.symbolic:
        inferred = _of_symbols(inferred, definition, any(model.carry_state for model in models))
    parts = () if definition.symbolic else (("test", panel, test), ("validation", fitting, validation))
    for part, seen, origins in parts:
        if told := _unforeseen(part, seen, origins, horizon):
            inferred[f"left out, {part}"] = told
    signs = directional(definition, transform)
    return Prepared(
        panel, fitting, test, validation, step, resolved, season, transform, signs, models, inferred
    )  # fmt: skip


def _metric_season(definition: PipelineDefinition, training: Panel) -> tuple[int, str]:
    """The season of MASE, in words too: where it is left open, M4's, or 1 where no series is longer than that."""
    usual, told = _cycle(definition, training), definition.metric_season != "auto"
    season, why = (usual, "as told") if told else (scale_season(training), "as in M4")
    if season != usual:
        why = f"no series has more than M4's {plural(usual, 'step')} before the validation part"
    if not definition.symbolic and scales(training, season).isna().all():
        remedy = "; write `metric_season: 1`, or" if season > 1 else "; write"
        why += (
            f"; MASE cannot be computed on the validation part: before it no values of a series that are "
            f"{plural(season, 'step')} apart differ{remedy} `promote: {{metric: smape}}`"
        )
    return season, f"{season} ({why})"


def _cycle(definition: PipelineDefinition, panel: Panel) -> int:
    """The season of Naive2 and the first of the seasonal naive forecast."""
    return metric_season(panel.calendar) if definition.metric_season == "auto" else definition.metric_season


def _check_warm_start(definition: PipelineDefinition) -> None:
    """Refuses to go on from what can never be gone on from."""
    if definition.promote.refit:
        raise DefinitionError(
            f"{definition.name}: promote.refit publishes a network that has seen all data, from which none that is "
            "judged by some of them may go on; leave promote.refit or warm_start out"
        )
    if definition.symbolic:
        raise DefinitionError(
            f"{definition.name}: a warm start is for networks that forecast a whole horizon at once, and those of "
            "symbols go step by step; leave warm_start out"
        )


def _check_values(models: Sequence[ModelDefinition], panel: Panel, seen: Panel) -> None:
    """Refuses data of which a model file says that there are none, or that its network cannot learn from.

    Args:
        models: Of the pipeline.
        panel: All data.
        seen: What fits will see of them.

    Raises:
        DataError: Names model, place and remedy.
        DefinitionError: Likewise.
    """
    for model in models:
        check_support(seen, model.support, str(model.name))
        if model.head == "negative_binomial":
            check_counts(seen, str(model.name))
        refuse_finish(seen, model)
        if model.strategy == "recursive":
            refuse_unseen(panel, f"{model.name}: strategy: recursive")


def _leave_out(inferred: dict[str, str], models: Sequence[ModelDefinition], ridge: bool) -> None:
    """Takes out what was inferred for no model of the pipeline, and says what is of ridge alone."""
    if all(model.batch_size != "auto" for model in models):
        inferred.pop("batch size")
    if not any(model.mixing == "auto" and model.mixes for model in models):
        inferred.pop("mixtures", None)
    if not any(model.masking == "auto" and model.windowed for model in models):
        inferred.pop("masking", None)
    if not any(model.spares for model in models):
        inferred.pop("intervals", None)
    if not any(model.windowed and model.head == "quantiles" for model in models):
        inferred.pop("errors", None)
    if not any(model.theta == "auto" and model.mixes for model in models):
        inferred.pop("theta", None)
    _tell_support(inferred, models, ridge)
    if not any(model.cautious for model in models) and (why := inferred.pop("caution", None)) and ridge:
        inferred["caution"] = f"ridge: {why}"


def _unforeseen(part: str, panel: Panel, origins: np.ndarray, horizon: int) -> str:
    """What is told of forecasts that are not made, since known covariates do not reach over their horizon.

    Raises:
        DataError: None is left.
    """
    wanted = taking_part(panel, origins)
    left = wanted & ~forecastable(panel, origins, horizon)
    if not left.any():
        return ""
    window, series = np.argwhere(left)[0]
    cutoff = say_stamp(panel.stamps(origins[window, series : series + 1])[0])
    told = (
        f"{int(left.sum()):,} of {int(wanted.sum()):,} forecasts of the {part} part, for want of known covariates over "
        f"their horizon (the first: series {panel.ids[series]!r} from {cutoff})"
    )
    if (left == wanted).all():
        raise DataError(
            f"{told}: none is left to judge by; add rows with the values of {', '.join(panel.known)} to the data, or "
            "leave these columns out (`ignore`)"
        )
    return told


def _tell_support(inferred: dict[str, str], models: Sequence[ModelDefinition], ridge: bool) -> None:
    """What networks can forecast, where a model file says it itself; ridge always does what the data show."""
    told = {str(model.name): model.support for model in models if model.support != "auto"}
    why = inferred.pop("support", None)
    found = [why if len(told) < len(models) else f"ridge: {why}"] if why and (ridge or len(told) < len(models)) else []
    if told or found:
        inferred["support"] = "; ".join([*found, *(f"{name}: {support} (as told)" for name, support in told.items())])


def _of_symbols(inferred: dict[str, str], definition: PipelineDefinition, carried: bool) -> dict[str, str]:
    """What is told of a pipeline of symbols: nothing that is for numbers alone, but the strategy."""
    numeric = (
        "segment", "transform", "metric season", "past cycles", "mixtures", "masking", "theta", "intervals", "caution",
        "support",
    )  # fmt: skip
    told = {key: why for key, why in inferred.items() if key not in numeric}
    if isinstance(definition.data, TextData):
        told.pop("season")
        if definition.validation == "auto" and "as told" in told["validation"]:
            origins = told["validation"].partition(" ")[0]
            told["validation"] = f"{int(origins):,} forecast origins: every symbol of the last tenth before the test"
        told["training"] = (
            "the state is carried through the text; the gradient is cut behind each lookback or truncate"
            if carried
            else "windows drawn at random, each read from a state of zeros"
        )
        if carried and "batch size" in told:
            told["batch size"] = told["batch size"].replace("windows", "lanes side by side", 1)
    elif definition.season == "auto":
        told["season"] = f"{told['season'].removesuffix(' (as told)')} (by the calendar)"
    return {**told, "strategy": "recursive (symbols are forecast one after the other)"}


def baselines(definition: PipelineDefinition, prepared: Prepared) -> list[Forecaster]:
    """The baselines of a run; the seasonal naive forecast is made for every season that was found."""
    made: list[Forecaster] = []
    horizon, levels = definition.horizon, definition.levels
    seasons, cycle = list(prepared.resolved.seasons), _cycle(definition, prepared.panel)
    first = cycle if cycle > 1 else (seasons[0] if seasons else 1)
    for name in definition.baselines:
        if name == "ridge":
            made.append(_ridge(definition, prepared))
        elif name in CLASSICAL:
            made.append(ClassicalForecaster(name, horizon, first, levels))
        elif name == "seasonal_naive":
            for season in dict.fromkeys([first, *seasons]):
                label = name if season == first else f"{name}_{season}"
                made.append(NaiveForecaster(NAIVE_RULES[name], horizon, season, label, levels))
        else:
            made.append(NaiveForecaster(NAIVE_RULES[name], horizon, cycle, name, levels))
    return made


def _ridge(definition: PipelineDefinition, prepared: Prepared) -> RidgeForecaster:
    resolved = prepared.resolved
    return RidgeForecaster(
        definition.horizon,
        lookback=resolved.lookback,
        season=resolved.seasons or 1,
        levels=definition.levels,
        validation=resolved.validation,
        step=prepared.step,
    )


def _windows(definition: PipelineDefinition, panel: Panel, step: int) -> tuple[int, str]:
    given = definition.backtest.windows
    if given != "auto":
        return given, f"{given} forecast origins (as told)"
    if _every_symbol(definition, step):
        count = held_out(panel)
        return count, f"{count:,} forecast origins: every symbol of the last tenth of the text (50,000 at most)"
    count = automatic_windows(panel, definition.horizon, step, TEST_SHARE)
    return count, f"{count} forecast origins, the last quarter of the data (28 at most)"


def _every_symbol(definition: PipelineDefinition, step: int) -> bool:
    """Whether all symbols of the held-out parts are forecast, each from those before it."""
    return isinstance(definition.data, TextData) and definition.horizon == step == 1


def _transform(definition: PipelineDefinition) -> str:
    if definition.symbolic:
        return "none"
    if definition.transform != "auto":
        return definition.transform
    prices = isinstance(definition.data, TickerData) and definition.data.target != "Volume"
    return "log_return" if prices else "auto"


def directional(definition: PipelineDefinition, transform: str) -> bool:
    """Whether `direction` is among the metrics; where those were left open, for tickers and forecasts of changes."""
    default = PipelineDefinition.model_fields["metrics"].default
    by_default = {*definition.metrics, "wql"} == {*default}  # files of before told the default without it
    changes = transform in ("difference", "log_return") or isinstance(definition.data, TickerData)
    return "direction" in definition.metrics or (by_default and changes)
