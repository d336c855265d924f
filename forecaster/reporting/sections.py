"""All sections of the report, and those that consist of text and tables."""

from forecaster.reporting.content import ReportContent
from forecaster.reporting.inspection import inside_sections
from forecaster.reporting.leaderboard import apart_table, leaderboard_table, shown
from forecaster.reporting.markup import key_list, scroll_box, text
from forecaster.reporting.plot_sections import data_section, error_section, forecast_section, training_section
from forecaster.reporting.section import Section
from forecaster.reporting.symbol_sections import symbol_data_section, symbol_forecast_sections
from forecaster.scores import LABELS, standing

__all__ = ["sections"]

_LEADERBOARD_NOTE = """<p>Measured on the test windows, best model first. Naive forecasts are shaded; the
best of a column is underlined. Names of columns lead to their definitions.</p>"""


def sections(content: ReportContent) -> list[Section]:
    """All sections, in the order in which a reader asks for them."""
    board = _LEADERBOARD_NOTE + leaderboard_table(content) + apart_table(content)
    metrics = key_list(content.metric_definitions, "metric")
    return [
        Section("verdict", "Verdict", "Verdict", _verdict(content)),
        Section("leaderboard", "Leaderboard", "Leaderboard", board),
        *(
            symbol_forecast_sections(content)
            if content.symbols
            else [forecast_section(content), error_section(content)]
        ),
        training_section(content),
        *inside_sections(content.inspections),
        symbol_data_section(content) if content.symbols else data_section(content),
        Section("facts", "Facts", "What was read and inferred", _facts(content)),
        Section("metrics", "Metrics", "How the metrics are defined", metrics),
        Section("definition", "Definition", "The definition that ran", _definition(content)),
    ]


def _verdict(content: ReportContent) -> str:
    published = "<p>Nothing was published by this run.</p>"
    look = "unsure"
    if content.published is not None:
        published = key_list(content.published)
        rows = content.board.to_dict("records")
        look = next((standing(row)[1] for row in rows if bool(row.get("published"))), "") or look
    verdict = f'<p class="verdict {look}">{text(content.verdict)}</p>'
    warnings = "".join(
        f'<p class="verdict bad">{text(f"{model}: {words}.")}</p>' for model, words in content.warnings.items()
    )
    return f"{verdict}{warnings}{_tiles(content)}<h3>Published</h3>{published}"


def _tiles(content: ReportContent) -> str:
    """The best network and the best naive forecast side by side."""
    board = content.board
    metric = next((m for m in ("log_loss", "mase", "owa", "smape", "rmse", "mae") if m in board), None)
    tiles = ""
    for kind, label in (("network", "Best network"), ("naive", "Best naive forecast")):
        for row in board[board["kind"] == kind].head(1).to_dict("records"):
            words = [f"{LABELS[metric]} {shown(metric, row[metric])}"] if metric else []
            if against := standing(row)[0]:
                words += [f"skill {shown('skill', row['skill'])}", against]
            score = text(" · ".join(words))
            tiles += f'<div class="tile"><p>{label}</p><p class="big">{text(row["model"])}</p><p>{score}</p></div>'
    return f'<div class="tiles">{tiles}</div>'


def _facts(content: ReportContent) -> str:
    nothing = "<p>Nothing: everything was stated.</p>"
    inferred = key_list(content.inferred) if content.inferred else nothing
    read = f"<h3>What was read</h3>{key_list(content.facts)}"
    return f"{read}<h3>What was inferred, and from what</h3>{inferred}"


def _definition(content: ReportContent) -> str:
    source = scroll_box("Definition of the pipeline", f"<pre><code>{text(content.definition)}</code></pre>")
    return f"{source}<h3>Versions</h3>{key_list(content.versions)}"
