"""What a run found: the leaderboard, the verdict, what was published."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.evaluation.lagged import Likeness
from forecaster.words import plural

__all__ = ["Gate", "RunResult", "judge"]


@dataclass(frozen=True)
class Gate:
    """Whether the chosen network may be published, and why.

    Attributes:
        model: The network that was chosen on the validation part.
        passed: Whether it is better than every naive forecast on the test part.
        significant: Whether that is more than luck.
        p: The p-value, Holm-corrected over the run's models.
        best_naive: The best of the naive forecasts on the test part.
        verdict: All of this in plain sentences.
    """

    model: str
    passed: bool
    significant: bool
    p: float
    best_naive: str
    verdict: str


@dataclass(frozen=True)
class RunResult:
    """The end of a run.

    Attributes:
        name: The pipeline's.
        facts: What was read.
        inferred: What was not said, and where it came from.
        leaderboard: See `evaluation.leaderboard`; besides, `validation` and `published`.
        gate: Whether the chosen network passed.
        forecasts: The backtest.
        version: Number under which the network was published; None if it was not.
        served: Folder of its SavedModel.
        report: The HTML report, if one was written.
        seconds: That the run took.
        clipping: For each network whose gradient was clipped, how often.
        lagged: The models whose forecasts are lagged copies of the series.
        apart: Scores of series that networks knew little of; see `evaluation.apart`.
        counted: Of how many series each metric is the mean; see `evaluation.metrics.counted`.
    """

    name: str
    facts: Mapping[str, Any]
    inferred: Mapping[str, str]
    leaderboard: pd.DataFrame
    gate: Gate
    forecasts: pd.DataFrame
    version: int | None
    served: Path | None
    report: Path | None
    seconds: float
    clipping: Mapping[str, str] = field(default_factory=dict)
    lagged: Mapping[str, Likeness] = field(default_factory=dict)
    apart: pd.DataFrame = field(default_factory=pd.DataFrame)
    counted: Mapping[str, int] = field(default_factory=dict)

    @property
    def warnings(self) -> dict[str, str]:
        """What should be known of a model before its scores are believed."""
        return {model: likeness.words for model, likeness in self.lagged.items()}

    def to_json(self) -> str:
        """The same for programs: one JSON object without the forecasts; what is not finite is null."""
        return json.dumps(
            {
                "name": self.name,
                "facts": dict(self.facts),
                "inferred": dict(self.inferred),
                "leaderboard": records(self.leaderboard),
                "gate": clean(vars(self.gate)),
                "published": {"version": self.version, "path": str(self.served)} if self.version else None,
                "report": str(self.report) if self.report else None,
                "seconds": round(self.seconds, 3),
                "clipping": dict(self.clipping),
                "lagged": {model: clean(vars(likeness)) for model, likeness in self.lagged.items()},
                "apart": records(self.apart),
                "counted": dict(self.counted),
            },
            indent=2,
        )


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table for JSON; what is not finite is None."""
    return [clean(row) for row in table.to_dict("records")]


def clean(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One row for JSON."""
    infinite = {key for key, value in row.items() if isinstance(value, float) and not math.isfinite(value)}
    return {str(key): None if key in infinite else value for key, value in row.items()}


def judge(table: pd.DataFrame, chosen: str, metric: str, significance: float, windows: int, season: int) -> Gate:
    """Holds the chosen network against the naive forecasts and says so in words.

    Args:
        table: The leaderboard of the test part.
        chosen: The network that was best on the validation part.
        metric: By which it is judged.
        significance: Level of the test.
        windows: Number of forecast origins.
        season: Of MASE.
    """
    rows = table.set_index("model")
    scores = {str(model): float(value) for model, value in rows[metric].items()}
    naive = rows.loc[rows["kind"] == "naive", metric].sort_values(kind="stable")
    own, best = scores[chosen], float(naive.iloc[0])
    p = dict(zip(table["model"], table["p"].astype(float), strict=True))[chosen]
    passed, significant = own < best, bool(own < best and p < significance)
    name = metric.replace("_", " ") if "_" in metric else metric.upper()
    if all(map(math.isnan, scores.values())):
        said = [_unjudged(chosen, name, season)]
    else:
        sureness = f"{'significant' if significant else 'NOT significant'} (p = {p:.2g}, {windows} forecast origins)"
        standing = _standing(name, own, str(naive.index[0]), best, sureness)
        said = [f"{chosen} was chosen on the validation part.", standing, *_others(rows, scores, chosen)]
    return Gate(chosen, passed, significant, p, str(naive.index[0]), " ".join(said))


def _unjudged(chosen: str, name: str, season: int) -> str:
    """The verdict where no model has a score."""
    said = f"{name} cannot be computed, so no model of this run is judged by it, and {chosen} does not pass."
    if name != "MASE":
        return said
    remedy = "`metric_season: 1`, or " if season > 1 else ""
    return (
        f"{said} In the fitting part no values of a series that are {plural(season, 'step')} apart differ: write "
        f"{remedy}`promote: {{metric: smape}}`."
    )


def _standing(name: str, own: float, naive: str, best: float, sureness: str) -> str:
    """How the chosen network stands beside the best naive forecast."""
    if math.isnan(own):
        return f"On the test part it left out forecasts, so it has no {name} and does not pass."
    if not own < best:
        against = f"the best naive forecast ({naive}, {best:.3f})"
        return f"On the test part its {name} is {own:.3f} and does not beat {against}."
    gain = 1 - own / best
    below = f"{gain:.0%}" if gain >= 0.01 else f"{gain:.1%}"
    return (
        f"On the test part its {name} is {own:.3f}, {below} below the best naive forecast's ({naive}, {best:.3f}); "
        f"the difference is {sureness}."
    )


def _others(rows: pd.DataFrame, scores: Mapping[str, float], chosen: str) -> list[str]:
    """Whether anything at all is significantly better than the naive forecasts, and how the rivals stand."""
    said = []
    if not rows["significant"].any():
        said.append("No model of this run beats the naive forecasts significantly.")
    for rival in rows.index[rows["kind"] == "rival"]:
        size = "cheap" if rival == "ridge" else "classical"
        if math.isnan(scores[rival]):
            said.append(f"The {size} rival {rival} left out forecasts and is not compared.")
            continue
        word = "is beaten too" if scores[chosen] < scores[rival] else "is NOT beaten"
        said.append(f"The {size} rival {rival} ({scores[rival]:.3f}) {word}.")
    return said
