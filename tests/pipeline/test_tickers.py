"""A ticker pipeline from end to end: yfinance's real code against a local server, the shipped pipeline's definition.

Only the `data` block of pipelines/stock_prices.yaml is swapped (and the models are made small). The server hands out
the prices of data/stock_prices.csv.
"""

import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from forecaster.cli import main
from forecaster.config import PipelineDefinition, Project, read_pipeline
from forecaster.errors import Interrupted
from forecaster.pipeline import run
from forecaster.pipeline.preparation import directional
from forecaster.series import ticker
from forecaster.store import Store
from tests.pipeline.conftest import SMALL
from tests.series.yahoo import Yahoo, serving

ROOT = Path(__file__).parents[2]
SYMBOLS = ["AAPL", "MSFT"]
META = {"exchangeName": "NMS", "fullExchangeName": "NasdaqGS"}


def serve(yahoo: Yahoo, until: str) -> None:
    prices = pd.read_csv(ROOT / "data" / "stock_prices.csv").query("'2008-06-01' <= Date <= @until")
    for symbol in SYMBOLS:
        own = prices[prices["Ticker"] == symbol]
        yahoo.add(symbol, [f"{day} 09:30" for day in own["Date"]], list(own["Close"]), meta=META, spread=0.01)


def write_pipeline(folder: Path) -> Path:
    """The shipped pipeline on tickers."""
    (folder / "models").mkdir(exist_ok=True)
    definition = yaml.safe_load((ROOT / "pipelines" / "stock_prices.yaml").read_text(encoding="utf-8"))
    del definition["transform"]  # log_return is the default for tickers
    definition["data"] = {"source": "ticker", "symbols": SYMBOLS, "start": "2008-06-01"}
    definition["models"] = [{"extends": "gru", **SMALL, "steps": 10}]
    definition["baselines"] = ["naive", "drift"]
    file = folder / "stock_prices.yaml"
    file.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return file


def forecaster(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """Standard output and error of a command that must end well."""
    sys.argv = ["forecaster", *arguments]
    with pytest.raises(SystemExit) as ended:
        main()
    out, messages = capsys.readouterr()
    assert not ended.value.code, messages
    return out, messages


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """The server; the working directory is a project with the pipeline in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", [])
    write_pipeline(tmp_path)
    once = functools.partial(ticker.load, patience=ticker.Patience(attempts=1, sleep=pytest.fail))
    monkeypatch.setattr(ticker, "load", once)
    with serving(tmp_path / "cache") as server:
        serve(server, "2010-02-26")
        yield server


def test_run_publishes_and_predict_fetches_newer_prices(
    yahoo: Yahoo, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, _ = forecaster(capsys, "run", "stock_prices.yaml", "--force")
    for fragment in ("XNYS (by Yahoo's exchange NMS)", "gaps           none", "log_return (by the source)", "right"):
        assert fragment in out, out
    assert "Wilson's 95% intervals, each forecast origin counted once: gru " in " ".join(out.split())
    assert "…" not in out.replace("SHA-256", "").split("Test part")[1], "the leaderboard must fit into 80 columns"

    manifest = Store(tmp_path / "models/store").manifest("stock_prices")
    [file] = (tmp_path / "data/snapshots").glob("*.csv")
    assert file.name in manifest.data["snapshot"] and "fallback" not in manifest.data
    assert manifest.definition["data"]["offline"] is False
    row = manifest.scores["test"][0]
    assert row["direction-lo"] <= row["direction"] <= row["direction-hi"]
    page = (tmp_path / "models/reports/stock_prices.html").read_text(encoding="utf-8")
    assert "Direction" in page and "the sign of the change from the cutoff" in page

    serve(yahoo, "2010-03-01")
    rows = pd.read_csv(pd.io.common.StringIO(forecaster(capsys, "predict", "stock_prices")[0]))
    assert set(rows["cutoff"]) == {"2010-03-01"}
    assert list(rows["ds"][:3]) == ["2010-03-02", "2010-03-03", "2010-03-04"]
    asked = len(yahoo.asked)
    told, messages = forecaster(capsys, "predict", "stock_prices", "--offline")
    assert told == rows.to_csv(index=False) and len(yahoo.asked) == asked
    assert "offline was asked for" in " ".join(messages.split())


def test_where_yahoo_fails_the_last_snapshot_is_used_loudly(
    yahoo: Yahoo, capsys: pytest.CaptureFixture[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    definition, project = read_pipeline(tmp_path / "stock_prices.yaml"), Project(tmp_path)
    forecaster(capsys, "fetch", *SYMBOLS, "--start", "2008-06-01")  # the same request as the pipeline's
    for symbol in SYMBOLS:
        yahoo.trouble(symbol, status=429, body=b"Too Many Requests")
    result = run(definition, project, base=tmp_path, force=True, report=tmp_path / "report.html")

    assert "HTTP 429" in result.facts["fallback"] and result.facts["fallback"].startswith("NO NEW PRICES")
    assert Store(project.store).manifest("stock_prices").data["fallback"] == result.facts["fallback"]
    assert "NO NEW PRICES" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads(result.to_json())["facts"]["fallback"] == result.facts["fallback"]
    assert list(result.leaderboard.set_index("model").loc[["naive"], "direction"]) == [0.5]


def test_offline_is_asked_for_and_not_kept_in_the_definition(
    yahoo: Yahoo, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    forecaster(capsys, "fetch", *SYMBOLS, "--start", "2008-06-01")
    asked = len(yahoo.asked)
    out, _ = forecaster(capsys, "backtest", "stock_prices.yaml", "--offline", "--json")
    told = json.loads(out)
    assert "offline was asked for" in told["facts"]["fallback"] and len(yahoo.asked) == asked
    row = told["leaderboard"][0]
    assert {"direction", "direction-lo", "direction-hi"} <= set(row)


def test_an_interrupted_run_goes_on_with_the_prices_that_it_had(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """New ones would be other data than those of its checkpoint."""

    def stopped(*told: object, **more: object) -> None:
        raise Interrupted("stopped")

    monkeypatch.setattr("forecaster.cli.running.run_job", stopped)
    for options, again in (([], ""), (["--force"], "--force ")):
        monkeypatch.setattr(sys, "argv", ["forecaster", "run", str(write_pipeline(tmp_path)), *options])
        with pytest.raises(SystemExit):
            main()
        told = " ".join(capsys.readouterr().err.split())
        assert f"stock_prices.yaml {again}--offline --resume" in told


def test_direction_is_judged_where_it_is_asked_for_or_changes_are_forecast() -> None:
    """Of the metrics that are shown; it is none to be chosen or promoted by."""
    files = {"data": {"path": "a.csv"}, "horizon": 1}
    tickers = {"data": {"source": "ticker", "symbols": ["AAPL"]}, "horizon": 1}
    for told, transform, wanted in (
        (files, "none", False),
        (files, "log", False),
        (files, "difference", True),
        (files, "log_return", True),
        (tickers, "none", True),
        ({**files, "metrics": ["mase", "direction"]}, "none", True),
        ({**tickers, "metrics": ["mase"]}, "log_return", False),
    ):
        definition = PipelineDefinition.model_validate(told)
        assert directional(definition, transform) is wanted
        assert directional(PipelineDefinition.model_validate(definition.model_dump()), transform) is wanted
    with pytest.raises(ValidationError, match="metric"):
        PipelineDefinition.model_validate({**files, "metrics": ["direction"]})
