"""Ticker blocks become panels on sessions: whose calendar, mixed exchanges, old snapshots."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from forecaster.cli.cautions import cautions
from forecaster.cli.findings import facts
from forecaster.config import ModelDefinition, TickerData
from forecaster.errors import DataError
from forecaster.evaluation import leaderboard, roll
from forecaster.forecasting.baselines import NAIVE_RULES, NaiveForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import Panel, cutoffs, natural_seasons
from forecaster.series.account import take_account
from forecaster.series.source import SNAPSHOTS, load
from forecaster.series.ticker import Patience
from tests.series.yahoo import Yahoo, serving

ONCE = Patience(attempts=1, sleep=pytest.fail)
NEW_YORK = {"exchangeName": "NMS", "fullExchangeName": "NasdaqGS"}
LONDON = {"exchangeName": "LSE", "fullExchangeName": "LSE", "currency": "GBp"}


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[Yahoo]:
    with serving(tmp_path / "cache") as server:
        yield server


def sessions(code: str, first: str, last: str) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in exchange_calendars.get_calendar(code).sessions_in_range(first, last)]


def serve(yahoo: Yahoo, symbol: str, days: list[str], zone: str = "America/New_York", **meta: Any) -> None:
    prices = [100.0 + place % 7 for place in range(len(days))]
    yahoo.add(symbol, [f"{day} 10:00" for day in days], prices, zone=zone, meta=meta)


def panel_of(tmp_path: Path, *symbols: str, **options: Any) -> Panel:
    data = TickerData(source="ticker", symbols=list(symbols), start="2024-01-01", **options)
    return load(data, Path(), tmp_path)


def dated(panel: Panel, horizon: int) -> dict[str, list[str]]:
    """The days that each series is forecast for."""
    frame = NaiveForecaster(NAIVE_RULES["naive"], horizon).fit(panel).predict(panel, [])
    return {str(name): [f"{day:%m-%d}" for day in part["ds"]] for name, part in frame.groupby("unique_id")}


# Whose sessions


def test_weekends_and_holidays_are_no_gaps_and_forecasts_are_on_coming_sessions(yahoo: Yahoo, tmp_path: Path) -> None:
    serve(yahoo, "AAPL", sessions("XNYS", "2024-01-02", "2024-07-02"), **NEW_YORK)
    panel = panel_of(tmp_path, "AAPL")

    assert panel.notes["frequency"] == "XNYS (by Yahoo's exchange NMS)"
    assert panel.notes["gaps"] == "none"
    assert dated(panel, 3) == {"AAPL": ["07-03", "07-05", "07-08"]}  # 4 July is a holiday


@pytest.mark.parametrize(
    ("symbol", "meta", "zone", "name", "why"),
    [
        ("ABC", {"exchangeName": "LSE"}, "Europe/London", "XLON", "by Yahoo's exchange LSE"),
        ("ABC", {"exchangeName": "ZZZ", "instrumentType": "ETF"}, "Asia/Tokyo", "XTKS", "by the time zone Asia/Tokyo"),
        ("ABC", {"exchangeName": "ZZZ"}, "Africa/Lagos", "B", "business days, since Yahoo's exchange ZZZ is not known"),
        ("EURUSD=X", {"exchangeName": "CCY", "instrumentType": "CURRENCY"}, "Europe/London", "B", "CURRENCY"),
        ("BP.L", {}, "Europe/London", "XLON", "by the symbol"),
        ("GC=F", {}, "America/New_York", "B", "business days, since the symbol does not tell more"),
        ("^GDAXI", {}, "Europe/Berlin", "XETR", "by the symbol"),
    ],
)
def test_the_exchange_is_that_of_yahoos_answer_else_of_the_symbol(
    yahoo: Yahoo, tmp_path: Path, symbol: str, meta: dict[str, str], zone: str, name: str, why: str
) -> None:
    serve(yahoo, symbol, ["2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12"], zone, **meta)
    panel = panel_of(tmp_path, symbol)
    assert panel.calendar.name == name
    assert why in panel.notes["frequency"]


def test_what_is_traded_every_day_has_weekends(yahoo: Yahoo, tmp_path: Path) -> None:
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-03-01", "2024-03-08")]
    serve(yahoo, "BTC-USD", days, "UTC", exchangeName="CCC", instrumentType="CRYPTOCURRENCY")
    panel = panel_of(tmp_path, "BTC-USD")
    assert (panel.calendar.name, panel.notes["gaps"]) == ("D", "none")
    assert dated(panel, 3) == {"BTC-USD": ["03-09", "03-10", "03-11"]}


def test_a_snapshot_of_before_exchanges_were_kept_is_read_by_the_symbols(yahoo: Yahoo, tmp_path: Path) -> None:
    serve(yahoo, "ABC", sessions("XLON", "2024-01-02", "2024-03-01"), "Europe/London", **LONDON)
    assert panel_of(tmp_path, "ABC").calendar.name == "XLON"
    [file] = (tmp_path / SNAPSHOTS).glob("*.json")
    record = json.loads(file.read_text())
    assert record["listings"]["ABC"] == {
        "exchange": "LSE", "exchange_name": "LSE", "zone": "Europe/London", "instrument": "EQUITY",
        "currency": "GBp", "unfinished": None,
    }  # fmt: skip
    del record["listings"]
    file.write_text(json.dumps(record))
    panel = panel_of(tmp_path, "ABC", offline=True)
    assert panel.notes["frequency"] == "XNYS (by the symbol)"


def test_a_special_session_that_the_calendar_does_not_list_is_added_and_told(yahoo: Yahoo, tmp_path: Path) -> None:
    days = sessions("XNYS", "2024-01-02", "2024-03-01")
    serve(yahoo, "AAPL", sorted([*days, "2024-02-03"]), **NEW_YORK)  # a Saturday
    panel = panel_of(tmp_path, "AAPL")
    assert (panel.calendar.name, panel.notes["gaps"]) == ("XNYS", "none")
    assert panel.notes["extra sessions"].startswith("AAPL 2024-02-03: traded on")
    assert int(panel.lengths[0]) == len(days) + 1


def test_a_calendar_that_does_not_fit_is_refused_with_what_to_write(yahoo: Yahoo, tmp_path: Path) -> None:
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-03-01", "2024-03-31")]
    serve(yahoo, "AAPL", days, **NEW_YORK)
    with pytest.raises(DataError, match=r"AAPL: 11 of its 31 days, 2024-03-02 first, .* XNYS; write `freq:`"):
        panel_of(tmp_path, "AAPL")
    assert panel_of(tmp_path, "AAPL", freq="D").notes["frequency"] == "D (as told)"


def test_an_empty_bar_on_a_holiday_is_no_session_and_on_a_session_a_gap(yahoo: Yahoo, tmp_path: Path) -> None:
    days = sorted([*sessions("XNYS", "2024-01-02", "2024-03-01"), "2024-01-15"])  # Martin Luther King Day
    prices = [None if day in ("2024-01-15", "2024-01-17") else 100.0 + place for place, day in enumerate(days)]
    yahoo.add("AAPL", [f"{day} 10:00" for day in days], prices, meta=NEW_YORK)
    panel = panel_of(tmp_path, "AAPL")
    assert (panel.calendar.name, "extra sessions" in panel.notes, "exchanges" in panel.notes) == ("XNYS", False, False)
    assert panel.lengths.tolist() == [len(days) - 1]
    assert panel.notes["gaps"].startswith(f"1 of {len(days) - 1} steps missing, in 1 gap")


# Mixed exchanges


@pytest.fixture
def mixed(yahoo: Yahoo, tmp_path: Path) -> Panel:
    """Until 2 July 2024; 19 June and 4 July are holidays in New York, 6 May in London."""
    serve(yahoo, "AAPL", sessions("XNYS", "2024-04-02", "2024-07-02"), **NEW_YORK)
    serve(yahoo, "BP.L", sessions("XLON", "2024-04-02", "2024-07-02"), "Europe/London", **LONDON)
    return panel_of(tmp_path, "AAPL", "BP.L")


def test_mixed_exchanges_are_forecast_on_their_own_coming_sessions(mixed: Panel) -> None:
    assert dated(mixed, 5) == {
        "AAPL": ["07-03", "07-05", "07-08", "07-09"],
        "BP.L": ["07-03", "07-04", "07-05", "07-08", "07-09"],
    }


def test_mixed_exchanges_share_one_clock_and_holidays_are_no_gaps(mixed: Panel) -> None:
    assert mixed.shared_clock
    assert mixed.calendar.name == "XLON+XNYS"
    frame = mixed.frame().set_index(["unique_id", "ds"])["y"]
    missing = [(name, f"{day:%m-%d}") for name, day in frame[frame.isna()].index]
    assert missing == [("AAPL", "06-19"), ("BP.L", "05-06")]
    assert mixed.notes["gaps"] == "none"
    assert "AAPL: XNYS by Yahoo's exchange NMS; BP.L: XLON by Yahoo's exchange LSE" in mixed.notes["frequency"]
    assert "2 steps are no sessions" in mixed.notes["exchanges"]


def test_the_days_of_other_exchanges_are_no_gaps_to_a_check_either(yahoo: Yahoo, tmp_path: Path) -> None:
    """Until 4 July, a holiday in New York; London has no price on 20 June, and Paris ends in June."""
    serve(yahoo, "AAPL", sessions("XNYS", "2024-06-03", "2024-07-03"), **NEW_YORK)
    london = sessions("XLON", "2024-06-03", "2024-07-04")
    serve(yahoo, "BP.L", [day for day in london if day != "2024-06-20"], "Europe/London", **LONDON)
    account = take_account(panel_of(tmp_path, "AAPL", "BP.L"))
    assert account.closed.tolist() == [1, 0] and account.missing.tolist() == [0, 1]
    assert facts(account)["gaps"].startswith(
        "1 gap, 1 of 46 steps missing (2.17%), in 1 series; the longest has 1 step"
    )
    assert account.regular.tolist() == [21, 21] and account.observed.tolist() == [22, 23]
    assert not [told for told in cautions(account) if "missing" in told or "end before" in told]
    serve(yahoo, "AIR.PA", sessions("XPAR", "2024-06-03", "2024-06-28"), "Europe/Paris", exchangeName="PAR")
    [told] = [one for one in cautions(take_account(panel_of(tmp_path, "AAPL", "BP.L", "AIR.PA"))) if "end" in one]
    assert told == (
        "1 of 3 series end before the others, the first (AIR.PA) at 2024-06-28: are they traded no more? If so, leave "
        "them out"
    )


def test_mixed_exchanges_are_judged_at_the_same_dates(mixed: Panel) -> None:
    origins = cutoffs(mixed, 4, 3, 4)
    naive = NaiveForecaster(NAIVE_RULES["naive"], 4).fit(mixed.until(origins[0]))
    frame = roll(naive, mixed, origins, levels=[])
    assert frame["y"].notna().all()  # closed days are not even asked for
    assert set(frame.groupby("cutoff")["unique_id"].nunique()) == {2}
    assert np.isfinite(leaderboard(frame, mixed.until(origins[0]), metrics=["mase"])["mase"]).all()


def test_a_network_learns_from_mixed_exchanges_and_forecasts_own_sessions(mixed: Panel) -> None:
    small = ModelDefinition(network="gru", units=2, steps=2, warmup=1, batch_size=4)
    network = RecurrentForecaster(small, 5, lookback=20, transform="log_return", levels=[80], season=1)
    frame = network.fit(mixed).predict(mixed)
    assert np.isfinite(frame[["gru", "gru-lo-80", "gru-hi-80"]]).all(axis=None)
    assert list(frame.groupby("unique_id").size()) == [4, 5]


def test_the_calendars_of_mixed_exchanges_can_be_told(mixed: Panel, tmp_path: Path) -> None:
    assert dated(panel_of(tmp_path, "AAPL", "BP.L", freq="XNYS+XLON"), 5) == dated(mixed, 5)
    with pytest.raises(DataError, match=r"BP\.L has the sessions of XLON, which is not in XNYS\+XETR"):
        panel_of(tmp_path, "AAPL", "BP.L", freq="XNYS+XETR")


def test_shares_beside_what_is_traded_every_day(yahoo: Yahoo, tmp_path: Path) -> None:
    serve(yahoo, "AAPL", sessions("XNYS", "2024-06-03", "2024-07-02"), **NEW_YORK)
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-06-03", "2024-07-02")]
    serve(yahoo, "BTC-USD", days, "UTC", exchangeName="CCC", instrumentType="CRYPTOCURRENCY")
    panel = panel_of(tmp_path, "AAPL", "BTC-USD")
    assert panel.calendar.name == "D+XNYS"
    assert natural_seasons(panel.calendar) == [7]
    assert dated(panel, 6) == {
        "AAPL": ["07-03", "07-05", "07-08"],
        "BTC-USD": ["07-03", "07-04", "07-05", "07-06", "07-07", "07-08"],
    }


# What a panel tells of its prices


def test_the_snapshot_and_the_adjustment_are_told(yahoo: Yahoo, tmp_path: Path) -> None:
    serve(yahoo, "AAPL", sessions("XNYS", "2024-01-02", "2024-02-01"), **NEW_YORK)
    panel = panel_of(tmp_path, "AAPL", adjusted=False)
    [file] = (tmp_path / SNAPSHOTS).glob("*.csv")
    assert panel.notes["snapshot"].startswith(file.name)
    assert panel.notes["prices"] == "adjusted for splits only"
    assert "fallback" not in panel.notes


def test_a_fallback_is_told_with_its_reason(yahoo: Yahoo, tmp_path: Path) -> None:
    serve(yahoo, "AAPL", sessions("XNYS", "2024-01-02", "2024-02-01"), **NEW_YORK)
    panel_of(tmp_path, "AAPL")
    data = TickerData(source="ticker", symbols=["AAPL"], start="2024-01-01")
    assert "offline was asked for" in load(data, Path(), tmp_path, offline=True).notes["fallback"]
    assert panel_of(tmp_path, "AAPL", offline=True).notes["fallback"].startswith("NO NEW PRICES")
