"""The last stretch of a fit: what was kept from it until then is learnt from, too.

The validation part says when to stop and, with what `sparing` keeps from a fit, how wide intervals must be; it is also
the newest part of what may be seen.
A network that has not learnt from it forecasts from a world that has moved on, and of short series it has seen little.
So the fit goes on from its best weights, for some steps, over all windows.

Networks of numbers that go step by step have none: they learn the next step alone, and the further ones are worse for
more of it. Half-hourly electricity demand, 28 forecasts of a day, `recursive_gru`, two seeds: a finish of a third took
the MASE from 0.429 and 0.353 to 0.585 and 0.521, and what 80 % intervals held from 80 and 82 % to 66 and 67 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError, Interrupted, TrainingError
from forecaster.forecasting.defaults import Resolved
from forecaster.forecasting.lessons import Examples, window_batches
from forecaster.forecasting.training import Control, Progress
from forecaster.series import Panel, training_windows
from forecaster.series.runs import Runs, sequences

if TYPE_CHECKING:
    from forecaster.networks.network import Network

__all__ = ["OF_SEQUENCES", "OF_WINDOWS", "Finished", "all_sequences", "all_windows", "finish", "refuse_finish"]

OF_WINDOWS, OF_SEQUENCES = 0.66, 0.33
"""Steps of a finish, in shares of those that led to the best weights, where a model file leaves that open."""
SHARE_OF_RATE = 0.5
"""Of the fit's learning rate, at the peak."""


def refuse_finish(panel: Panel, definition: ModelDefinition) -> None:
    """Refuses a model file that asks for a finish of a network of numbers that goes step by step.

    Args:
        panel: What it learns from.
        definition: The model file.

    Raises:
        DefinitionError: It does.
    """
    if definition.windowed or panel.symbols or definition.finish in ("auto", 0.0):
        return
    raise DefinitionError(
        f"{definition.name}: finish: {definition.finish:g}, but strategy: recursive has none for numbers: it learns "
        "the next step, and forecasts those behind it worse for more of that; leave finish out, or write "
        "strategy: direct or seq2seq"
    )


class Finished:
    """The weights of a network before and after it was finished.

    Args:
        network: Whose weights are meant.
        before: Those that the validation part has chosen.
    """

    def __init__(self, network: Network, before: list[np.ndarray]) -> None:
        self._network, self._before = network, before

    def of(self, network: Network) -> Finished:
        """The same of another network that has the weights of this one."""
        return Finished(network, self._before)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """The network as it was before it learnt from what was kept from the fit, to be judged by that."""
        after = self._network.forecast.get_weights()
        self._network.forecast.set_weights(self._before)
        try:
            yield
        finally:
            self._network.forecast.set_weights(after)


def all_windows(
    panel: Panel, resolved: Resolved, horizon: int, definition: ModelDefinition, seed: int
) -> Callable[[int], Examples]:
    """The batches of a finish, from all windows of the fitting part.

    Args:
        panel: The fitting part.
        resolved: Lookback, transform.
        horizon: Steps to forecast.
        definition: Batch size, share of mixtures and of what is hidden.
        seed: Of the draws, which go on behind those of the fit.
    """
    batch = window_batches(training_windows(panel, resolved.lookback, horizon), resolved, definition, seed)
    return lambda step: batch(definition.steps + step)


def all_sequences(
    panel: Panel, resolved: Resolved, horizon: int, definition: ModelDefinition, seed: int
) -> Callable[[int], Examples]:
    """The same for a network that goes step by step: sequences at random, or runs with the state carried on.

    Args are those of `all_windows`.
    """
    if definition.carry_state:
        return Runs(panel, int(definition.batch_size), definition.truncate or resolved.lookback, seed).batch
    windows, known = training_windows(panel, resolved.lookback, horizon), len(panel.known_inputs)

    def batch(step: int) -> Examples:
        drawn = windows.draw(int(definition.batch_size), seed, definition.steps + step)
        return sequences(windows.gather(drawn), known, panel.filling)

    return batch


def finish(
    network: Network, batch: Callable[[int], Examples], definition: ModelDefinition, taken: int, control: Control
) -> Finished:
    """Goes on from the best weights over all windows, at half the learning rate, which falls to nothing.

    Quantiles learn without the stretch that calibration gave them, and get it back.

    Args:
        network: Trained and calibrated.
        batch: The batch of a step.
        definition: Learning rate and so on; `finish` says how many steps.
        taken: Steps after which the fit was at its best; from warm weights, all that it might have taken.
        control: Watching and stopping. An interrupted finish begins anew when the fit is resumed.

    Raises:
        Interrupted: `control.stop` said so.
        TrainingError: The loss is not finite.
    """
    done = Finished(network, network.forecast.get_weights())
    steps = round(float(definition.finish) * taken)
    if steps == 0:
        return done
    stretch = np.array(network.stretch.numpy())
    network.stretch.assign(np.ones_like(stretch))
    network.train.optimizer.restart(SHARE_OF_RATE * definition.learning_rate, steps, steps // 10)
    for step in range(steps):
        if control.stop():
            raise Interrupted(f"stopped at step {step} of {steps} of finishing {definition.name}")
        examples = batch(step)
        shown = network.lesson(examples.inputs, examples.target, definition.steps + step)
        if not math.isfinite(float(network.train.train_on_batch(shown, examples.target))):
            raise TrainingError(
                f"{definition.name}: the loss is not finite at step {step} of its finish; write finish: 0"
            )
        if step % 10 == 9:
            control.report(Progress(str(definition.name), step + 1, steps, finishing=True))
    control.report(Progress(str(definition.name), steps, steps, done=True, finishing=True))
    if definition.averaging:
        network.train.optimizer.finalize_variable_values(network.train.trainable_variables)
    network.stretch.assign(stretch)
    return done
