"""What a network of a text makes up while it learns, told with its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from forecaster.forecasting.training import Control, Progress

__all__ = ["with_samples"]

MOST = 20
"""Samples of a fit, about."""


def with_samples(control: Control, steps: int, around: int, sample: Callable[[], str]) -> Control:
    """The same control, which tells a sample each time that the text has been read, or a fourth of the fit is done.

    Args:
        control: Of the fit.
        steps: Of the fit, at most.
        around: Steps in which the text is read once.
        sample: Makes one.

    Example:
        >>> told = []
        >>> control = with_samples(Control(report=told.append), steps=60, around=20, sample=lambda: "Once upon")
        >>> for step in (10, 20, 30, 40):
        ...     control.report(Progress("lstm", step, 60))
        >>> [(progress.step, progress.around, progress.sample) for progress in told if progress.sample]
        [(20, 1.0, 'Once upon'), (40, 2.0, 'Once upon')]
    """
    every = around * -(-steps // (around * MOST)) if around <= steps // 2 else max(steps // 4, 1)
    seen = 0

    def report(progress: Progress) -> None:
        nonlocal seen
        if progress.step // every > seen and not progress.finishing:
            seen = progress.step // every
            progress = replace(progress, sample=sample(), around=progress.step / around)
        control.report(progress)

    return replace(control, report=report)
