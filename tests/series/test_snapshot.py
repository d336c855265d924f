"""Snapshots come back as they were written, and only if nobody altered them."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series.exchanges import Listing
from forecaster.series.request import Request
from forecaster.series.snapshot import read_snapshot, write_snapshot


def frame(symbols: tuple[str, ...] = ("AAPL",), intraday: bool = False) -> pd.DataFrame:
    days = pd.to_datetime(["2024-01-02", "2024-01-03"]).astype("datetime64[us]")
    if intraday:
        days = (days + pd.Timedelta("14h30min")).tz_localize("UTC")
    parts = [
        pd.DataFrame({"unique_id": symbol, "ds": days, "Close": [0.1 + 0.2, np.nan], "Volume": [1e9, np.nan]})
        for symbol in symbols
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("interval", ["1d", "1h"])
def test_a_snapshot_comes_back_bit_for_bit(tmp_path: Path, suffix: str, interval: str) -> None:
    written = frame(("^GSPC", "NA", "TRUE", "0700.HK"), intraday=interval == "1h")
    path = tmp_path / f"prices{suffix}"
    info = write_snapshot(written, path, interval=interval)
    back, told = read_snapshot(path)

    pd.testing.assert_frame_equal(back, written, check_exact=True)
    assert told == info


def test_the_json_file_tells_what_the_data_are(tmp_path: Path) -> None:
    info = write_snapshot(frame(), tmp_path / "a.csv", start=pd.Timestamp("2024-01-01").date(), adjusted=False)
    record = json.loads((tmp_path / "a.csv.json").read_text())

    assert record["sha256"] == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest() == info.sha256
    assert record["symbols"] == ["AAPL"]
    assert (record["first"], record["last"]) == ("2024-01-02T00:00:00", "2024-01-03T00:00:00")
    assert (record["start"], record["end"]) == ("2024-01-01", None)
    assert (record["interval"], record["adjusted"], record["rows"]) == ("1d", False, 2)
    assert record["yfinance"]
    age = pd.Timestamp.now("UTC") - pd.Timestamp(record["downloaded"])
    assert pd.Timedelta(0) <= age < pd.Timedelta("1min")


def request(*symbols: str, **changed: Any) -> Request:
    usual = {"start": None, "end": None, "interval": "1d", "adjusted": True}
    return Request(symbols, **{**usual, **changed})


def test_the_name_is_made_of_the_request_and_safe_everywhere(tmp_path: Path) -> None:
    info = write_snapshot(frame(("^GSPC", "BRK-B", "EURUSD=X")), tmp_path)

    assert info.name.startswith("yahoo-GSPC_BRK-B_EURUSDX-1d-adjusted-")
    assert info.name == write_snapshot(frame(("^GSPC", "BRK-B", "EURUSD=X")), tmp_path).name
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.csv", info.name)
    assert len(request(*[f"SYMBOL{n}" for n in range(500)]).key) < 100


def test_different_requests_have_different_names() -> None:
    requests = [
        request("GSPC"),
        request("^GSPC"),
        request("A", "B"),
        request("B", "A"),
        request("GSPC", adjusted=False),
        request("GSPC", interval="1h"),
        request("GSPC", start=pd.Timestamp("2024-01-01").date()),
        request("GSPC", end=pd.Timestamp("2024-01-01").date()),
    ]
    assert len({each.key for each in requests}) == len(requests)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_altered_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_snapshot(frame(), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\{suffix}: was altered after the download.*fetch it again"):
        read_snapshot(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"a\.csv\.json: cannot be read"),
        ("{", r"a\.csv\.json: is no JSON"),
        ("[]", "is not in format 1"),
        ('{"format": 2}', "is not in format 1"),
        ('{"format": 1}', "was altered"),
    ],
)
def test_a_json_file_of_no_use_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    write_snapshot(frame(), tmp_path / "a.csv")
    (tmp_path / "a.csv.json").unlink()
    if content is not None:
        (tmp_path / "a.csv.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_snapshot(tmp_path / "a.csv")


def test_a_json_file_that_lost_a_key_is_refused(tmp_path: Path) -> None:
    write_snapshot(frame(), tmp_path / "a.csv")
    record = json.loads((tmp_path / "a.csv.json").read_text())
    del record["interval"]
    (tmp_path / "a.csv.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="has no 'interval'"):
        read_snapshot(tmp_path / "a.csv")


def test_what_yahoo_said_comes_back_and_later_versions_may_tell_more(tmp_path: Path) -> None:
    said = {"AAPL": Listing("NMS", "NasdaqGS", "America/New_York", "EQUITY", "USD", "2024-01-04T00:00:00")}
    info = write_snapshot(frame(), tmp_path / "a.csv", listings=said)
    assert read_snapshot(tmp_path / "a.csv")[1] == info
    record = json.loads((tmp_path / "a.csv.json").read_text())
    record["listings"]["AAPL"]["sector"] = "Technology"
    (tmp_path / "a.csv.json").write_text(json.dumps(record))
    assert read_snapshot(tmp_path / "a.csv")[1].listings == said
    record["listings"] = ["AAPL"]
    (tmp_path / "a.csv.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"its listings are damaged; fetch a\.csv again"):
        read_snapshot(tmp_path / "a.csv")


@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_writer_that_dies_leaves_the_former_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    path = tmp_path / "a.csv"
    former = write_snapshot(frame(), path)
    replaced: list[Path] = []
    replace = Path.replace

    def dying(self: Path, target: Path) -> Path:
        replaced.append(target)
        if len(replaced) == dies_at:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(DataError, match=r"cannot be written .No space left"):
        write_snapshot(frame(("MSFT",)), path)
    monkeypatch.undo()

    back, info = read_snapshot(path)
    assert info == former
    pd.testing.assert_frame_equal(back, frame())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv", "a.csv.json"]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written .* name a place that can be"):
        write_snapshot(frame(), tmp_path / "file" / "a.csv")
    with pytest.raises(DataError, match=r"unknown suffix \.xlsx"):
        write_snapshot(frame(), tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="no rows"):
        write_snapshot(frame().iloc[:0], tmp_path)
