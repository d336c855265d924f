"""What goes wrong at Yahoo: yfinance's real code against a local server that speaks Yahoo's chart protocol."""

import json
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest
import yfinance

from forecaster.series.ticker import DownloadError, Patience, fetch
from tests.series.yahoo import DAYS, RATE_LIMIT, SPAN, LocalSession, Yahoo, chart, empty, refusal, serving

ONCE = Patience(attempts=1, sleep=pytest.fail)


def chart_requests(yahoo: Yahoo, symbol: str) -> int:
    return sum(query["symbol"] == symbol for query in yahoo.queries)


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
    assert "wait some minutes" in str(caught.value) and "run and predict --offline" in str(caught.value)
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
