"""The candidates of a search, declared as data: what is tried, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        Expected time of one fold, relative to others of its family.
    memory : float
        Memory that the fit of one fold needs at most, beside the table, relative to ``lightgbm_quick``: the
        larger of what was measured on a long table (200,000 rows by 50 columns: 220 MB for the first) and on
        a wide one (2,000 by 4,000: 150 MB).
    why : str
        The code of the sentence that says why it is tried.
    tasks : tuple of str
        The tasks that it can do.
    most_rows : int or None
        It is left out for larger tables.
    skewed : bool
        Whether it is for quantities alone that are positive and skewed.
    texts : bool
        Whether it is for tables alone that have texts.
    """

    name: str
    family: str
    params: Mapping[str, Any] = field(default_factory=dict)
    cost: float = 1.0
    memory: float = 1.0
    why: str = ""
    tasks: tuple[str, ...] = SUPERVISED
    most_rows: int | None = None
    skewed: bool = False
    texts: bool = False


BASELINE = Candidate("baseline", "baseline", cost=0.0, memory=0.0, why="engine.why_baseline")

PORTFOLIO: tuple[Candidate, ...] = (
    Candidate(
        "lightgbm_quick",
        "lightgbm",
        {
            "learning_rate": 0.3,
            "num_leaves": 16,
            "min_data_in_leaf": 20,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "bin_construct_sample_cnt": 10_000,  # half of so short a fit would be the search for bins
            "rounds": 40,
            "patience": 10,
        },
        cost=0.11,
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
        cost=1.0,
        memory=4.0,  # 31 leaves, each with a histogram of 255 bins for every column
        why="engine.why_lightgbm",
    ),
    Candidate(
        "linear",
        "linear",
        {"strengths": (0.003, 0.02, 0.1, 0.5, 3.0), "steps": 60},
        cost=0.4,
        memory=1.5,  # a ridge works on two copies in double precision
        why="engine.why_linear",
        most_rows=500_000,
    ),
    Candidate(
        "stumps",
        "lightgbm",
        {
            "learning_rate": 0.1,
            "num_leaves": 4,
            "min_data_in_leaf": 10,
            "feature_fraction": 0.6,
            "rounds": 2000,
            "patience": 50,
        },
        cost=0.5,
        memory=1.0,
        why="engine.why_stumps",
    ),
    Candidate(
        "words",
        "words",
        {"strengths": (0.03, 0.15, 0.7, 4.0), "steps": 30},
        cost=1.0,
        memory=2.0,
        why="engine.why_words",
        texts=True,
    ),
    Candidate(
        "neural_wide",
        "neural",
        {
            "hidden": (256, 256, 256),
            "members": 1,
            "bins": 0,
            "rate": 0.003,
            "decay": 0.02,
            "dropout": 0.25,
            "epochs": 100,
        },
        cost=1.5,
        memory=0.2,
        why="engine.why_neural_wide",
        tasks=("multiclass",),
    ),
    Candidate(
        "kernel",
        "kernel",
        {
            "landmarks": 800,
            "width": 0.6,
            "shape": "gauss",
            "strengths": (0.1, 1.0, 10.0, 100.0, 1000.0),
            "steps": 60,
        },
        cost=2.0,
        memory=1.5,
        why="engine.why_kernel",
        most_rows=15_000,
    ),
    Candidate(
        "lightgbm_extra",
        "lightgbm",
        {
            "extra_trees": True,
            "learning_rate": 0.05,
            "num_leaves": 63,
            "feature_fraction": 0.8,
            "min_data_in_leaf": 10,
            "rounds": 3000,
            "patience": 60,
        },
        cost=2.0,
        memory=7.0,
        why="engine.why_lightgbm_extra",
    ),
    Candidate(
        "neural_bins",
        "neural",
        {
            "hidden": (128, 128),
            "members": 4,
            "bins": 12,
            "rate": 0.004,
            "decay": 0.02,
            "dropout": 0.2,
            "epochs": 100,
        },
        cost=1.2,
        memory=0.3,
        why="engine.why_neural_bins",
    ),
    Candidate(
        "spline",
        "spline",
        {"pairs": 0.0, "strengths": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0), "steps": 60},
        cost=0.5,
        memory=1.5,
        why="engine.why_spline",
        most_rows=200_000,
    ),
    Candidate(
        "lightgbm_log",
        "lightgbm",
        {
            "target": "log",
            "learning_rate": 0.04,
            "num_leaves": 24,
            "min_data_in_leaf": 15,
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "rounds": 3000,
            "patience": 60,
        },
        cost=1.5,
        memory=4.0,
        why="engine.why_lightgbm_log",
        skewed=True,
    ),
    Candidate(
        "lightgbm_codes",
        "lightgbm",
        {
            "native": False,
            "learning_rate": 0.07,
            "num_leaves": 40,
            "max_depth": 6,
            "feature_fraction": 0.8,
            "bagging_fraction": 0.9,
            "bagging_freq": 1,
            "min_data_in_leaf": 5,
            "lambda_l2": 1.0,
            "rounds": 2000,
            "patience": 40,
        },
        cost=1.0,
        memory=4.0,
        why="engine.why_lightgbm_codes",
    ),
    Candidate(
        "extra_trees",
        "forest",
        {"trees": 30, "min_samples_leaf": 1, "max_features": 1.0, "splitter": "random"},
        cost=0.6,
        memory=0.2,
        why="engine.why_extra",
        most_rows=15_000,
    ),
    Candidate(
        "neighbours",
        "neighbours",
        {"counts": (3, 5, 10, 20, 40, 80)},
        cost=1.0,
        memory=1.0,
        why="engine.why_neighbours",
        most_rows=20_000,
    ),
    Candidate(
        "pairs",
        "spline",
        {"pairs": 0.15, "strengths": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0), "steps": 60},
        cost=1.5,
        memory=1.5,
        why="engine.why_pairs",
        most_rows=50_000,
    ),
    Candidate(
        "spline_log",
        "spline",
        {"target": "log", "pairs": 0.0, "strengths": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0), "steps": 60},
        cost=0.5,
        memory=2.0,
        why="engine.why_spline_log",
        most_rows=50_000,
        skewed=True,
    ),
    Candidate(
        "lightgbm_careful",
        "lightgbm",
        {
            "learning_rate": 0.03,
            "num_leaves": 8,
            "min_data_in_leaf": 20,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 4.0,
            "rounds": 4000,
            "patience": 80,
        },
        cost=2.0,
        memory=2.0,  # 8 leaves of 255 bins
        why="engine.why_lightgbm_careful",
    ),
    Candidate(
        "lightgbm_large",
        "lightgbm",
        {
            "learning_rate": 0.03,
            "num_leaves": 127,
            "min_data_in_leaf": 5,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 2.0,
            "rounds": 3000,
            "patience": 60,
        },
        cost=3.0,
        memory=13.0,  # 127 leaves of 255 bins
        why="engine.why_lightgbm_large",
    ),
    Candidate(
        "kernel_sharp",
        "kernel",
        {
            "landmarks": 800,
            "width": 1.0,
            "shape": "laplace",
            "strengths": (0.1, 1.0, 10.0, 100.0, 1000.0),
            "steps": 60,
        },
        cost=2.0,
        memory=1.5,
        why="engine.why_kernel_sharp",
        most_rows=15_000,
    ),
    Candidate(
        "neural",
        "neural",
        {
            "hidden": (128, 128),
            "members": 4,
            "bins": 0,
            "rate": 0.004,
            "decay": 0.02,
            "dropout": 0.2,
            "epochs": 100,
        },
        cost=1.0,
        memory=0.2,
        why="engine.why_neural",
    ),
    Candidate(
        "forest",
        "forest",
        {"trees": 25, "min_samples_leaf": 3, "max_features": 0.3},
        cost=1.0,
        memory=0.2,  # no copy of the table, one tree at a time
        why="engine.why_forest",
    ),
    Candidate(
        "lightgbm_slow",
        "lightgbm",
        {
            "learning_rate": 0.015,
            "num_leaves": 48,
            "feature_fraction": 0.6,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "min_data_in_leaf": 15,
            "lambda_l1": 0.5,
            "rounds": 6000,
            "patience": 120,
        },
        cost=4.0,
        memory=6.0,
        why="engine.why_lightgbm_slow",
    ),
)
"""In order: a first answer at once, the strongest, others that are different, then variants to combine."""

