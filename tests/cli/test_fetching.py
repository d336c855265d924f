"""`forecaster fetch`, in this process, against a local server that speaks Yahoo's chart protocol."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from forecaster.cli import main
from forecaster.series.ticker import load, read_snapshot
from tests.series.yahoo import Yahoo, serving, session_until

DAYS = ["2024-01-02 09:30", "2024-01-03 09:30", "2024-01-04 09:30"]


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """The server; the working directory is an empty project."""
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    with serving(tmp_path / "cache") as server:
        server.add("AAPL", DAYS, [100.0, None, 120.5], meta={"exchangeName": "NMS", "fullExchangeName": "NasdaqGS"})
        server.add("BP.L", DAYS, [400.0, 401.0, 402.0], zone="Europe/London", meta={"exchangeName": "LSE"})
        yield server


def forecaster(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["forecaster", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_fetch_shows_each_symbol_and_keeps_a_snapshot_that_pipelines_find(
    yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("forecaster.cli.fetching.console.width", 120)
    assert forecaster(monkeypatch, "fetch", "aapl", "BP.L", "--start", "2024-01-01") == 0
    head, apple, bp, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == ["symbol", "rows", "first", "last", "last", "close", "exchange", "calendar"]
    assert apple.split() == [
        "AAPL",
        "3",
        "(1",
        "missing)",
        "2024-01-02",
        "2024-01-04",
        "120.5",
        "USD",
        "NasdaqGS",
        "XNYS",
    ]
    assert bp.split()[-3:] == ["USD", "LSE", "XLON"]
    assert "adjusted for splits and dividends" in " ".join(rest)
    frame, info = load(["AAPL", "BP.L"], "2024-01-01", folder=tmp_path / "data" / "snapshots", offline=True)
    assert len(frame) == info.rows == 6


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_fetch_writes_the_file_that_was_named(
    yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / "new" / f"prices{suffix}"
    assert forecaster(monkeypatch, "fetch", "BP.L", "--unadjusted", "--out", str(out), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    frame, info = read_snapshot(out)
    assert told["file"] == str(out) and told["sha256"] == info.sha256 and told["adjusted"] is info.adjusted is False
    assert [row["symbol"] for row in told["symbols"]] == ["BP.L"]
    assert (told["symbols"][0]["close"], told["symbols"][0]["last"]) == (402.0, "2024-01-04")
    assert list(frame["ds"]) == list(pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"]))


def test_fetch_tells_that_a_running_session_was_left_out(
    yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stamp, meta = session_until(30)
    yahoo.add("AAPL", [*DAYS, stamp], [1.0, 2.0, 3.0, 4.0], meta=meta)
    assert forecaster(monkeypatch, "fetch", "AAPL", "--start", "2024-01-01") == 0
    assert f"AAPL: {stamp.split()[0]} was not over yet, so its last price is no close" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["AAPL", "NOPE"], "1 of 2 symbols could not be downloaded: NOPE: Yahoo does not know it"),
        (["AAPL", "--interval", "7d"], "interval '7d' is not offered"),
        (["AAPL", "--start", "yesterday"], "start 'yesterday' is no date"),
        (["AAPL", "--out", "prices.xlsx"], "unknown suffix .xlsx"),
    ],
)
def test_what_fails_is_named_nothing_is_written_and_the_exit_code_is_2(
    yahoo: Yahoo,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    fragment: str,
) -> None:
    assert forecaster(monkeypatch, "fetch", *arguments) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert fragment in told and "Traceback" not in told
    assert not (tmp_path / "data").exists()
