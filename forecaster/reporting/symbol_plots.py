"""Plotly figures of forecasts of symbols: probabilities as bars over time, how far they can be relied on, and the data.

A forecast names the three likeliest symbols; the probability of what came is known besides. What is left is the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecaster.reporting.cast import Player
from forecaster.reporting.content import ReportContent
from forecaster.reporting.encoding import Json, numbers, stamps
from forecaster.reporting.legible import legible, plain
from forecaster.reporting.thinning import by_chance

__all__ = [
    "MOST_COLOURS",
    "bars",
    "confusion",
    "frequencies",
    "reliability",
    "shown_forecasts",
    "strip",
    "told_by",
]

MOST_BARS = 56
MOST_LABELLED = 32
"""Bars under which what came is written."""
MOST_OVERLAPPING = 40
"""Forecasts of one step from different cutoffs that are looked through."""
MOST_COLOURS = 8
"""Symbols up to which each has a colour of its own."""
MOST_DOTS = 4_000
MOST_FREQUENT = 24
BINS = 10
FEWEST = 5
"""Forecasts below which a bin of the reliability says nothing."""
REST = "--naive-4"
CAME, ELSE = "--network-0", "--network-1"


def shown_forecasts(content: ReportContent, unique_id: object) -> pd.DataFrame:
    """The last forecasts of a series that do not overlap, in the order of time: so many steps as can be drawn."""
    most = MOST_BARS if isinstance(pd.Index(content.forecasts["ds"]), pd.DatetimeIndex) else MOST_LABELLED
    rows = content.forecasts[content.forecasts["unique_id"] == unique_id].sort_values(["cutoff", "ds"])
    kept: list[pd.DataFrame] = []
    rows = rows.tail(MOST_OVERLAPPING * most)
    begins, steps = None, 0
    for _, made in reversed(list(rows.groupby("cutoff", sort=True))):
        if begins is not None and made["ds"].iloc[-1] >= begins:
            continue
        if kept and steps + len(made) > most:
            break
        kept.append(made.iloc[:most])
        begins, steps = made["ds"].iloc[0], steps + len(made)
    return pd.concat(kept[::-1], ignore_index=True) if kept else rows


def told_by(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """What a model said, a row a named symbol: row, symbol, p, came; what came is among them if it was observed."""
    names = [model if place == 1 else f"{model}-{place}" for place in (1, 2, 3)]
    parts = [
        pd.DataFrame({"row": np.arange(len(rows)), "symbol": rows[name].to_numpy(), "p": rows[f"{name}-p"].to_numpy()})
        for name in names
        if name in rows
    ]
    came = pd.DataFrame(
        {"row": np.arange(len(rows)), "symbol": rows["y"].to_numpy(), "p": rows[f"{model}-y-p"].to_numpy()}
    )
    told = pd.concat([*parts, came[came["symbol"].notna()]]).drop_duplicates(["row", "symbol"])
    return told.assign(came=told["symbol"].to_numpy() == rows["y"].to_numpy()[told["row"]])


def bars(rows: pd.DataFrame, model: str, colours: Sequence[str]) -> Json:
    """A bar a step, stacked of the probabilities of symbols.

    Args:
        rows: Of `shown_forecasts`.
        model: Whose forecasts.
        colours: Symbols that have colours of their own, what came being a ring; where there are none, the colours
            tell what came from what else was likely.
    """
    x, told = stamps(pd.Index(rows["ds"])), told_by(rows, model)
    if colours:
        told = told[told["symbol"].isin(colours)]
        traces = [_bar(x, told[told["symbol"] == name], name, f"--network-{n}") for n, name in enumerate(colours)]
    else:
        traces = [
            _bar(x, told[told["came"]], "what came", CAME),
            *(_bar(x, _missed(told, place), "else", ELSE, 1 - 0.3 * place) for place in range(3)),
        ]
    rest = 1 - told.groupby("row")["p"].sum().reindex(range(len(rows)), fill_value=0.0).to_numpy()
    traces.append(_trace(x, rest, "others", REST, ["others"] * len(rows), 0.45))
    if colours:
        traces.append(_rings(x, told, colours))
    return {"data": traces, "layout": _layout(rows, x)}


def _missed(told: pd.DataFrame, place: int) -> pd.DataFrame:
    """Of each row the symbol in that place among those that did not come, the likeliest first."""
    missed = told[~told["came"]].sort_values(["row", "p"], ascending=[True, False], kind="stable")
    return missed[missed.groupby("row").cumcount() == place]


def _bar(x: list[Json], told: pd.DataFrame, name: str, colour: str, alpha: float = 1.0) -> Json:
    height, words = np.full(len(x), np.nan), [""] * len(x)
    for row, symbol, p in zip(told["row"], told["symbol"], told["p"], strict=True):
        height[row], words[row] = p, plain(symbol)
    return _trace(x, height, name, colour, words, alpha)


def _trace(x: list[Json], height: np.ndarray, name: str, colour: str, words: Sequence[str], alpha: float = 1.0) -> Json:
    marker: Json = {"color": colour, "line": {"width": 0}, "opacity": alpha}
    return {
        "type": "bar", "name": legible(name), "x": x, "y": numbers(height), "marker": marker,
        "customdata": list(words), "hovertemplate": "%{customdata} %{y:.3f}<extra></extra>",
    }  # fmt: skip


def _rings(x: list[Json], told: pd.DataFrame, colours: Sequence[str]) -> Json:
    """What came, in the middle of its part of the bar."""
    order = {name: place for place, name in enumerate(colours)}
    upto = told.assign(place=told["symbol"].map(order)).sort_values(["row", "place"], kind="stable")
    middle = upto.groupby("row")["p"].cumsum() - upto["p"] / 2
    came = upto.assign(middle=middle)[upto["came"]]
    dot: Json = {"color": "--card", "size": 6, "line": {"color": "--outcome-line", "width": 1.6}}
    return {
        "type": "scatter", "mode": "markers", "name": "what came", "x": [x[row] for row in came["row"]],
        "y": numbers(came["middle"]), "marker": dot, "customdata": [plain(name) for name in came["symbol"]],
        "hovertemplate": "%{customdata} came<extra></extra>",
    }  # fmt: skip


def _layout(rows: pd.DataFrame, x: list[Json]) -> Json:
    dated = isinstance(pd.Index(rows["ds"]), pd.DatetimeIndex)
    axis: dict[str, Json] = {"type": "date" if dated else "linear"}
    came = [legible(value) if isinstance(value, str) else "" for value in rows["y"]]
    if not dated and (longest := max(map(len, came), default=0)) <= 12:
        axis |= {"tickvals": x, "ticktext": list(map(plain, came)), "tickangle": 0 if longest == 1 else -90,
                 "tickfont": {"size": 10}}  # fmt: skip
    edges: list[Json] = []
    if rows.groupby("cutoff").size().max() > 1:
        begins = rows.groupby("cutoff")["ds"].first()
        edges = [_edge(cutoff + (begin - cutoff) / 2) for cutoff, begin in begins.items()]
    height: Json = {"title": {"text": "probability"}, "range": [0, 1], "fixedrange": True}
    return {"xaxis": axis, "yaxis": height, "barmode": "stack", "bargap": 0.12, "shapes": edges, "hovermode": "closest"}


def _edge(between: Any) -> Json:
    """A line between the bars of two forecasts."""
    x = stamps([between])[0]
    place: dict[str, Json] = {"xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1}
    return {"type": "line", **place, "line": {"color": "--cutoff-line", "width": 1.2, "dash": "dot"}}


def reliability(content: ReportContent, players: Sequence[Player]) -> Json:
    """How often a symbol came of those that were forecast with about the same probability; a line a model."""
    traces: list[Json] = [
        {
            "type": "scatter", "mode": "lines", "name": "as it should be", "x": [0, 1], "y": [0, 1],
            "line": {"color": "--soft", "width": 1.2, "dash": "dot"}, "hoverinfo": "skip",
        }
    ]  # fmt: skip
    rows = content.forecasts[content.forecasts["y"].notna()].reset_index(drop=True)
    for player in players:
        told = told_by(rows, player.name)
        bins = np.minimum((told["p"] * BINS).astype(int), BINS - 1)
        table = told.groupby(bins).agg(said=("p", "mean"), came=("came", "mean"), count=("came", "size"))
        table = table[table["count"] >= FEWEST]
        traces.append(
            {
                "type": "scatter", "mode": "lines+markers", "name": player.name, "x": numbers(table["said"]),
                "y": numbers(table["came"]), "customdata": table["count"].tolist(),
                "line": {"color": player.colour, "width": player.width, "dash": player.dash},
                "hovertemplate": "said %{x:.2f}, came %{y:.2f} of %{customdata:,} times",
            }
        )  # fmt: skip
    marks: dict[str, Json] = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0", "0.25", "0.5", "0.75", "1"]}
    axis: dict[str, Json] = {"range": [-0.02, 1.02], **marks}
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "probability that was said"}, "type": "linear", **axis},
            "yaxis": {"title": {"text": "share that came"}, **axis}, "hovermode": "closest",
        },
    }  # fmt: skip


def confusion(rows: pd.DataFrame, model: str, symbols: Sequence[str]) -> pd.DataFrame:
    """How often each symbol came (a row) and which was held to be the likeliest (a column)."""
    seen = rows[rows["y"].notna()]
    table = pd.crosstab(seen["y"], seen[model])
    return table.reindex(index=list(symbols), columns=list(symbols), fill_value=0)


def frequencies(counts: pd.Series[int]) -> Json:
    """How frequent symbols are; a bar each.

    Args:
        counts: How often each occurs, by its name, the most frequent first; some of these are drawn.
    """
    drawn = counts.head(MOST_FREQUENT)
    names, times = [plain(name) for name in drawn.index], [int(count) for count in drawn]
    angle = -90 if sum(map(len, names)) > 40 else 0
    bar: Json = {
        "type": "bar", "name": "share", "x": list(names), "y": numbers(drawn / counts.sum()),
        "customdata": list(times), "marker": {"color": "--data-line", "line": {"width": 0}},
        "hovertemplate": "%{x}: %{y:.1%}, %{customdata:,} times<extra></extra>",
    }  # fmt: skip
    return {
        "data": [bar],
        "layout": {"xaxis": {"type": "category", "tickangle": angle, "tickvals": list(names)},
                   "yaxis": {"tickformat": ".0%", "rangemode": "tozero"}, "hovermode": "closest"},
    }  # fmt: skip


def strip(rows: pd.DataFrame, symbols: Sequence[str], shapes: list[Json]) -> Json:
    """One series of few symbols as dots in a row for each; a long one is thinned."""
    there = rows[rows["y"].notna()]
    kept = there.iloc[by_chance(len(there), MOST_DOTS)]
    dots: Json = {
        "type": "scatter", "mode": "markers", "name": "series", "x": stamps(pd.Index(kept["ds"])),
        "y": [int(place) for place in kept["y"]], "marker": {"color": "--data-line", "size": 4, "opacity": 0.8},
        "customdata": [plain(symbols[int(place)]) for place in kept["y"]],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    ticks: dict[str, Json] = {
        "tickvals": list(range(len(symbols))), "ticktext": [plain(name) for name in symbols],
        "range": [-0.6, len(symbols) - 0.4], "fixedrange": True,
    }  # fmt: skip
    axis: Json = {"type": "date" if isinstance(pd.Index(rows["ds"]), pd.DatetimeIndex) else "linear"}
    return {"data": [dots], "layout": {"xaxis": axis, "yaxis": ticks, "shapes": shapes, "hovermode": "closest"}}