STACK: tuple[Candidate, ...] = (
    Candidate(
        "stack_linear",
        "linear",
        {"strengths": (0.0003, 0.001, 0.003, 0.01, 0.1), "steps": 60, "view": "votes"},
        cost=0.3,
        memory=1.0,
        why="engine.why_stack_linear",
    ),
    Candidate(
        "stack_lightgbm",
        "lightgbm",
        {
            "view": "stack",
            "extra_trees": True,
            "learning_rate": 0.04,
            "num_leaves": 8,
            "feature_fraction": 0.4,
            "min_data_in_leaf": 30,
            "lambda_l2": 5.0,
            "rounds": 2000,
            "patience": 50,
        },
        cost=1.5,
        memory=4.0,
        why="engine.why_stack_lightgbm",
    ),
    Candidate(
        "stack_forest",
        "forest",
        {"view": "stack", "splitter": "random", "trees": 25, "min_samples_leaf": 5, "max_features": 0.5},
        cost=1.5,
        memory=0.2,
        why="engine.why_stack_forest",
    ),
)
"""The second level: they read what the first has predicted, and two of them the columns as well."""


FAST = Candidate(
    "fast",
    "distilled",
    {
        "learning_rate": 0.05,
        "num_leaves": 31,
        "min_data_in_leaf": 15,
        "feature_fraction": 0.8,
        "lambda_l2": 1.0,
        "rounds": 3000,
        "patience": 50,
    },
    cost=1.0,
    memory=4.0,
    why="engine.why_fast",
)
"""One boosted model that learns what the ensemble says: nearly as good, and quick to answer."""

HASTE: tuple[Mapping[str, Any], ...] = (
    {"learning_rate": 0.1, "rounds": 1500, "patience": 30},
    {"learning_rate": 0.2, "rounds": 750, "patience": 15},
)
"""What it is told instead where there is no time for so many rounds, or are too many classes."""


def candidates(
    task: str,
    rows: int,
    *,
    skewed: bool = False,
    texts: bool = False,
    others: Sequence[Candidate] = (),
) -> tuple[Candidate, ...]:
    """Choose the candidates for a task, a number of rows, a target and columns, in order.

    Parameters
    ----------
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    rows : int
        Number of training rows.
    skewed, texts : bool
        Whether the target is positive and skewed, and whether there are texts.
    others : sequence of Candidate
        Those of extensions, which come last.
    """
    return tuple(
        c
        for c in (*PORTFOLIO, *others)
        if task in c.tasks
        and (c.most_rows is None or rows <= c.most_rows)
        and (skewed or not c.skewed)
        and (texts or not c.texts)
    )
