"""What arguments of the Python API may be, and how a wrong one is told."""

import numpy as np
import pytest

from forecaster.config.arguments import seasons, transformation, whole, whole_or_auto
from forecaster.errors import DefinitionError


@pytest.mark.parametrize("number", [4, np.int64(4), np.int32(4), np.array(4)])
def test_whole_numbers_of_python_and_numpy_are_numbers(number):
    assert type(whole("horizon", number)) is int and whole("horizon", number) == 4
    assert whole_or_auto("lookback", number) == 4


@pytest.mark.parametrize("value", [0, -1, 1.5, 4.0, "4", True, None, np.float64(4), [4], float("nan")])
def test_what_is_no_whole_number_from_one_on_is_refused_by_its_name(value):
    for check in (whole, whole_or_auto):
        with pytest.raises(DefinitionError, match="horizon: should be a whole number, at least 1; found") as told:
            check("horizon", value)
        assert str(told.value).endswith(repr(value))


def test_a_seed_may_be_zero():
    assert whole("seed", 0, least=0) == 0
    with pytest.raises(DefinitionError, match="seed: should be a whole number, at least 0; found -1"):
        whole("seed", -1, least=0)


def test_a_season_is_one_number_or_several():
    assert seasons(24) == seasons(np.int64(24)) == 24
    assert seasons([24]) == seasons(np.array([24])) == (24,)
    assert seasons([336, np.int64(48)]) == (336, 48)
    assert seasons("auto") == whole_or_auto("lookback", "auto") == "auto"


@pytest.mark.parametrize("wrong", [0, [24, 0], 24.0, "24", "Auto"])
def test_a_season_that_is_none_is_refused(wrong):
    with pytest.raises(DefinitionError, match="season: should be a whole number, at least 1"):
        seasons(wrong)


@pytest.mark.parametrize(
    ("typed", "meant"), [("Log", "log"), ("differences", "difference"), ("log-return", "log_return")]
)
def test_a_transform_that_there_is_none_of_is_refused_with_the_nearest(typed, meant):
    with pytest.raises(DefinitionError) as told:
        transformation(typed)
    known = "none, log, difference, log_return or auto"
    assert str(told.value) == f"transform: should be {known}; found {typed!r}; did you mean {meant!r}?"
    assert transformation(meant) == meant
