"""How a network is trained: the optimiser, the rate, and a schedule that ends when the share of time does.

The rate goes up and down four times, each time for about twice as long, and is zero at the end of each: these
are the places to stop at (``coslog4``, Holzmüller, Grinsztajn, Steinwart 2024). Adam has a short memory of
squares (0.95, as they found) and a decay that is apart from the gradient (Loshchilov, Hutter 2019).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np

from automl_jupyter.engine.learners import F32, Clock

CYCLES = 4
ENDS = tuple((2.0**i - 1) / (2.0**CYCLES - 1) for i in range(1, CYCLES + 1))
"""Shares of the schedule at which the rate is zero."""

_MOMENTUM, _SQUARES, _TINY = 0.9, 0.95, 1e-8
_UNTIMED, _BETWEEN = 3, 10
_MARGIN = 0.96
"""A schedule is planned for so much of the share; the rest is for what is not steps."""


def rate_at(done: float) -> float:
    """Rate between 0 and 1 after a share of the schedule between 0 and 1."""
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + (2**CYCLES - 1) * done)))


class Pace:
    """Counts how much of the schedule is done; goes faster where the share of time would not suffice.

    Where time suffices, the schedule depends on the number of steps alone. ``done`` is the share of the
    schedule that is done when the present step is.

    Parameters
    ----------
    steps : int
        Planned number of steps, at least 1.
    clock : Clock
        The time that there is.
    """

    def __init__(self, steps: int, clock: Clock) -> None:
        self.done = 0.0
        self._planned, self._left, self._clock = steps, steps, clock
        self._taken, self._began, self._timed = 0, time.monotonic(), 0.0

    def __iter__(self) -> Iterator[float]:
        """Give the middle of each step, as a share of the schedule, until the schedule or the share ends.

        Raises
        ------
        OutOfTime
            If the whole search is over.
        """
        while self.done < 1 and not self._clock.is_up():
            length = (1.0 - self.done) / self._left
            middle = self.done + length / 2
            self._left -= 1
            self.done = self.done + length if self._left else 1.0
            yield middle
            self._taken += 1
            if self._taken % _BETWEEN == _UNTIMED:
                self._plan_again()

    def _plan_again(self) -> None:
        now = time.monotonic()
        if self._taken == _UNTIMED:
            self._timed = now
        elif math.isfinite(self._clock.share):
            per_step = max(1e-7, (now - self._timed) / (self._taken - _UNTIMED))
            end = self._began + _MARGIN * (self._clock.share - self._began)
            affordable = max(1, int((end - now) / per_step))
            self._left = min(self._planned - self._taken, affordable)


class Adam:
    """Adam with decoupled decay, on all parameters in one array.

    Parameters
    ----------
    parameters : ndarray of shape (size,)
        Changed in place.
    decay : ndarray of shape (size,)
        Share of a parameter that a step of rate 1 takes away.
    """

    def __init__(self, parameters: F32, decay: F32) -> None:
        self._parameters, self._decay = parameters, decay
        self._mean, self._square, self._step = (np.zeros_like(parameters) for _ in range(3))
        self._taken = 0

    def step(self, gradient: F32, rate: float) -> None:
        """Take one step; the gradient is used up."""
        self._taken += 1
        step, mean, square = self._step, self._mean, self._square
        mean *= np.float32(_MOMENTUM)
        np.multiply(gradient, np.float32(1 - _MOMENTUM), out=step)
        mean += step
        gradient *= gradient
        gradient *= np.float32(1 - _SQUARES)
        square *= np.float32(_SQUARES)
        square += gradient
        np.multiply(square, np.float32(1 / (1 - _SQUARES**self._taken)), out=step)
        np.sqrt(step, out=step)
        step += np.float32(_TINY)
        np.divide(mean, step, out=step)
        step *= np.float32(rate / (1 - _MOMENTUM**self._taken))
        np.multiply(self._decay, np.float32(-rate), out=gradient)
        gradient += np.float32(1)
        self._parameters *= gradient
        self._parameters -= step
