import logging
from pathlib import Path

from forecaster.cli.console import logging_to, near


def test_a_path_is_shown_from_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert near(tmp_path / "models" / "store") == Path("models/store")
    assert near(Path("models")) == Path("models")
    assert near(tmp_path.parent / "elsewhere") == tmp_path.parent / "elsewhere"


def test_what_others_do_to_the_root_logger_prints_nothing_twice(capfd, monkeypatch):
    """TensorFlow's first export gives it a handler of everything, if it has none."""
    monkeypatch.setattr(logging.root, "handlers", [])
    logging_to(verbose=False, file=None)
    logging.info("an export")
    logging.getLogger("forecaster.somewhere").info("quiet")
    assert capfd.readouterr() == ("", "")


def test_what_others_warn_of_is_printed_once(capfd, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    logging_to(verbose=False, file=None)
    logging.getLogger("apscheduler").warning("a run was skipped")
    logging.getLogger("forecaster.somewhere").warning("a gap")
    printed = capfd.readouterr().err
    assert printed.count("a run was skipped") == 1 and printed.count("a gap") == 1
