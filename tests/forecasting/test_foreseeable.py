"""Series whose known covariates do not reach over what is to be forecast."""

import numpy as np
import pandas as pd
import pytest

from forecaster.forecasting.foreseeable import foreseeable
from forecaster.series import Columns, panel_from_frame
from forecaster.series.symbols import symbol_panel

DAYS = pd.date_range("2024-01-01", periods=14)


def rows(name, observed, known, hole=None, value=1.0):
    """A series of so many observed days, whose known covariate reaches so far, but for one day."""
    price = pd.Series(2.0, DAYS[:known])
    if hole is not None:
        price.iloc[hole] = np.nan
    y = pd.Series(value, DAYS[:observed])
    return pd.DataFrame({"y": y, "price": price}).rename_axis("ds").reset_index().assign(unique_id=name)


def panel(*parts):
    return panel_from_frame(pd.concat(parts), Columns("unique_id", known=["price"]))


PARTS = (rows("long", 10, 14), rows("ended", 8, 8), rows("short", 10, 12), rows("holed", 10, 14, hole=11))


@pytest.mark.parametrize(
    ("horizon", "start", "left_out"),
    [
        (1, None, ("ended",)),
        (2, None, ("ended", "holed")),
        (3, None, ("ended", "holed", "short")),
        (2, "2024-01-11", ("ended", "holed")),
        (2, "2024-01-13", ("ended", "holed", "short")),
        (2, "2024-01-07", ()),
        (2, "2024-01-08", ("ended",)),
        (3, "2024-01-09", ("ended",)),
        (5, None, ()),
    ],
)
def test_those_are_left_out_that_lack_a_step_unless_all_do(horizon, start, left_out):
    able = foreseeable(panel(*PARTS), horizon, start)
    assert able.left_out == left_out
    assert [name for name in ("ended", "holed", "long", "short") if name not in able.panel.ids] == [*left_out]
    assert bool(able.told) == bool(left_out)


def test_one_that_ended_before_stands_in_for_none_of_those_that_go_on():
    """Rows of a product that is no longer sold may go on, and what is coming for the others may have been forgotten."""
    forgotten = [rows("ended", 8, 14), rows("first", 10, 10), rows("second", 10, 10)]
    assert foreseeable(panel(*forgotten), 2).left_out == ()
    assert foreseeable(panel(*forgotten, rows("told", 10, 14)), 2).left_out == ("first", "second")


def test_it_is_said_which_and_of_the_first_what_is_missing():
    told = foreseeable(panel(*PARTS), 3).told
    assert told.startswith("3 of 4 series are left out")
    assert "ended, holed, short (the first: price has no value at 2024-01-09); add these rows" in told
    many = [rows(f"s{number:02}", 8, 8) for number in range(12)]
    assert "s08, s09 and 2 more (the first" in foreseeable(panel(rows("long", 10, 14), *many), 2).told


def test_symbols_need_them_over_the_horizon_alone():
    """A network of symbols goes through the steps before a start by itself, whatever is known of them."""
    frame = pd.concat([rows("long", 10, 14, value="x"), rows("holed", 10, 14, hole=10, value="z")])
    given = symbol_panel(frame, Columns("unique_id", known=["price"]))
    assert foreseeable(given, 2, "2024-01-12").left_out == ()
    assert foreseeable(given, 2, "2024-01-11").left_out == ("holed",)


def test_without_known_covariates_all_can_be_forecast():
    given = panel_from_frame(PARTS[0][["ds", "y"]].dropna())
    assert foreseeable(given, 3).panel is given
