"""yfinance's real code against a local server that speaks Yahoo's chart protocol (`yahoo.py`)."""

import json
import logging
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yfinance

from forecaster.errors import DataError
from forecaster.series.ticker import DownloadError, Patience, fetch, load
from tests.series.yahoo import LocalSession, Yahoo, chart, empty, refusal, serving

DAYS = ["2024-01-02 09:30", "2024-01-03 09:30", "2024-01-04 09:30"]
SPAN: dict[str, Any] = {"start": "2024-01-01", "end": "2024-01-10"}
RATE_LIMIT: dict[str, Any] = {"status": 429, "body": b"Too Many Requests"}
ONCE = Patience(attempts=1, sleep=pytest.fail)


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[Yahoo]:
    with serving(tmp_path / "cache") as server:
        server.add("AAPL", DAYS, [100.0, 110.0, 120.0])
        server.add("MSFT", DAYS, [300.0, 310.0, 320.0])
        yield server


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def patience(slept: list[float]) -> Patience:
    return Patience(attempts=3, pause=1.0, growth=3.0, timeout=5.0, sleep=slept.append)


def chart_requests(yahoo: Yahoo, symbol: str) -> int:
    return sum(query["symbol"] == symbol for query in yahoo.queries)


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
def test_daily_stamps_are_the_exchanges_dates(
    yahoo: Yahoo, zone: str, stamps: list[str], days: list[str]
) -> None:
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


# What goes wrong


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
def test_an_impossible_request_is_not_sent(
    yahoo: Yahoo, kwargs: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        fetch(**{"symbols": ["AAPL"], "patience": ONCE, **kwargs})
    assert [each for each in fragments if each not in str(caught.value)] == []
    assert yahoo.asked == []


def test_an_unknown_symbol_is_named(yahoo: Yahoo, patience: Patience, slept: list[float]) -> None:
    with pytest.raises(DownloadError, match=r"1 of 2 .*\n  NOPE: Yahoo does not know it") as caught:
        fetch(["AAPL", "NOPE"], **SPAN, patience=patience)
    assert not caught.value.temporary
    assert slept == [1.0]  # believed when told twice


def test_a_rate_limit_is_waited_for(yahoo: Yahoo, patience: Patience, slept: list[float]) -> None:
    yahoo.trouble("AAPL", **RATE_LIMIT, times=4)  # two attempts: yfinance asks twice, with another cookie
    frame = fetch(["AAPL"], **SPAN, patience=patience)

    assert list(frame["Close"]) == [100.0, 110.0, 120.0]
    assert slept == [1.0, 3.0]
    assert chart_requests(yahoo, "AAPL") == 4 + 2


def test_patience_ends_and_is_not_spent_again_on_every_symbol(
    yahoo: Yahoo, patience: Patience, slept: list[float]
) -> None:
    yahoo.trouble("AAPL", **RATE_LIMIT)
    yahoo.trouble("MSFT", **RATE_LIMIT)
    with pytest.raises(DownloadError) as caught:
        fetch(["AAPL", "MSFT"], **SPAN, patience=patience)

    assert "2 of 2" in str(caught.value)
    assert str(caught.value).count("HTTP 429") == 2
    assert "wait some minutes" in str(caught.value)
    assert slept == [1.0, 3.0]
    assert (chart_requests(yahoo, "AAPL"), chart_requests(yahoo, "MSFT")) == (6, 2)


def test_every_symbol_that_fails_is_named_with_its_own_reason(yahoo: Yahoo, patience: Patience) -> None:
    yahoo.charts["VOID"] = empty("VOID")
    yahoo.trouble("MSFT", status=502, body=b"Bad Gateway")
    with pytest.raises(DownloadError) as caught:
        fetch(["AAPL", "NOPE", "VOID", "MSFT"], **SPAN, patience=patience)

    head, *lines = str(caught.value).splitlines()
    assert head == "3 of 4 symbols could not be downloaded:"
    assert [line.split(":")[0].strip() for line in lines] == ["NOPE", "VOID", "MSFT"]
    assert "HTTP 404" in lines[0]
    assert "no prices at interval 1d from 2024-01-01 to before 2024-01-10" in lines[1]
    assert "HTTP 502" in lines[2]
    assert not caught.value.temporary
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # as between processes


INTERNAL = json.dumps(refusal("Internal", "internal error")).encode()


GOOD = json.dumps(chart("AAPL", DAYS, [1.0, 2.0, 3.0])).encode()
UNREADABLE = "Yahoo's answer cannot be read"


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"status": 500, "body": b"oops"}, "Yahoo answers with HTTP 500"),
        # yfinance calls this one "no timezone found, possibly delisted"
        ({"status": 500, "body": INTERNAL}, "Yahoo answers with HTTP 500"),
        ({"status": 500, "body": INTERNAL, "prices_only": True}, "Yahoo answers with HTTP 500"),
        ({"status": 401, "body": b'{"finance": {"error": {}}}'}, "Yahoo answers with HTTP 401"),
        ({"body": b"<html>Sign in to the hotel's network</html>"}, f"{UNREADABLE} (JSONDecodeError"),
        ({"body": b'{"chart": {"resu', "prices_only": True}, f"{UNREADABLE} (JSONDecodeError"),
        ({"body": b'{"chart": {"result": [{}], "error": null}}'}, f"{UNREADABLE} (KeyError"),
        ({"body": b"[]"}, f"{UNREADABLE} (AttributeError"),
        ({"body": b"Will be right back"}, UNREADABLE),
        ({"body": b'{"chart"', "short": 100}, "connection failed"),
        ({"delay": 0.4, "prices_only": True, "body": GOOD}, "no answer in time"),
    ],
)
def test_trouble_is_waited_for_then_told(
    yahoo: Yahoo, slept: list[float], trouble: dict[str, Any], reason: str
) -> None:
    yahoo.trouble("AAPL", **trouble)
    with pytest.raises(DownloadError) as caught:
        fetch(["AAPL"], **SPAN, patience=Patience(2, 7.0, timeout=0.2, sleep=slept.append))
    assert f"  AAPL: {reason}" in str(caught.value)
    assert caught.value.temporary
    assert slept == [7.0]


