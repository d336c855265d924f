"""The leaderboard of a version: every model that ran beside the naive forecasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forecaster.scores import HIGHER_IS_BETTER, LABELS, LOWER_IS_BETTER, share_of_size, standing
from forecaster.serving.dashboard.markup import Html, chip, table, text
from forecaster.serving.dashboard.words import NOTHING, duration, number, percent
from forecaster.store import Manifest

__all__ = ["board", "headline", "rows_of"]

KINDS = {"network": "network", "naive": "naive", "rival": "cheap rival"}


def rows_of(manifest: Manifest | None) -> list[Mapping[str, Any]]:
    """The leaderboard that a manifest holds, best first; none where it holds something else."""
    found = manifest.scores.get("test") if manifest else None
    if not isinstance(found, list):
        return []
    return [row for row in found if isinstance(row, Mapping) and isinstance(row.get("model"), str)]


def headline(manifest: Manifest | None) -> tuple[str, Html]:
    """A version's own score, and what its skill says of it."""
    if manifest is None:
        return NOTHING, Html(NOTHING)
    row = next((row for row in rows_of(manifest) if row["model"] == manifest.model), None)
    metric = _metric(manifest)
    if row is None:
        return NOTHING, Html(NOTHING)
    return f"{LABELS.get(metric, metric)} {number(row.get(metric))}", _against_naive(row)


def _against_naive(row: Mapping[str, Any]) -> Html:
    """The skill, and in words whether the naive forecasts are beaten."""
    words, look = standing(row)
    if not words:
        return Html(NOTHING)
    return Html(f'{text(percent(row["skill"], signed=True))}<span class="under {look}">{words}</span>')


def _metric(manifest: Manifest) -> str:
    promote = manifest.definition.get("promote")
    told = promote.get("metric") if isinstance(promote, Mapping) else None
    return told if isinstance(told, str) else "mase"


def board(manifest: Manifest) -> str:
    """The leaderboard as a table; says so where there is none."""
    rows = rows_of(manifest)
    if not rows:
        return "<p>This version's manifest holds no leaderboard.</p>"
    columns = _columns(rows)
    best = {name: _best(rows, name, min) for name in LOWER_IS_BETTER}
    best |= {name: _best(rows, name, max) for name in HIGHER_IS_BETTER}
    cells = [[_name(row, manifest.model), *(_cell(row, name, best.get(name)) for name in columns)] for row in rows]
    heads = [
        "Model",
        *(LABELS.get(name, name.replace("coverage-", "Inside ") + "\N{NO-BREAK SPACE}%") for name in columns),
    ]
    looks = [str(row.get("kind", "")) for row in rows]
    caption = f"Scores on the test part of version {manifest.version}, best first; naive forecasts are shaded"
    against = (
        "log loss / log loss of the best n-gram" if manifest.vocabulary else "error / error of the best naive forecast"
    )
    note = (
        f'<p class="soft">Skill is 1 &minus; {against}. Lower errors are better; the best of a column is underlined. '
        "p is that of being no better than the naive forecasts.</p>"
    )
    return table(caption, heads, cells, looks, "board") + note


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = list(dict.fromkeys(key for row in rows for key in row))
    coverage = sorted(key for key in found if key.startswith("coverage-"))
    first = [key for key in ("skill", *LOWER_IS_BETTER, *HIGHER_IS_BETTER) if key in found]
    return [*first, *coverage, *(key for key in ("direction", "p", "validation", "seconds") if key in found)]


def _best(rows: Sequence[Mapping[str, Any]], name: str, choose: Callable[..., float | None]) -> float | None:
    return choose((row[name] for row in rows if isinstance(row.get(name), int | float)), default=None)


def _name(row: Mapping[str, Any], published: str) -> Html:
    mark = chip("published", "good") if row["model"] == published else Html("")
    kind = KINDS.get(str(row.get("kind")), str(row.get("kind", "")))
    return Html(f'{text(row["model"])} {mark.code}<span class="under">{text(kind)}</span>')


def _cell(row: Mapping[str, Any], name: str, best: float | None) -> Html | str:
    value = row.get(name)
    if name in ("skill", "direction", *HIGHER_IS_BETTER) or name.startswith("coverage-"):
        shown = percent(value, signed=name == "skill")
        return Html(f"<strong>{text(shown)}</strong>") if best is not None and value == best else shown
    if name == "seconds":
        return duration(value) if isinstance(value, int | float) else NOTHING
    if name == "p" and isinstance(value, int | float):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    shown = share_of_size(value) if name == "wql" and isinstance(value, int | float) else number(value)
    return Html(f"<strong>{text(shown)}</strong>") if best is not None and value == best else shown
