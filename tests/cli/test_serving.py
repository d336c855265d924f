"""What `serve` makes of its options and its environment."""

import pytest

from forecaster.cli.serving import _settings
from forecaster.errors import DefinitionError
from forecaster.serving.settings import Limits


@pytest.mark.parametrize(
    ("held", "token"),
    [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), (" s3cret\r\n", "s3cret"), ("\n", None), ("", None)],
)
def test_a_token_from_a_mounted_file_is_the_token(monkeypatch, held, token):
    monkeypatch.setenv("FORECASTER_TOKEN", held)
    assert _settings("0.0.0.0", 8501, 2.0, Limits()).token == token


def test_a_port_that_there_is_not():
    with pytest.raises(DefinitionError, match="--port 65536: there is no such port"):
        _settings("127.0.0.1", 65536, 2.0, Limits())