@pytest.mark.parametrize("body", [b"<html>", INTERNAL])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("prices_only", [True, False])
def test_a_bad_answer_of_a_moment_does_no_harm(
    yahoo: Yahoo, patience: Patience, status: int, body: bytes, prices_only: bool
) -> None:
    """yfinance keeps answers about past spans, bad ones too; a second attempt must not see the first's."""
    yahoo.trouble("AAPL", status=status, body=body, prices_only=prices_only, times=2)
    assert list(fetch(["AAPL"], **SPAN, patience=patience)["Close"]) == [100.0, 110.0, 120.0]


def test_the_network_is_not_there(yahoo: Yahoo, patience: Patience, slept: list[float]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        yfinance.data.YfData(session=LocalSession(closed.getsockname()[1]))
        with pytest.raises(DownloadError, match=r"AAPL: connection failed \(") as caught:
            fetch(["AAPL"], **SPAN, patience=patience)
    assert caught.value.temporary
    assert slept == [1.0, 3.0]


def test_yahoos_reason_for_having_no_prices_is_told(yahoo: Yahoo, patience: Patience) -> None:
    reason = "15m data not available for startTime=1 and endTime=2"
    body = json.dumps(refusal("Unprocessable Entity", reason)).encode()
    yahoo.trouble("AAPL", status=422, body=body, prices_only=True)
    with pytest.raises(DownloadError, match=f"interval 15m .*: {reason}; write another start") as caught:
        fetch(["AAPL"], **SPAN, interval="15m", patience=patience)
    assert not caught.value.temporary


def test_a_symbol_with_sessions_but_no_price_has_no_prices(yahoo: Yahoo, patience: Patience) -> None:
    yahoo.add("NULL", DAYS, [None, None, None])
    with pytest.raises(DownloadError, match="NULL: no prices"):
        fetch(["NULL"], **SPAN, patience=patience)


@pytest.mark.parametrize("symbol", ["AAPL", "NOPE"])
def test_yfinances_settings_are_as_before(yahoo: Yahoo, symbol: str) -> None:
    try:
        fetch([symbol], **SPAN, patience=ONCE)
    except DownloadError:
        assert symbol == "NOPE"
    assert yfinance.config.debug.hide_exceptions is True


# yfinance's caches


def test_a_home_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with serving(tmp_path / "file" / "cache") as yahoo:
        yahoo.add("AAPL", DAYS, [100.0, 110.0, 120.0])
        assert len(fetch(["AAPL"], **SPAN, patience=ONCE)) == 3


def test_a_damaged_cache_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "tkr-tz.db").write_bytes(b"damaged" * 1000)
    with serving(tmp_path) as yahoo, pytest.raises(DownloadError, match=r"its cache .* XDG_CACHE_HOME"):
        yahoo.add("AAPL", DAYS, [100.0, 110.0, 120.0])
        fetch(["AAPL"], **SPAN, patience=ONCE)


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
def test_the_snapshot_of_another_request_is_not_taken(
    yahoo: Yahoo, tmp_path: Path, other: dict[str, Any]
) -> None:
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
