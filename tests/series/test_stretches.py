from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.series import stretches
from forecaster.series.stretches import equal_stretches, missing_stretches


def listed(found):
    return list(zip(found.series.tolist(), found.starts.tolist(), found.lengths.tolist(), strict=True))


def slow_runs(values, offsets, goes_on, least):
    """Runs by a loop over the steps: a step joins the run before it where `goes_on` says so."""
    found = []
    for series, (begin, stop) in enumerate(pairwise(offsets)):
        step = begin
        while step < stop:
            end = step + 1
            while end < stop and goes_on(values[end - 1], values[end]):
                end += 1
            if least(values[step], end - step):
                found.append((series, step - begin, end - step))
            step = end
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([np.nan, 1.0, 2.0]), min_size=1, max_size=7), min_size=1, max_size=5),
    st.integers(1, 9),
)
def test_equal_a_slow_loop_however_the_steps_are_parted(series, part):
    values = np.concatenate(series)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in series])])
    whole, stretches.PART = stretches.PART, part
    try:
        missing, equal = missing_stretches(values, offsets), equal_stretches(values, offsets)
    finally:
        stretches.PART = whole
    both_missing = slow_runs(
        values, offsets, lambda a, b: np.isnan(a) and np.isnan(b), lambda value, _: np.isnan(value)
    )
    assert listed(missing) == both_missing
    assert listed(equal) == slow_runs(values, offsets, lambda a, b: a == b, lambda _, steps: steps > 1)


def test_nothing_at_all():
    assert listed(missing_stretches(np.zeros(0), np.array([0]))) == []
