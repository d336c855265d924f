"""Sessions that are not over when prices are downloaded: their last price is no close."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.config import TickerData
from forecaster.series.source import SNAPSHOTS, load
from forecaster.series.ticker import DownloadError, Patience, fetch
from tests.series.yahoo import Yahoo, serving, session_until

ONCE = Patience(attempts=1, sleep=pytest.fail)
NEW_YORK = {"exchangeName": "NMS", "fullExchangeName": "NasdaqGS"}


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[Yahoo]:
    with serving(tmp_path / "cache") as server:
        yield server


@pytest.mark.parametrize(("minutes", "over"), [(60, False), (-10, False), (-40, True)])
def test_the_price_of_a_running_session_is_no_close(yahoo: Yahoo, tmp_path: Path, minutes: int, over: bool) -> None:
    """Half an hour after the session's end its price is taken for the close: some are delayed."""
    stamp, meta = session_until(minutes)
    yahoo.add("AAPL", ["2024-01-02 09:30", "2024-01-03 09:30", stamp], [1.0, 2.0, 3.0], meta={**NEW_YORK, **meta})
    panel = load(TickerData(source="ticker", symbols=["AAPL"], start="2024-01-01"), Path(), tmp_path)

    assert list(panel.target[np.isfinite(panel.target)]) == ([1.0, 2.0, 3.0] if over else [1.0, 2.0])
    day = stamp.split()[0]
    assert panel.notes.get("unfinished", "").startswith("" if over else f"AAPL {day}: not over at the download")
    assert ("unfinished" in panel.notes) is not over
    [file] = (tmp_path / SNAPSHOTS).glob("*.json")
    told = json.loads(file.read_text())["listings"]["AAPL"]["unfinished"]
    assert told == (None if over else f"{day}T00:00:00")


def test_a_clock_that_is_slow_does_not_hide_that_trade_has_gone_on(yahoo: Yahoo) -> None:
    stamp, meta = session_until(60)
    later = int(pd.Timestamp.now("UTC").timestamp()) + 7200
    yahoo.add("AAPL", ["2024-01-03 09:30", stamp], [2.0, 3.0], meta={**meta, "regularMarketTime": later})
    assert list(fetch(["AAPL"], "2024-01-01", patience=ONCE)["Close"]) == [2.0, 3.0]


def test_without_word_of_the_session_a_bar_of_today_is_not_over(yahoo: Yahoo) -> None:
    today = f"{pd.Timestamp.now('America/New_York') - pd.Timedelta('1s'):%Y-%m-%d %H:%M:%S}"
    yahoo.add("AAPL", ["2024-01-03 09:30", today], [2.0, 3.0])
    assert list(fetch(["AAPL"], "2024-01-01", patience=ONCE)["Close"]) == [2.0]


def test_where_the_only_session_is_running_there_are_no_prices(yahoo: Yahoo) -> None:
    stamp, meta = session_until(60)
    yahoo.add("NEW", [stamp], [3.0], meta=meta)
    with pytest.raises(DownloadError, match="its only session is still running"):
        fetch(["NEW"], "2024-01-01", patience=Patience(2, 0.0, sleep=lambda _: None))


def test_a_running_week_and_a_running_hour_are_left_out(yahoo: Yahoo) -> None:
    now = pd.Timestamp.now("America/New_York")
    monday = now.normalize() - pd.Timedelta(now.weekday(), "D")
    weeks = [f"{monday - pd.Timedelta(7 * back, 'D'):%Y-%m-%d}" for back in (2, 1, 0)]
    yahoo.add("WEEK", weeks, [1.0, 2.0, 3.0])
    assert list(fetch(["WEEK"], "2024-01-01", interval="1wk", patience=ONCE)["Close"]) == [1.0, 2.0]

    now = now.floor("s")
    stamps = [f"{now - pd.Timedelta(ago, 'min'):%Y-%m-%d %H:%M:%S}" for ago in (80, 20)]
    period = [(stamps[0], f"{now + pd.Timedelta('40min'):%Y-%m-%d %H:%M:%S}")]
    traded = {"regularMarketTime": int(now.timestamp()) - 60}
    yahoo.add("HOUR", stamps, [1.0, 2.0], sessions=period, meta=traded)
    assert list(fetch(["HOUR"], "2024-01-01", interval="1h", patience=ONCE)["Close"]) == [1.0]
