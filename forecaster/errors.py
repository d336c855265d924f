"""The errors that a user may meet: each says what was found and what to write instead.

Every one is a `ForecasterError`; the command line prints its message and exits with its `exit_code`
(2: bad usage or bad input, 3: a fault on our side), never with a traceback.
"""

__all__ = [
    "DamagedError",
    "DataError",
    "DefinitionError",
    "ForecasterError",
    "GroupsError",
    "Interrupted",
    "LevelError",
    "ParityError",
    "StoreError",
    "TrainingError",
]


class ForecasterError(Exception):
    """Base of all errors that name their cause and the remedy."""

    exit_code = 2


class DataError(ForecasterError):
    """The data cannot be used as they are: names file, row, column and remedy."""


class DefinitionError(ForecasterError):
    """A pipeline or model file says something impossible: names file, line, key and remedy."""


class LevelError(ForecasterError):
    """An interval level was asked for that was not trained: names the trained ones."""


class TrainingError(ForecasterError):
    """A fit came to a bad end (a loss that is not finite, say): says at which step and what to try."""


class StoreError(ForecasterError):
    """A published version is missing, damaged or of a format that this program does not know."""


class DamagedError(StoreError):
    """A published version's files or manifest are not what was published: names the file and the remedy."""


class ParityError(StoreError):
    """An exported network forecasts something else than the trained one: it is kept back."""


class GroupsError(ForecasterError):
    """Some groups of a run came to a bad end, the others are done: names them.

    Args:
        message: In plain words.
        exit_code: The worst of theirs.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(ForecasterError):  # noqa: N818 - it is no fault
    """The user ended a run (Ctrl-C): says how to go on from the checkpoint."""

    exit_code = 130
