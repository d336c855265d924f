"""Texts become panels: characters and words, of any plane, hashed; and what is no text is refused."""

import gzip
import hashlib
import unicodedata

import numpy as np
import pytest

from forecaster.config import PipelineDefinition, TextData
from forecaster.errors import DataError
from forecaster.series.source import load
from forecaster.series.text import joined, read_text, split_text, text_panel


def spelt(panel):
    return [panel.symbols[int(place)] for place in panel.target]


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("abba", ["a", "b", "b", "a"]),
        ("a\r\nb\rc\n", ["a", "\n", "b", "\n", "c", "\n"]),
        ("𝄞a😀", ["𝄞", "a", "😀"]),
        ("7 07", ["7", " ", "0", "7"]),
        ("nan", ["n", "a", "n"]),
    ],
)
def test_characters_are_code_points_with_one_kind_of_line_end(text, symbols):
    panel = text_panel(text)
    assert spelt(panel) == symbols
    assert panel.symbols == tuple(sorted(set(symbols)))
    assert panel.stamps(panel.first)[0] == 1
    assert panel.last[0] - panel.first[0] == len(symbols) - 1


@pytest.mark.parametrize(
    ("text", "words", "again"),
    [
        ("Doug saw Spot.\nSpot saw  Jane.", "Doug saw Spot . Spot saw Jane .", "Doug saw Spot. Spot saw Jane."),
        ("Isn't it 3.14, or 1,000?", "Isn't it 3.14 , or 1,000 ?", "Isn't it 3.14, or 1,000?"),
        ("well-known (so they say) ...", "well-known ( so they say ) ...", "well-known (so they say)..."),
        ('He said "go on"!', 'He said " go on " !', 'He said "go on"!'),
        ("007 is not 7; Ärger über 東京", "007 is not 7 ; Ärger über 東京", "007 is not 7; Ärger über 東京"),
    ],
)
def test_words_and_back(text, words, again):
    assert split_text(text, "word") == words.split()
    assert joined(split_text(text, "word"), "word") == again


def test_the_end_of_a_paragraph_is_a_symbol_and_a_line_end_is_none():
    text = "One\ntwo.\n \n\nThree"
    assert split_text(text, "word") == ["One", "two", ".", "\n\n", "Three"]
    assert joined(split_text(text, "word"), "word") == "One two.\n\nThree"


def test_the_text_is_hashed_as_it_is_read(tmp_path):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress("\ufeffto be,\r\nor not to be".encode()))
    panel = read_text(path)
    assert panel.notes["text sha256"] == hashlib.sha256(b"to be,\nor not to be").hexdigest()
    assert panel.notes["text"] == f"{path}: 19 characters, 9 different ones"
    assert "".join(spelt(panel)) == "to be,\nor not to be"


def test_every_python_carries_a_text(tmp_path):
    definition = PipelineDefinition(data={"source": "text", "unit": "word"}, horizon=1)
    assert definition.symbolic
    assert definition.baselines == ["most_frequent", "last", "bigram", "ngram"]
    assert PipelineDefinition.model_validate(definition.model_dump(mode="json")) == definition
    panel = load(definition.data, tmp_path, tmp_path)
    assert len(panel.target) > 50_000
    assert "topics of pydoc_data in Python 3." in panel.notes["text"]


def test_another_encoding(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("Ärger".encode("latin-1"))
    data = TextData(source="text", path="text.txt", encoding="latin-1")
    assert "".join(spelt(load(data, tmp_path, tmp_path))) == "Ärger"


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"", {}, "is empty: there is no character"),
        (b" \n\n ", {}, "is empty: there is nothing but blanks"),
        (b" \n\n ", {"unit": "word"}, "is empty: there is no word"),
        (b"aaaa", {}, "nothing but 'a', 4 times; a text must have two different characters"),
        (b"one\ntwo \xff\n", {}, "line 2: is not utf-8 text at byte 9.*latin-1"),
        (b"one \xff", {}, "say `encoding:` .latin-1, cp1252, utf-16"),
        (b"ab\nc\0d", {}, "line 2: has a NUL character"),
        (b"ab", {"encoding": "utf-7000"}, "encoding: 'utf-7000' is unknown"),
        (None, {}, "no such file"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, options, told):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_text(path, **options)


def test_a_damaged_archive_and_half_a_character_are_refused(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="cannot be read as a text"):
        read_text(path)
    with pytest.raises(DataError, match="half of a character"):
        text_panel("a\ud83d")


def test_ten_thousand_words_are_a_vocabulary_and_more_than_twenty_thousand_are_not():
    def text(count):
        return " ".join(f"w{number}" for number in range(count))

    panel = text_panel(text(10_000), "word")
    assert len(panel.symbols) == 10_000
    assert np.array_equal(np.sort(panel.target), np.arange(10_000))
    with pytest.raises(DataError, match=r"20,001 different words.*unit: character"):
        text_panel(text(20_001), "word")


def test_a_letter_and_its_accent_are_one_however_they_are_written():
    """As macOS writes them, and as others do; signs that are joined are one, too."""
    decomposed = unicodedata.normalize("NFD", "Der Bär und die schöne Straße.")
    assert split_text(decomposed, "word") == ["Der", "Bär", "und", "die", "schöne", "Straße", "."]
    assert split_text("x\u0304 \U0001f468\u200d\U0001f469 \u2764\ufe0f !!", "word") == [
        "x\u0304", "\U0001f468\u200d\U0001f469", "\u2764\ufe0f", "!!",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["character", "word"])
def test_line_ends_are_those_of_the_text_that_was_learnt(unit):
    assert split_text("a\r\n\r\nb\rc", unit) == split_text("a\n\nb\nc", unit)
