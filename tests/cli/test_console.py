from pathlib import Path

from forecaster.cli.console import near


def test_a_path_is_shown_from_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert near(tmp_path / "models" / "store") == Path("models/store")
    assert near(Path("models")) == Path("models")
    assert near(tmp_path.parent / "elsewhere") == tmp_path.parent / "elsewhere"
