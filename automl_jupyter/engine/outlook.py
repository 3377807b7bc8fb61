"""What more time would bring: the curve of losses so far, and what its end says of what follows.

Learning and search curves fall like a power of what is spent: Viering and Loog (2023), "The shape of learning
curves: a review". One run is too short to tell that power; its last part is therefore weighed against a usual
one. How far the constants here hold is told by ``python -m benchmarks quality outlook``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FIRST, RATIO = 1.0, 1.4142135
"""The curve is looked at after so many seconds, and then each time so many times as many have gone by."""

LOOKS_BACK = 4
"""So many of the last points tell how steep the curve is: that is from a quarter of the time on."""

USUAL, OWN = 0.008, 0.5
"""How steep a curve usually is, as the share of its loss that it loses while time grows e-fold; and what the
curve's own steepness counts against it."""

FADES = 0.35
"""How much less steep it becomes for each e-fold of time."""

SPREAD = 3.0
"""The range that is told goes from the gain divided by this to the gain times this."""


@dataclass(frozen=True)
class Point:
    """The loss of the ensemble of what was there after some seconds."""

    seconds: float
    loss: float


@dataclass(frozen=True)
class Outlook:
    """What is expected of more time.

    Attributes
    ----------
    seconds : float
        So many more.
    gain : float
        What part of the loss they would take off.
    low, high : float
        A rough range of that; no interval of stated confidence.
    """

    seconds: float
    gain: float
    low: float
    high: float


def is_due(points: Sequence[Point], seconds: float) -> bool:
    """Tell whether the curve should be looked at after so many seconds."""
    return seconds >= (points[-1].seconds * RATIO if points else FIRST)


def outlook(points: Sequence[Point], seconds: float) -> Outlook | None:
    """Tell what so many more seconds would bring.

    Parameters
    ----------
    points : sequence of Point
        The curve so far, in order.
    seconds : float
        How many more.

    Returns
    -------
    Outlook or None
        None while there are fewer than three points, or the loss is none.
    """
    if len(points) < 3 or points[-1].loss <= 0 or not all(math.isfinite(p.loss) for p in points[-3:]):
        return None
    before, now = points[-min(LOOKS_BACK + 1, len(points))], points[-1]
    apart = math.log(now.seconds / before.seconds)
    own = max(0.0, math.log(max(before.loss, 1e-300) / now.loss) / apart)
    # Over the stretch that was looked at it was steeper on average than it is at its end.
    end = OWN * own * math.exp(-FADES * apart / 2) + (1 - OWN) * USUAL
    ahead = math.log1p(seconds / now.seconds)
    gain = 1 - math.exp(-end * (1 - math.exp(-FADES * ahead)) / FADES)
    return Outlook(seconds, gain, gain / SPREAD, min(1.0, gain * SPREAD))
