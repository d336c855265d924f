"""The `groups` of a pipeline's data: a panel too large for one fit is split, and each group has a model of its own."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

__all__ = ["CHOSEN", "GroupsDefinition"]

CHOSEN = "chosen"
"""What the networks that were chosen, each in its group, are called together."""
RESERVED = "challenger"
"""A server offers a pipeline's challenger as `<name>-challenger`."""


class GroupsDefinition(BaseModel):
    """How series are split into groups, and which of them is meant.

    Example:
        >>> GroupsDefinition(by="region").name_of("sales", "north")
        'sales-north'
        >>> GroupsDefinition(hash=8).name_of("sales", "3")
        'sales-3of8'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str | None = Field(default=None, description="column whose value, one a series, names the series' group")
    hash: Annotated[int, Field(ge=2, le=100_000)] | None = Field(
        default=None, description="number of groups into which series are put by a hash of their id"
    )
    only: str | None = Field(default=None, description="this group alone; omit for one model a group")

    @field_validator("only", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("only")
    @classmethod
    def _some_group(cls, only: str | None, info: ValidationInfo) -> str | None:
        count = info.data.get("hash")
        if only is not None and count and not (only.isdecimal() and int(only) < count and only == str(int(only))):
            raise ValueError(f"is {only!r}, but the groups are 0 to {count - 1}; write one of these")
        return only

    @model_validator(mode="after")
    def _one_way(self) -> GroupsDefinition:
        if (self.by is None) == (self.hash is None):
            raise ValueError("should be {by: COLUMN}, or {hash: 8} for eight groups; write one of the two")
        return self

    @property
    def split(self) -> bool:
        """Whether there is a model for each group; otherwise one group alone is meant."""
        return self.only is None

    def one(self, label: str) -> GroupsDefinition:
        """One of the groups."""
        return self.model_copy(update={"only": label})

    def name_of(self, pipeline: str, label: str) -> str:
        """What a group's own pipeline is called: the name of its model in the store, in the ledger and at the server.

        A label that cannot be part of a name is written so that it can, with six digits of its SHA-256 behind it.
        """
        if self.hash:
            return f"{pipeline}-{label}of{self.hash}"
        plain = re.sub(r"[^A-Za-z0-9._]+", "_", label).strip("_.") or "group"
        if plain != label or plain == RESERVED:
            plain = f"{plain[:20]}_{hashlib.sha256(label.encode()).hexdigest()[:6]}"
        return f"{pipeline}-{plain}"
