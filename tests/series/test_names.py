"""Names in a row."""

import pytest

from forecaster.errors import DataError
from forecaster.series.names import listed, unlisted


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["soup", "pizza"], "soup, pizza"),
        (["fish, chips"], '"fish, chips"'),
        (['5" sub', '"deluxe", large'], '5" sub, """deluxe"", large"'),
        (["Käse", "<unknown>"], "Käse, <unknown>"),
        ([], ""),
    ],
)
def test_what_is_written_is_read_back(names, text):
    assert listed(names) == text
    assert unlisted(text) == names


def test_blanks_and_empty_names_do_not_count():
    assert unlisted(' soup ,, "fish, chips",') == ["soup", "fish, chips"]


@pytest.mark.parametrize("text", ['"fish, chips', '"fish" chips, soup', "soup\nfish"])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(DataError, match="is no list of names"):
        unlisted(text)
