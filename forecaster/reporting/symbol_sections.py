"""The sections of the report that differ where the values are symbols: forecasts, reliability and data."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecaster.reporting.cast import Player, cast, default_pair
from forecaster.reporting.content import ReportContent
from forecaster.reporting.encoding import Json
from forecaster.reporting.legible import legible
from forecaster.reporting.markup import figure, looks_list, scroll_box, share_of, text
from forecaster.reporting.plot_sections import parts_key
from forecaster.reporting.plots import MAX_SERIES, part_shapes
from forecaster.reporting.section import Section
from forecaster.reporting.symbol_plots import (
    MOST_COLOURS,
    bars,
    confusion,
    frequencies,
    reliability,
    shown_forecasts,
    strip,
)
from forecaster.reporting.thinning import evenly

__all__ = ["symbol_data_section", "symbol_forecast_sections"]

_NO_FORECASTS = "<p>This run made no backtest forecasts that could be drawn.</p>"
MOST_MODELS = 4
MOST_DRAWN_SERIES = 4


def symbol_forecast_sections(content: ReportContent) -> list[Section]:
    """Probabilities as bars over time, and what comes of what is said to be likely."""
    if content.forecasts.empty or not cast(content):
        return [Section("forecasts", "Forecasts", "Probabilities over time", _NO_FORECASTS)]
    made_up = [_samples_section(content)] if content.samples else []
    return [_bars_section(content), _reliability_section(content), *made_up]


def _drawn(content: ReportContent) -> list[Player]:
    """The model that is shown first, the other networks, and the best baseline; `MOST_MODELS` at most."""
    players, first = cast(content), default_pair(content)[0]
    networks = sorted((one for one in players if one.kind == "network"), key=lambda one: one.name != first)
    naive = [one for one in players if one.kind == "naive"]
    return [*networks[: MOST_MODELS - 1], *naive[:1]] or players[:MOST_MODELS]


def _bars_section(content: ReportContent) -> Section:
    ids = list(pd.unique(content.forecasts["unique_id"]))
    shown = evenly(ids, MOST_DRAWN_SERIES)
    own = list(content.symbols) if len(content.symbols) <= MOST_COLOURS else []
    meaning = (
        "each symbol has its colour, the ring is in what came" if own else
        "blue is what it gave to what came, orange to the likeliest others"
    )  # fmt: skip
    whence = "the cutoff line before it" if _steps(content) > 1 else "the step before it"
    note = (
        f"<p>A bar is what a model said from {whence}: {meaning}. A bar that is whole at what came was sure and right. "
        f"Drawn are the last forecasts of the test part, of {share_of(len(shown), len(ids), 'series')}; a model has "
        "seen nothing after its cutoff.</p>"
    )
    figures: dict[str, Json] = {}
    drawn = ""
    for series, unique_id in enumerate(shown):
        rows = shown_forecasts(content, unique_id)
        for place, player in enumerate(_drawn(content)):
            key = f"bars-{series}-{place}"
            figures[key] = bars(rows, player.name, own)
            which = f" {text(unique_id)}," if len(ids) > 1 else ""
            caption = f"<strong>{text(player.name)}</strong> <span>{which} {_words(rows, player.name)}</span>"
            description = (
                f"Probabilities that {player.name} gave, as stacked bars over time. {_words(rows, player.name)}"
            )
            drawn += figure(key, description, caption, "wide")
    return Section("forecasts", "Forecasts", "Probabilities over time", note + _legend(own) + drawn, figures)


def _legend(own: Sequence[str]) -> str:
    if not own:
        return looks_list({"came": "what came", "else": "the likeliest others", "others": "all else"})
    looks = {f"symbol-{place}": legible(name) for place, name in enumerate(own)}
    return looks_list({**looks, "others": "all else", "ring outcome": "what came"})


def _steps(content: ReportContent) -> int:
    return int(content.forecasts.groupby(["unique_id", "cutoff"], observed=True).size().max())


def _words(rows: pd.DataFrame, model: str) -> str:
    seen = rows[rows["y"].notna()]
    if seen.empty:
        return "nothing of what came is known"
    hits = int((seen[model] == seen["y"]).sum())
    return f"names {hits} of these {len(seen)}, and gives what came {seen[f'{model}-y-p'].mean():.2f} in the mean"


def _reliability_section(content: ReportContent) -> Section:
    players = _drawn(content)
    note = (
        "<p>Of the symbols that were said to be likely with about the same probability, so many came; on the dotted "
        "line, what is said can be relied on. Bins with fewer than five forecasts are left out.</p>"
    )
    body = note + figure("reliability", "Share that came by probability that was said", "", "large", legend=True)
    first = default_pair(content)[0]
    if first and len(content.symbols) <= MOST_COLOURS:
        body += f"<h3>What {text(first)} held to be the likeliest, and what came</h3>{_confusion(content, first)}"
    return Section("reliability", "Reliability", "Can the probabilities be relied on?", body,
                   {"reliability": reliability(content, players)})  # fmt: skip


def _confusion(content: ReportContent, model: str) -> str:
    table = confusion(content.forecasts, model, content.symbols)
    table = table.loc[table.sum(axis=1) > 0]
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{text(came)} came</th>'
        + "".join(_count(int(count), came == said) for said, count in counts.items())
        + "</tr>"
        for came, counts in table.iterrows()
    )
    return scroll_box(
        "Forecast and outcome",
        '<table><caption class="hidden">How often each symbol came, by the one that was held to be the likeliest'
        f'</caption><thead><tr><th scope="col"></th>{head}</tr></thead><tbody>{rows}</tbody></table>',
    )


def _count(count: int, right: bool) -> str:
    shown = f"{count:,}" if count else "\N{MIDDLE DOT}"
    return f"<td><strong>{shown}</strong></td>" if right and count else f"<td>{shown}</td>"


def _samples_section(content: ReportContent) -> Section:
    note = (
        "<p>What each network makes up behind the end of the data, drawn symbol by symbol from its own probabilities. "
        f"<code>forecaster predict {text(content.title)} --samples 3 --temperature 0.7</code> draws others from the "
        "published one.</p>"
    )
    drawn = "".join(
        f"<h3>{text(name)}</h3>" + scroll_box(f"Made up by {name}", f'<pre class="wrapped">{text(sample)}</pre>')
        for name, sample in content.samples.items()
    )
    return Section("samples", "Made up", "What the networks make up", note + drawn)


def symbol_data_section(content: ReportContent) -> Section:
    """How frequent the symbols are, and of few symbols when they came."""
    share = figure("frequencies", "Share of each symbol", "<strong>How frequent the symbols are</strong>", "small")
    counts = content.history["y"].value_counts()
    figures: dict[str, Json] = {
        "frequencies": frequencies(counts.set_axis([content.symbols[int(place)] for place in counts.index]))
    }
    if len(content.symbols) > MOST_COLOURS:
        words = f"<p>{len(content.symbols):,} symbols; the most frequent are drawn.</p>"
        return Section("data", "Data", "The data", words + f'<div class="grid">{share}</div>', figures)
    names = list(pd.unique(content.history["unique_id"]))
    shown = evenly(names, MAX_SERIES)
    drawn = ""
    for place, unique_id in enumerate(shown):
        rows = content.history[content.history["unique_id"] == unique_id].sort_values("ds")
        parts = content.series_parts.get(str(unique_id), content.parts)
        key, missing = f"data-{place}", int(rows["y"].isna().sum())
        figures[key] = strip(rows, content.symbols, part_shapes(parts, pd.Index(rows["ds"]), rows["y"].to_numpy(float)))
        words = f"{len(rows):,} steps, {f'{missing:,} missing' if missing else 'none missing'}"
        caption = f"<strong>{text(unique_id)}</strong> <span>{words}</span>"
        drawn += figure(key, f"When each symbol came in {unique_id}: {words}", caption, "wide")
    return Section("data", "Data", "The data", parts_key(content) + drawn + share, figures)
