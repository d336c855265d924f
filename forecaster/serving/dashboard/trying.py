"""The box for a file of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from forecaster.serving.dashboard.markup import text
from forecaster.store import Manifest

__all__ = ["trying"]

_RESULT = """<p class="status" id="try-status" role="status"></p>
<div id="try-result" hidden><p class="choice" hidden><label for="try-series">Series</label>
<select id="try-series"></select></p><div class="chart" id="try-chart"></div>
<p><a id="try-download" download="forecast.csv">Download as CSV</a></p>
<details><summary>As a table</summary><div class="as-table"></div></details></div>"""


def trying(name: str, manifest: Manifest, local: bool) -> str:
    """A form that sends a CSV file to `/api/forecast` and shows what comes back.

    Args:
        name: The model.
        manifest: Its champion's.
        local: Whether no token is needed.
    """
    if _is_text(manifest):
        return _text_form(name, manifest, local)
    columns = ", ".join(f"<code>{text(column)}</code>" for column in _columns(manifest))
    words = f"a CSV file with a header and the columns of the training data ({columns})" if columns else "a CSV file"
    address = text(quote(name, safe=""))
    return f"""<form id="try-form" data-target="/api/forecast/{address}"
data-plot="/api/outlook/{address}">
<p>Drop {words}, at least {manifest.lookback} recent rows for the best forecast.
It is forecast by the champion, and not kept.</p>
<div class="drop" id="drop"><label for="file">CSV file</label>
<input id="file" type="file" accept=".csv,text/csv" required> <span class="soft">or drop it here</span></div>
{_token(local)}<p><button type="submit">Forecast</button></p>
</form>
{_RESULT}"""


def _text_form(name: str, manifest: Manifest, local: bool) -> str:
    """The same for a text to go on from."""
    unit = str(manifest.definition["data"].get("unit", "character"))
    return f"""<form id="try-form" data-target="{text(f"/api/forecast/{quote(name, safe='')}")}">
<p><label for="text">A text; the champion says which {unit} comes next. It reads the last {manifest.lookback:,}
{unit}s.</label></p>
<p><textarea id="text" required></textarea></p>
{_token(local)}<p><button type="submit">What comes next?</button></p>
</form>
{_RESULT}"""


def _token(local: bool) -> str:
    if local:
        return ""
    return (
        '<p><label for="token">Token (FORECASTER_TOKEN of this server)</label> '
        '<input id="token" type="password" autocomplete="off" required></p>'
    )


def _is_text(manifest: Manifest) -> bool:
    data = manifest.definition.get("data")
    return isinstance(data, Mapping) and data.get("source") == "text"


def _columns(manifest: Manifest) -> list[str]:
    data = manifest.definition.get("data")
    if not isinstance(data, Mapping):
        return []
    told: Mapping[str, Any] = data
    if told.get("source") == "ticker":
        return ["unique_id", "ds", str(told.get("target", "y"))]
    singles = [told.get(key) for key in ("id", "time", "target")]
    lists = [column for key in ("past", "known", "static") for column in told.get(key) or ()]
    return [str(column) for column in (*singles, *lists) if column]
