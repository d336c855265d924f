"""yfinance's real code against a local server that speaks Yahoo's chart protocol (`yahoo.py`)."""

import logging
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series.ticker import DownloadError, Patience, fetch, load
from tests.series.yahoo import DAYS, RATE_LIMIT, SPAN, Yahoo

ONCE = Patience(attempts=1, sleep=pytest.fail)


# What comes back


def test_symbols_come_in_the_order_asked_for_each_by_time(yahoo: Yahoo) -> None:
    frame = fetch(["MSFT", "aapl"], **SPAN, patience=ONCE)

    assert list(frame.columns) == ["unique_id", "ds", "Open", "High", "Low", "Close", "Volume"]
    assert list(frame["unique_id"]) == ["MSFT"] * 3 + ["AAPL"] * 3
    assert list(frame["Close"]) == [300.0, 310.0, 320.0, 100.0, 110.0, 120.0]
    assert list(frame["ds"][:3]) == list(pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"]))
    assert frame["ds"].dtype == "datetime64[us]"
    assert set(map(str, frame.dtypes[2:])) == {"float64"}


def test_start_is_included_and_end_is_not_in_the_exchanges_zone(yahoo: Yahoo) -> None:
    fetch(["AAPL"], "2024-01-02", "2024-01-04", patience=ONCE)

    sent = yahoo.queries[-1]
    assert int(sent["period1"]) == pd.Timestamp("2024-01-02 00:00", tz="America/New_York").timestamp()
    assert int(sent["period2"]) == pd.Timestamp("2024-01-04 00:00", tz="America/New_York").timestamp()


def test_without_a_start_all_there_is_is_asked_for(yahoo: Yahoo) -> None:
    fetch(["AAPL"], patience=ONCE)
    assert int(yahoo.queries[-1]["period1"]) < 0  # before 1970; yfinance's own default is one month

    fetch(["AAPL"], end="2024-01-10", patience=ONCE)
    assert int(yahoo.queries[-1]["period1"]) < 0


# A dividend of 2.00 on 4 January, after a close of 100.00, makes every earlier price (1 - 2/100) = 0.98 of
# itself; the 2:1 split on 3 January is in Yahoo's prices already.
EVENTS = {
    "dividends": {"2024-01-04 09:30": {"amount": 2.0}},
    "splits": {"2024-01-03 09:30": {"numerator": 2, "denominator": 1, "splitRatio": "2:1"}},
}


def test_adjusted_prices_are_worked_out_by_hand(yahoo: Yahoo) -> None:
    yahoo.add("DIV", DAYS, [50.0, 100.0, 99.0], adjclose=[49.0, 98.0, 99.0], events=EVENTS)
    frame = fetch(["DIV"], **SPAN, patience=ONCE)

    assert "Adj Close" not in frame
    np.testing.assert_allclose(frame["Close"], [49.0, 98.0, 99.0])
    np.testing.assert_allclose(frame["Open"], [49 * 0.98, 99 * 0.98, 98.0])  # unadjusted: close - 1
    np.testing.assert_allclose(frame["High"], [51 * 0.98, 101 * 0.98, 100.0])
    np.testing.assert_allclose(frame["Low"], [48 * 0.98, 98 * 0.98, 97.0])
    np.testing.assert_array_equal(frame["Volume"], [1000.0] * 3)


def test_unadjusted_prices_are_yahoos_own_with_the_adjusted_close_beside(yahoo: Yahoo) -> None:
    yahoo.add("DIV", DAYS, [50.0, 100.0, 99.0], adjclose=[49.0, 98.0, 99.0], events=EVENTS)
    frame = fetch(["DIV"], **SPAN, adjusted=False, patience=ONCE)

    assert list(frame.columns[2:]) == ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
    assert list(frame["Close"]) == [50.0, 100.0, 99.0]
    assert list(frame["Open"]) == [49.0, 99.0, 98.0]
    assert list(frame["Adj Close"]) == [49.0, 98.0, 99.0]


@pytest.mark.parametrize("adjusted", [True, False])
def test_a_session_without_prices_stays_and_is_missing(yahoo: Yahoo, adjusted: bool) -> None:
    close = [100.0, None, 120.0]
    yahoo.add("GAP", DAYS, close, adjclose=close)
    frame = fetch(["GAP"], **SPAN, adjusted=adjusted, patience=ONCE)

    assert len(frame) == 3
    assert frame.iloc[1, 2:].isna().all()
    assert list(frame["Close"].dropna()) == [100.0, 120.0]
    assert list(frame["Volume"].dropna()) == [1000.0, 1000.0]


def test_the_live_price_is_not_a_second_session(yahoo: Yahoo) -> None:
    stamps = [*DAYS, "2024-01-04 15:12"]
    yahoo.add("LIVE", stamps, [100.0, 110.0, 120.0, 121.0], volume=[10, 10, 10, 11])
    frame = fetch(["LIVE"], **SPAN, patience=ONCE)

    assert list(frame["ds"].dt.day) == [2, 3, 4]
    assert frame["Close"].iloc[-1] == 121.0


@pytest.mark.parametrize(
    ("zone", "stamps", "days"),
    [
        ("Pacific/Auckland", ["2024-04-05 10:00", "2024-04-08 10:00"], ["2024-04-05", "2024-04-08"]),
        ("America/New_York", ["2024-03-08 09:30", "2024-03-11 09:30"], ["2024-03-08", "2024-03-11"]),
        ("America/Sao_Paulo", ["2017-10-13 23:00", "2017-10-16 00:00"], ["2017-10-14", "2017-10-16"]),
    ],
)
def test_daily_stamps_are_the_exchanges_dates(yahoo: Yahoo, zone: str, stamps: list[str], days: list[str]) -> None:
    yahoo.add("DAY", stamps, [1.0, 2.0], zone=zone)
    frame = fetch(["DAY"], "2017-01-01", "2024-05-01", patience=ONCE)
    assert list(frame["ds"]) == list(pd.to_datetime(days))


def test_intraday_stamps_are_utc_across_a_change_of_the_clocks(yahoo: Yahoo) -> None:
    stamps = ["2024-03-08 09:30", "2024-03-08 10:30", "2024-03-11 09:30", "2024-03-11 10:30"]
    sessions = [("2024-03-08 09:30", "2024-03-08 16:00"), ("2024-03-11 09:30", "2024-03-11 16:00")]
    yahoo.add("HOUR", stamps, [1.0, 2.0, 3.0, 4.0], sessions=sessions)
    frame = fetch(["HOUR"], "2024-03-08", "2024-03-12", interval="1h", patience=ONCE)

    assert frame["ds"].dtype == "datetime64[us, UTC]"
    assert [f"{stamp:%d %H:%M}" for stamp in frame["ds"]] == ["08 14:30", "08 15:30", "11 13:30", "11 14:30"]
    assert list(frame["Close"]) == [1.0, 2.0, 3.0, 4.0]


def test_half_hours_are_not_invented_for_nights_and_weekends(yahoo: Yahoo) -> None:
    stamps = ["2024-03-08 15:30", "2024-03-08 15:45", "2024-03-11 09:30", "2024-03-11 09:45"]
    sessions = [("2024-03-08 09:30", "2024-03-08 16:00"), ("2024-03-11 09:30", "2024-03-11 16:00")]
    yahoo.add("HALF", stamps, [1.0, 2.0, 3.0, 4.0], sessions=sessions)
    frame = fetch(["HALF"], "2024-03-08", "2024-03-12", interval="30m", patience=ONCE)

    assert [f"{stamp:%d %H:%M}" for stamp in frame["ds"]] == ["08 20:30", "11 13:30"]
    assert list(frame["Close"]) == [2.0, 4.0]
    assert list(frame["Volume"]) == [2000.0, 2000.0]


# What is asked for


@pytest.mark.parametrize(
    ("kwargs", "fragments"),
    [
        ({"symbols": "AAPL"}, ["'AAPL'", "write a list"]),
        ({"symbols": []}, ["[]", "at least one"]),
        ({"symbols": ["AAPL", "a/b"]}, ["'A/B'", "BRK-B"]),
        ({"symbols": ["^"]}, ["'^'"]),
        ({"symbols": ["AAPL", "aapl"]}, ["AAPL", "2 times"]),
        ({"symbols": ["US0378331005"]}, ["ISIN", "lookup"]),
        ({"start": "01/02/2024"}, ["start '01/02/2024'", "2015-01-31"]),
        ({"end": datetime(2024, 1, 2, 9, 30)}, ["end 2024-01-02 09:30", "the day alone"]),
        ({"start": "2024-01-02", "end": "2024-01-02"}, ["2024-01-02", "later end"]),
        ({"interval": "7d"}, ["'7d'", "1wk"]),
    ],
)
def test_an_impossible_request_is_not_sent(yahoo: Yahoo, kwargs: dict[str, Any], fragments: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        fetch(**{"symbols": ["AAPL"], "patience": ONCE, **kwargs})
    assert [each for each in fragments if each not in str(caught.value)] == []
    assert yahoo.asked == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems look a library's functions up in itself")
def test_behind_tensorflow_yfinances_client_calls_its_own_curl() -> None:
    code = (
        "import tensorflow; from forecaster.series.yahoo import raising_errors\n"
        "with raising_errors(): import curl_cffi; print(curl_cffi.Curl().version())"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "IMPERSONATE" in answer.stdout


def test_importing_the_source_does_not_import_yfinance() -> None:
    code = "import sys, forecaster.series.ticker; sys.exit('yfinance' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Snapshots to fall back to


def test_load_downloads_and_keeps_a_snapshot(yahoo: Yahoo, tmp_path: Path) -> None:
    frame, info = load(["AAPL", "MSFT"], **SPAN, folder=tmp_path / "snapshots", patience=ONCE)

    assert info.fallback_reason is None
    assert (tmp_path / "snapshots" / info.name).is_file()
    assert (info.symbols, info.rows, info.adjusted) == (["AAPL", "MSFT"], 6, True)
    pd.testing.assert_frame_equal(frame, fetch(["AAPL", "MSFT"], **SPAN, patience=ONCE))


@pytest.mark.parametrize("offline", [True, False])
def test_load_falls_back_loudly_to_the_same_frame(
    yahoo: Yahoo, tmp_path: Path, caplog: pytest.LogCaptureFixture, offline: bool
) -> None:
    before, written = load(["AAPL"], **SPAN, folder=tmp_path, patience=ONCE)
    yahoo.trouble("AAPL", **RATE_LIMIT)
    yahoo.asked.clear()
    with caplog.at_level(logging.WARNING, "forecaster"):
        frame, info = load(["AAPL"], **SPAN, folder=tmp_path, offline=offline, patience=ONCE)

    reason = "offline" if offline else "HTTP 429"
    pd.testing.assert_frame_equal(frame, before)
    assert reason in str(info.fallback_reason)
    assert (info.name, info.sha256, info.downloaded) == (written.name, written.sha256, written.downloaded)
    warning = next(each for each in caplog.records if each.name == "forecaster.series.ticker")
    assert warning.levelno == logging.WARNING
    assert reason in warning.getMessage()
    assert info.name in warning.getMessage()
    assert bool(yahoo.asked) is not offline


def test_an_unknown_symbol_does_not_fall_back(yahoo: Yahoo, tmp_path: Path, patience: Patience) -> None:
    load(["AAPL"], **SPAN, folder=tmp_path, patience=ONCE)
    del yahoo.charts["AAPL"]
    with pytest.raises(DownloadError, match="AAPL: Yahoo does not know it"):
        load(["AAPL"], **SPAN, folder=tmp_path, patience=patience)


@pytest.mark.parametrize("other", [{"interval": "1wk"}, {"adjusted": False}, {"end": "2024-01-11"}])
def test_the_snapshot_of_another_request_is_not_taken(yahoo: Yahoo, tmp_path: Path, other: dict[str, Any]) -> None:
    load(["AAPL"], **SPAN, folder=tmp_path, patience=ONCE)
    with pytest.raises(DataError, match="offline was asked for\nNor is there a good snapshot"):
        load(["AAPL"], **{**SPAN, **other}, folder=tmp_path, offline=True)


def test_an_altered_snapshot_is_not_fallen_back_to(yahoo: Yahoo, tmp_path: Path) -> None:
    _, info = load(["AAPL"], **SPAN, folder=tmp_path, patience=ONCE)
    data = tmp_path / info.name
    data.write_text(data.read_text().replace("110.0", "111.0"))
    yahoo.trouble("AAPL", **RATE_LIMIT)
    with pytest.raises(DataError, match=r"(?s)HTTP 429.*was altered after the download"):
        load(["AAPL"], **SPAN, folder=tmp_path, patience=ONCE)
