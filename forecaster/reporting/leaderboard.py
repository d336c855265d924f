"""The leaderboard as an HTML table: every model beside the naive forecasts, and what that comparison says."""

import math
from collections.abc import Hashable, Mapping

import pandas as pd

from forecaster.reporting.content import ReportContent
from forecaster.reporting.markup import anchor, scroll_box, text
from forecaster.scores import HIGHER_IS_BETTER, LABELS, LOWER_IS_BETTER, share_of_size, standing

__all__ = ["apart_table", "leaderboard_table", "shown"]

ORDER = ("skill", *LOWER_IS_BETTER, *HIGHER_IS_BETTER, "coverage", "direction", "p", "validation", "seconds")
IN_FIRST_COLUMN = ("model", "kind", "significant", "published")
NOT_MODELS = ("kind", "series", "forecasts", "metric")
NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
FULL_BAR = 0.5
"""The skill, up or down, whose bar fills its half of the cell."""


def shown(column: str, value: object) -> str:
    """A value of the leaderboard as text.

    Example:
        >>> shown("skill", 0.1234), shown("coverage-80", 0.8125), shown("mase", 0.81234), shown("p", 0.00001)
        ('+12.3 %', '81.2 %', '0.8123', '< 0.001')
        >>> shown("seconds", 95.0), shown("rmse", 12345.6), shown("p", float("nan")), shown("wql", 0.0123)
        ('1 min 35 s', '12,346', '–', '1.23 %')
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return NOTHING if value is None or value is pd.NA else str(value)
    if math.isnan(value):
        return NOTHING
    if column == "skill":
        return f"{100 * value:+.1f} %".replace("-", MINUS) if value else "0 %"
    if column.startswith(("coverage", "direction", *HIGHER_IS_BETTER)):
        return f"{100 * value:.1f} %"
    if column == "wql":
        return share_of_size(value)
    if column == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return _duration(value) if column == "seconds" else _four_digits(value)


def _duration(seconds: float) -> str:
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _four_digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(3 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{min(decimals, 6)}f}"


def leaderboard_table(content: ReportContent) -> str:
    """The table, best model first, in its own scroll box."""
    board = content.board
    columns = _columns(board)
    headings = [_heading(column, content.metric_definitions) for column in columns]
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    best = {column: board[column].min() for column in columns if column in LOWER_IS_BETTER}
    best |= {column: board[column].max() for column in columns if column in HIGHER_IS_BETTER}
    rows = "".join(_row(row, columns, best) for row in board.to_dict("records"))
    return scroll_box(
        "Leaderboard",
        '<table class="board"><caption class="hidden">Scores of every model, best first</caption>'
        f'<thead><tr><th scope="col">Model</th>{head}</tr></thead><tbody>{rows}</tbody></table>',
    )


def apart_table(content: ReportContent) -> str:
    """Scores of series that networks knew little of; nothing where they knew all of them."""
    apart = content.apart
    if not len(apart):
        return ""
    metric, models = str(apart["metric"].iloc[0]), [str(name) for name in apart.columns if name not in NOT_MODELS]
    heads = ["Series", "Number", "Forecasts", *models]
    head = "".join(f'<th scope="col">{text(one)}</th>' for one in heads)
    rows = ""
    for row in apart.to_dict("records"):
        cells = [f"{row['series']:,}", f"{row['forecasts']:,}", *(shown(metric, row[name]) for name in models)]
        rows += f'<tr><th scope="row">{text(row["kind"])}</th>{"".join(f"<td>{text(one)}</td>" for one in cells)}</tr>'
    title = f"{LABELS.get(metric, metric)} of series by what networks knew of them"
    return f"<h3>{text(title)}</h3>" + scroll_box(
        title,
        f'<table class="board"><caption class="hidden">{text(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>",
    )


def _columns(board: pd.DataFrame) -> list[str]:
    """The columns to show: known ones in a fixed order, then the others as they came."""

    def place(column: str) -> int:
        family = column.split("-", maxsplit=1)[0]
        return ORDER.index(family) if family in ORDER else ORDER.index("p")

    return sorted((str(column) for column in board if column not in IN_FIRST_COLUMN), key=place)


def _heading(column: str, definitions: Mapping[str, str]) -> str:
    """The column's name, linked to its definition if there is one."""
    family, _, level = column.partition("-")
    label = f"Inside {level} %" if family == "coverage" and level else LABELS.get(column, column)
    known = {key.lower(): key for key in definitions}
    key = known.get(column.lower()) or known.get(family.lower())
    return f'<a href="#{anchor("metric", key)}">{text(label)}</a>' if key else text(label)


def _row(row: Mapping[Hashable, object], columns: list[str], best: Mapping[str, float]) -> str:
    words, look = standing(row)
    marks = f'<span class="chip">{text(row["kind"])}</span>'
    if bool(row.get("published")):
        marks += '<span class="chip published">published</span>'
    if words:
        marks += f'<span class="standing {look}">{words}</span>'
    name = f'<th scope="row"><span class="name">{text(row["model"])}</span>{marks}</th>'
    cells = [_cell(column, row[column], column in best and row[column] == best[column]) for column in columns]
    return f'<tr class="{text(row["kind"])}">{name}{"".join(cells)}</tr>'


def _cell(column: str, value: object, best: bool) -> str:
    words = text(shown(column, value))
    if column == "skill" and isinstance(value, float) and not math.isnan(value):
        side = "up" if value > 0 else "down"
        width = 50 * min(abs(value) / FULL_BAR, 1)
        return f'<td>{words}<span class="bar"><i class="{side}" style="width:{width:.1f}%"></i></span></td>'
    return f"<td><strong>{words}</strong></td>" if best else f"<td>{words}</td>"
