"""Columns of names become panels, and panels are put into the terms of a vocabulary."""

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series import Columns
from forecaster.series.symbols import (
    UNKNOWN,
    categories_apart,
    in_terms_of,
    novelty_of,
    read_symbols,
    strange_categories,
    symbol_panel,
    vocabulary_of,
    with_known,
)


def written(tmp_path, text):
    path = tmp_path / "symbols.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_are_taken_letter_by_letter_and_empty_cells_are_missing(tmp_path):
    panel = read_symbols(written(tmp_path, "ds,y\n1,007\n2,7\n3,\n4,007\n5,𝄞\n"))
    assert panel.symbols == ("007", "7", "𝄞")
    assert np.array_equal(panel.target, np.float32([0, 1, np.nan, 0, 2]), equal_nan=True)


@pytest.mark.parametrize(
    ("cells", "symbols"),
    [([1.0, np.nan, 7.0], ("1", "7")), ([1.5, 2.0, np.nan], ("1.5", "2.0")), ([1e300, 1.0, 1.0], ("1.0", "1e+300"))],
)
def test_whole_numbers_are_named_without_the_point_that_an_empty_cell_among_them_gave_them(cells, symbols):
    assert symbol_panel(pd.DataFrame({"ds": range(len(cells)), "y": cells})).symbols == symbols


def test_a_covariate_with_text_becomes_a_column_for_each_category(tmp_path):
    path = written(tmp_path, "ds,y,day,late\n1,a,Mon,0\n2,b,Tue,1\n3,,Mon,1\n")
    panel = read_symbols(path, known=["day", "late"])
    assert panel.known == ("day=Mon", "day=Tue", "late")
    assert panel.values[:, 1:].tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 1]]
    assert panel.lengths.tolist() == [2]


def test_the_vocabulary_is_of_what_may_be_seen_and_the_rest_is_unknown():
    panel = symbol_panel(pd.DataFrame({"ds": range(1, 7), "y": list("abbacd")}))
    training = panel.until(3)
    assert vocabulary_of(training) == (UNKNOWN, "a", "b")
    assert in_terms_of(panel, vocabulary_of(training)).target.tolist() == [1, 2, 2, 1, 0, 0]


@pytest.mark.parametrize(("text", "chance"), [("abab", 0.1), ("abcc", 0.5), ("aabbc", 0.25)])
def test_the_chance_of_something_new_is_the_share_of_what_came_once(text, chance):
    panel = symbol_panel(pd.DataFrame({"ds": range(1, len(text) + 1), "y": list(text)}))
    assert novelty_of(panel) == pytest.approx(chance)


def test_categories_are_those_of_training():
    frame = pd.DataFrame({"ds": [1, 2], "y": ["a", "b"], "day": ["Tue", "Sun"], "late": [1.0, 0.0]})
    panel = symbol_panel(frame, Columns(known=["day", "late"]), freq=1)
    given = with_known(panel, ("day=Mon", "day=Tue", "late"))
    assert given.known == ("day=Mon", "day=Tue", "late")
    assert given.values[:, 1:].tolist() == [[0, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("ds,y\n1,a\n2,a\n", {}, "holds only 'a'; there must be two"),
        ("ds,y\n1,\n2,\n", {}, "no symbol at all"),
        ("ds,y\n1,a\n3,b\n4,a\n", {"missing": "error", "freq": 1}, "missing"),
        ("ds,y\n1,a\n2,b\n", {"missing": "forward"}, "missing: forward is for numbers"),
        ("ds,y\n1,a\n2,b\n", {"layout": "wide"}, "layout: wide is for numbers"),
        ("ds,z\n1,a\n2,b\n", {}, "no column 'y'"),
        ("ds,y\n", {}, "no rows|no symbol"),
        ("ds,y\n1,a\n2,<unknown>\n", {}, "column 'y': <unknown> is what models call symbols that they do not know"),
        ("ds,y,a=b\n1,a,x\n2,b,y\n", {"known": ["a=b"]}, "cannot be called 'a=b', since = stands between"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, text, options, told):
    with pytest.raises(DataError, match=told):
        read_symbols(written(tmp_path, text), **options)


def test_too_many_symbols_are_refused_and_ten_thousand_are_not():
    def panel(count):
        return symbol_panel(pd.DataFrame({"ds": range(count), "y": [f"name {one}" for one in range(count)]}))

    assert len(panel(10_000).symbols) == 10_000
    with pytest.raises(DataError, match="20,001 different symbols"):
        panel(20_001)


def test_numbers_are_not_taken_for_symbols():
    from forecaster.series import panel_from_frame

    with pytest.raises(DataError, match="kind: symbols"):
        in_terms_of(panel_from_frame(pd.DataFrame({"ds": [1, 2, 3], "y": [1.0, 2.0, 3.0]})), (UNKNOWN, "a"))


def test_categories_are_those_that_a_model_was_trained_on():
    """Of newer rows all may be numbers, and some may be strange."""
    names = ["lesson=1", "lesson=2", "lesson=free", "late"]
    frame = pd.DataFrame({"ds": [1, 2, 3, 4], "y": list("abab"), "lesson": [1, 2, None, 7], "late": [0, 1, 0, 1]})
    panel = with_known(symbol_panel(frame, Columns(known=["lesson", "late"])), names)
    assert panel.known == tuple(names)
    found = panel.values[:, panel.known_columns]
    np.testing.assert_array_equal(found[:, 0], [1, 0, np.nan, 0])
    np.testing.assert_array_equal(found[:, 1:3].T, [[0, 1, np.nan, 0], [0, 0, np.nan, 0]])
    assert strange_categories(symbol_panel(frame, Columns(known=["lesson", "late"])), names) == ["lesson=7"]
    words = frame.assign(lesson=["1", "free", "FREE", None])
    assert strange_categories(symbol_panel(words, Columns(known=["lesson", "late"])), names) == ["lesson=FREE"]
    told = categories_apart(pd.DataFrame({"lesson": [1, 2]}), names, "known")
    assert told["lesson=1"].tolist() == [1.0, 0.0] and told["lesson=free"].tolist() == [0.0, 0.0]
