"""What is served at the end of a search: as much of the ensemble as answers quickly enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import ensemble
from automl_jupyter.engine.ensemble import Cost, Ensemble, Member, Selector
from automl_jupyter.engine.merging import merged
from automl_jupyter.engine.portfolio import FAST, STACK
from automl_jupyter.engine.trials import FinishedTrial

_ABOVE = frozenset(candidate.name for candidate in STACK)


@dataclass(frozen=True)
class Choice:
    """What is served of all that was found.

    Attributes
    ----------
    pool : list of FinishedTrial
        What the ensemble may use.
    weights : ndarray of shape (len(pool),)
        How much it uses of each.
    below : list of FinishedTrial
        What the second level reads.
    selector : Selector
        Who chose the weights.
    """

    pool: list[FinishedTrial]
    weights: npt.NDArray[np.float64]
    below: list[FinishedTrial]
    selector: Selector

    @property
    def used(self) -> dict[str, tuple[FinishedTrial, float]]:
        """By name, what has a weight, and the weight."""
        pairs = zip(self.pool, self.weights, strict=True)
        return {f.trial.name: (f, float(w)) for f, w in pairs if w > 0}


def choose(
    pool_of: Callable[[int], list[FinishedTrial]],
    selector_of: Callable[[Sequence[FinishedTrial]], Selector],
    read: Sequence[str],
    rows: int,
) -> Choice:
    """Choose weights, of models that together answer quickly enough.

    Parameters
    ----------
    pool_of : callable
        Gives what is there up to a level, 1 or 2.
    selector_of : callable
        Gives who chooses weights of a pool.
    read : sequence of str
        The names of those that the second level reads.
    rows : int
        Number of training rows.
    """
    pool = pool_of(2)
    selector = selector_of(pool)
    weights = selector.weights()
    light, kept = lightened(pool, weights, read, rows)
    if has_second(pool, weights > 0) and not has_second(pool, kept):
        # Weights that were chosen beside the second level say nothing of what serves without it.
        pool, read = pool_of(1), ()
        selector = selector_of(pool)
        weights = selector.weights()
        light, kept = lightened(pool, weights, read, rows)
    below = [f for f in light if f.trial.name in read]
    if not kept.all():
        light = [f for f, keep in zip(light, kept, strict=True) if keep]
        selector = selector.without(kept)
        weights = selector.weights()
    return Choice(light, weights, below, selector)


def lightened(
    pool: Sequence[FinishedTrial], weights: npt.NDArray[np.float64], read: Sequence[str], rows: int
) -> tuple[list[FinishedTrial], npt.NDArray[np.bool_]]:
    """Leave out repeats, and then whole members, until all together answer quickly enough.

    Parameters
    ----------
    pool : sequence of FinishedTrial
        What the ensemble may use.
    weights : ndarray of shape (len(pool),)
        What it would use of it.
    read : sequence of str
        The names of those that the second level reads.
    rows : int
        Number of training rows.

    Returns
    -------
    pool : list of FinishedTrial
        All that were given, without the repeats that are left out.
    kept : ndarray of shape (len(pool),), bool
        Which of them the ensemble may use; the second level may still read others.
    """
    pool, shares = _thinned(list(pool), weights, read, rows)
    kept = ensemble.lighten(
        weights,
        shares,
        [f.trial.name in _ABOVE for f in pool],
        [i for i, f in enumerate(pool) if f.trial.name in read],
    )
    return pool, kept


def shares_of(pool: Sequence[FinishedTrial], rows: int) -> list[float]:
    """Tell of each trial, without its repeats, which part it takes of the time that a prediction may take."""
    width = pool[0].out_of_fold().shape[1]
    return [Cost.of(f.models[: max(1, len(f.models) // f.repeats)]).share(width, rows) for f in pool]


def has_second(pool: Sequence[FinishedTrial], chosen: npt.NDArray[np.bool_]) -> bool:
    """Tell whether one of those chosen is of the second level."""
    return any(f.trial.name in _ABOVE for f, one in zip(pool, chosen, strict=True) if one)


def _thinned(
    pool: list[FinishedTrial], weights: npt.NDArray[np.float64], read: Sequence[str], rows: int
) -> tuple[list[FinishedTrial], list[float]]:
    """Leave out repeats, the dearest first, while all together would answer too slowly.

    Gives what part of the time that may be spent each takes then.
    """
    width = pool[0].out_of_fold().shape[1]
    used = [i for i, f in enumerate(pool) if weights[i] > 0 or f.trial.name in read]
    shares = [Cost.of(f.models).share(width, rows) for f in pool]
    while sum(shares[i] for i in used) > 1:
        thin = [i for i in used if pool[i].repeats > 1 and len(pool[i].models) > 1]
        if not thin:
            break
        i = max(thin, key=lambda i: shares[i])
        left = pool[i].repeats - 1
        models = pool[i].models[: len(pool[i].models) * left // (left + 1)]
        pool[i] = replace(pool[i], models=models, repeats=left)
        shares[i] = Cost.of(models).share(width, rows)
    return pool, shares


def served(
    task: str,
    used: Mapping[str, tuple[FinishedTrial, float]],
    read: Sequence[FinishedTrial],
    temperature: float,
) -> Ensemble:
    """Make the ensemble.

    Parameters
    ----------
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    used : mapping
        By name the members and their weights.
    read : sequence of FinishedTrial
        What the second level reads, where a member is of it.
    temperature : float
        By what log-odds are divided.
    """
    all_used = {name: Member(name, w, merged(f.models)) for name, (f, w) in used.items()}
    stack = tuple(member for name, member in all_used.items() if name in _ABOVE)
    below = read if stack else ()
    members = [member for name, member in all_used.items() if name not in _ABOVE]
    members += [Member(f.trial.name, 0.0, merged(f.models)) for f in below if f.trial.name not in used]
    return Ensemble(task, tuple(members), stack, tuple(f.trial.name for f in below), temperature)


def quick(task: str, finished: Mapping[str, FinishedTrial]) -> Ensemble | None:
    """Give the one quick model, if there was time for it."""
    found = finished.get(FAST.name)
    if found is None or not found.models:
        return None
    return Ensemble(task, (Member(FAST.name, 1.0, merged(found.models)),))
