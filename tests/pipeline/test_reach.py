"""How far data reached: stamps in a manifest, ticks in the data of a later day."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from forecaster.pipeline.reach import recorded, ticks_of
from forecaster.series import Columns, panel_from_frame


def panel_of(stamps, **options):
    frame = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": np.arange(len(stamps)) % 7})
    return panel_from_frame(frame, Columns("unique_id"), **options)


@pytest.mark.parametrize("freq", ["h", "B", "MS", "XNYS"])
def test_data_that_have_grown_at_both_ends_know_where_they_ended(freq):
    days = pd.date_range("2024-01-02", "2024-12-20", freq="B" if freq == "XNYS" else freq)
    if freq == "XNYS":
        import exchange_calendars

        days = exchange_calendars.get_calendar("XNYS").sessions_in_range("2024-01-02", "2024-12-20")
    before, later = panel_of(days[3:-4], freq=freq), panel_of(days, freq=freq)
    found = ticks_of(later, recorded(before, before.last))
    assert later.stamps(found)[0] == days[-5]


def test_a_stamp_on_no_step_is_the_step_before_it_and_none_is_outside_of_the_data():
    panel = panel_of(pd.date_range("2024-01-01", periods=5, freq="D"))
    for told, tick in (("2024-01-03T11:00", 2), ("2023-07-01", -1), ("2025-01-01", 4)):
        assert ticks_of(panel, told) - panel.first == tick
    assert ticks_of(panel, {"b": "2024-01-03"}) - panel.first == -1, "a series that was not there then"


def test_series_of_whole_numbers_far_apart_take_no_memory():
    parts = [
        pd.DataFrame({"unique_id": name, "ds": begin + np.arange(300), "y": np.arange(300.0) % 7})
        for name, begin in (("a", 1_600_000_000), ("b", 1_650_000_000))
    ]
    panel = panel_from_frame(pd.concat(parts), Columns("unique_id"))
    assert not panel.shared_clock
    told = recorded(panel, panel.last - 5)
    tracemalloc.start()
    found = ticks_of(panel, told)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
    assert np.array_equal(found, panel.last - 5)
