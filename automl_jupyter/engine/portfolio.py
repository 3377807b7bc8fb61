"""The candidates of a search, declared as data: what is tried, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl_jupyter.engine.admission import SUPERVISED


@dataclass(frozen=True)
class Candidate:
    """One thing to try.

    Attributes
    ----------
    name : str
        Its line of the leaderboard.
    family : str
        The learner, a key of :data:`automl_jupyter.engine.fitting.LEARNERS`.
    params : mapping
        What the learner is told.
    cost : float
        Expected time of one fold, relative to the first candidate.
    memory : float
        Memory that the fit of one fold needs at most, beside the table, relative to the first candidate: the
        larger of what was measured on a long table (200,000 rows by 50 columns: 220 MB for the first) and on
        a wide one (2,000 by 4,000: 150 MB).
    why : str
        The code of the sentence that says why it is tried.
    tasks : tuple of str
        The tasks that it can do.
    most_rows : int or None
        It is left out for larger tables.
    """

    name: str
    family: str
    params: Mapping[str, Any] = field(default_factory=dict)
    cost: float = 1.0
    memory: float = 1.0
    why: str = ""
    tasks: tuple[str, ...] = SUPERVISED
    most_rows: int | None = None


BASELINE = Candidate("baseline", "baseline", cost=0.0, memory=0.0, why="engine.why_baseline")

PORTFOLIO: tuple[Candidate, ...] = (
    Candidate(
        "lightgbm_quick",
        "lightgbm",
        {
            "learning_rate": 0.2,
            "num_leaves": 16,
            "min_data_in_leaf": 20,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "rounds": 60,
            "patience": 10,
        },
        cost=1.0,
        memory=1.0,
        why="engine.why_lightgbm_quick",
    ),
    Candidate(
        "lightgbm",
        "lightgbm",
        {
            "learning_rate": 0.05,
            "num_leaves": 31,
            "min_data_in_leaf": 20,
            "feature_fraction": 0.8,
            "rounds": 3000,
            "patience": 50,
        },
        cost=10.0,
        memory=4.0,  # 31 leaves, each with a histogram of 255 bins for every column
        why="engine.why_lightgbm",
    ),
    Candidate(
        "linear",
        "linear",
        {"strengths": (0.003, 0.05, 1.0), "steps": 60},
        cost=3.0,
        memory=1.5,  # a ridge works on two copies in double precision
        why="engine.why_linear",
        most_rows=500_000,
    ),
    Candidate(
        "forest",
        "forest",
        {"trees": 25, "min_samples_leaf": 3, "max_features": 0.3},
        cost=10.0,
        memory=0.2,  # no copy of the table, one tree at a time
        why="engine.why_forest",
    ),
    Candidate(
        "lightgbm_careful",
        "lightgbm",
        {
            "learning_rate": 0.03,
            "num_leaves": 12,
            "min_data_in_leaf": 10,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 3.0,
            "rounds": 4000,
            "patience": 80,
        },
        cost=15.0,
        memory=2.0,  # 12 leaves of 255 bins
        why="engine.why_lightgbm_careful",
    ),
    Candidate(
        "lightgbm_large",
        "lightgbm",
        {
            "learning_rate": 0.04,
            "num_leaves": 96,
            "min_data_in_leaf": 8,
            "feature_fraction": 0.6,
            "extra_trees": True,
            "rounds": 3000,
            "patience": 60,
        },
        cost=12.0,
        memory=10.0,  # 96 leaves of 255 bins
        why="engine.why_lightgbm_large",
    ),
)
"""In order: a first answer at once, the strongest, others that are different, then variants to combine."""


def candidates(task: str, rows: int) -> tuple[Candidate, ...]:
    """Choose the candidates for a task and a number of rows, in order."""
    return tuple(c for c in PORTFOLIO if task in c.tasks and (c.most_rows is None or rows <= c.most_rows))
