"""The second level: what it reads, and the material that it is fitted to.

Wolpert (1992), "Stacked generalization"; Ting and Witten (1999), "Issues in stacked generalization", find
probabilities of the first level to be what the second should read, and a linear model to do it well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.ensemble import votes
from automl_jupyter.engine.fitting import Material
from automl_jupyter.engine.trials import FinishedTrial

MOST_READ, MOST_VOTES = 10, 400
"""So many trials are read, fewer where they would be more than so many columns."""

READ_SHARE = 0.8
"""All that is read may take this part of the time that a prediction may take; three are read in any case."""

FEWEST_TRIALS = 4
"""With fewer trials there is nothing to weigh."""


def chosen(
    pool: Sequence[FinishedTrial],
    weights: npt.NDArray[np.float64],
    losses: Mapping[str, float],
    width: int,
    shares: Sequence[float],
) -> list[FinishedTrial]:
    """Choose what the second level reads: what the ensemble uses, filled up with the best of the rest.

    Parameters
    ----------
    pool : sequence of FinishedTrial
        The first level.
    weights : ndarray of shape (trials,)
        Their weights in an ensemble.
    losses : mapping
        Of each trial.
    width : int
        Columns of a prediction.
    shares : sequence of float
        The part of the time that a prediction may take, which each takes.
    """
    most = max(3, min(MOST_READ, MOST_VOTES // width))
    found: list[int] = []
    for i in sorted(range(len(pool)), key=lambda i: (weights[i] <= 0, losses[pool[i].trial.name])):
        dear = sum(shares[j] for j in (*found, i)) > READ_SHARE
        if len(found) < most and (len(found) < 3 or not dear):
            found.append(i)
    return [pool[i] for i in sorted(found)]


def material_above(material: Material, read: Sequence[FinishedTrial]) -> Material:
    """Give the material of the second level: the same rows, with what the first level predicts for each.

    What it predicts for a row comes from models that had not seen the row.

    Parameters
    ----------
    material : Material
        That of the first level.
    read : sequence of FinishedTrial
        What the second level reads.
    """
    seen = [f.predictions for f in read if f.predictions is not None]
    views = material.views.with_votes(votes(seen, material.target.task))
    return replace(material, views=views, divisions=material.divisions[:1])
