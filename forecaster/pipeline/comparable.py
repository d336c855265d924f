"""Whether a retrained network could ever be promoted: on as many forecast origins as the rule wants."""

from __future__ import annotations

from forecaster.config import PipelineDefinition
from forecaster.errors import DefinitionError
from forecaster.words import plural

__all__ = ["few_origins", "refuse_incomparable"]

FEWEST = 3
"""Origins that `promote.min_windows` may be lowered to."""


def refuse_incomparable(definition: PipelineDefinition) -> None:
    """Makes sure that champion and challenger can be compared.

    Raises:
        DefinitionError: The test part that the definition tells has fewer origins than the rule wants.
    """
    windows, wanted = definition.backtest.windows, definition.promote.min_windows
    if _against_champion(definition) and windows != "auto" and windows < wanted:
        raise DefinitionError(
            f"{definition.name}: backtest.windows is {windows} and promote.min_windows {wanted}, so no challenger "
            "could ever be compared with the champion; write more windows there or fewer here"
        )


def few_origins(definition: PipelineDefinition, origins: int) -> str:
    """What is told where the data have too few origins for a comparison, as yet; else nothing.

    Args:
        definition: The pipeline.
        origins: Of the test part, as the data are now.
    """
    wanted = definition.promote.min_windows
    if not _against_champion(definition) or origins >= wanted:
        return ""
    lower = max(origins, FEWEST)
    remedy = f"; to decide by fewer, write promote: {{min_windows: {lower}}}" if lower < wanted else ""
    return (
        f"will keep the champion until more data have come: the test part has {plural(origins, 'forecast origin')}, "
        f"and promote.min_windows wants {wanted}{remedy}"
    )


def _against_champion(definition: PipelineDefinition) -> bool:
    return "champion" in definition.promote.beat
