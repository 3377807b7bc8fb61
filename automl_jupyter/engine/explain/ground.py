"""What explanations stand on: the rows of which a model knows honest predictions, and ways to ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine import columns, tables
from automl_jupyter.engine.columns import Cells, Layout
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.explain.witnesses import Witnesses, take
from automl_jupyter.engine.learners import F32
from automl_jupyter.engine.task import Target

F64 = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

SMALLEST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken."""

UNKNOWN_ROWS = 20_000


@dataclass(frozen=True)
class Column:
    """A column that a model reads: its name, and where it stands among the cells."""

    name: str
    kind: str
    place: int

    def values(self, cells: Cells) -> npt.NDArray[Any]:
        """Give the cells of the column: numbers, codes of categories, or texts."""
        if self.kind == "category":
            return cells.codes[:, self.place]
        if self.kind == "text":
            return np.array(cells.texts[self.place], dtype=object)
        return cells.numbers[:, self.place]


def columns_of(plan: Layout) -> tuple[Column, ...]:
    """All columns that a model reads: numbers, categories, texts."""
    return tuple(
        Column(contract.name, contract.kind, place)
        for group in (plan.numbers, plan.categories, plan.texts)
        for place, contract in enumerate(group)
    )


def mixed(first: Cells, second: Cells, chosen: Mask) -> Cells:
    """Mix two sets of n rows cell by cell.

    Parameters
    ----------
    first, second : Cells
        n rows each.
    chosen : ndarray of bool, shape (n, columns)
        Where the cell of the first is taken; columns as in :func:`columns_of`.
    """
    a, b = first.numbers.shape[1], first.numbers.shape[1] + first.codes.shape[1]
    texts = tuple(
        [x if keep else y for x, y, keep in zip(one, other, chosen[:, b + j], strict=True)]
        for j, (one, other) in enumerate(zip(first.texts, second.texts, strict=True))
    )
    return Cells(
        np.where(chosen[:, :a], first.numbers, second.numbers),
        np.where(chosen[:, a:b], first.codes, second.codes),
        texts,
    )


def to_scale(raw: F32, target: Target) -> F64:
    """Bring coded predictions, shape (n, K), to the scale on which explanations add up.

    Returns
    -------
    ndarray of shape (n, outputs)
        Two classes: the log-odds of the second one, one output. More classes: the log-probability of each
        less their mean (the centred log-ratio of Aitchison 1982, "The statistical analysis of compositional
        data"). Quantities: in their unit, before they are kept within the range that was seen.
    """
    if target.classes is None:
        return raw.astype(np.float64) * target.scale + target.shift
    q = np.log(np.clip(raw.astype(np.float64), SMALLEST, 1.0))
    if target.task == "binary":
        return q[:, 1:] - q[:, :1]
    return np.asarray(q - q.mean(axis=1, keepdims=True))


SCALES = {"binary": "log_odds", "multiclass": "centred_log_probability", "regression": "target"}


@dataclass(frozen=True)
class Ground:
    """A model with rows that it can be asked about.

    Attributes
    ----------
    model : AutoMLSupervised
        The model.
    cells : Cells
        m rows of the table that it was learnt from.
    rows : ndarray of shape (m,)
        Where they stand in that table.
    truth : ndarray of shape (m,)
        Codes of classes, or quantities.
    predictions : ndarray of shape (m, K) or (m,)
        What models that had not seen the row predicted.
    """

    model: AutoMLSupervised
    cells: Cells
    rows: npt.NDArray[np.int32]
    truth: npt.NDArray[np.generic]
    predictions: F64

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the model reads."""
        return columns_of(self.model.preprocessor_.plan)

    @property
    def part(self) -> npt.NDArray[np.int8] | None:
        """The fold whose models had not seen each row; None where that is not known."""
        return self.model.evaluation_.part

    @property
    def threads(self) -> int:
        """How many threads answer."""
        return tables.threads_of(self.model.n_jobs)

    @cached_property
    def witnesses(self) -> Witnesses:
        """Models that have not seen the rows."""
        evaluation = self.model.evaluation_
        return Witnesses.of(self.model.ensemble_, evaluation.part, evaluation.order)

    def some(self, most: int, seed: int = 0) -> Positions:
        """Choose at most so many rows at random, the same ones each time; in increasing order."""
        if len(self) <= most:
            return np.arange(len(self))
        return np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))

    def ask(self, cells: Cells, answering: str = "ensemble") -> F64:
        """Give what is served for some rows, on the scale of explanations, shape (n, outputs)."""
        return to_scale(self.model._raw_cells(cells, answering), self.model.target_)

    def judge(self, cells: Cells, rows: Positions) -> F64:
        """Give what models that have not seen some of our rows say of them, with other cells.

        Parameters
        ----------
        cells : Cells
            Cells for these rows.
        rows : ndarray of shape (n,)
            Which of our rows they stand for.

        Returns
        -------
        ndarray of shape (n, K) or (n,)
            Probabilities, or quantities.
        """
        target = self.model.target_
        if self.witnesses.share == 0:
            raw = self.model._raw_cells(cells, "ensemble")
        else:
            raw = self.witnesses.predict(self.model.preprocessor_, cells, rows, self.threads)
        return target.decode(raw) if target.classes is None else raw.astype(np.float64)


def ground_of(model: AutoMLSupervised, X: pd.DataFrame, y: pd.Series | None = None) -> Ground:
    """Read the rows of which a model knows honest predictions.

    Parameters
    ----------
    model : AutoMLSupervised
        A fitted model.
    X : DataFrame
        The table that it was fitted to, with its rows in that order.
    y : Series, optional
        Its target; needed for models of earlier releases alone, which know no rows: some rows are taken then,
        with what is served for them.
    """
    evaluation = model.evaluation_
    if evaluation.rows is None:
        return _unknown(model, X, y)
    cells, _ = columns.read_frame(model.preprocessor_.plan, X.iloc[evaluation.rows])
    return Ground(model, cells, evaluation.rows, evaluation.truth, evaluation.predictions)


def _unknown(model: AutoMLSupervised, X: pd.DataFrame, y: pd.Series | None) -> Ground:
    known = np.arange(len(X)) if y is None else np.flatnonzero(y.notna().to_numpy())
    if len(known) > UNKNOWN_ROWS:
        known = np.sort(np.random.default_rng(0).choice(known, UNKNOWN_ROWS, replace=False))
    cells, _ = columns.read_frame(model.preprocessor_.plan, X.iloc[known])
    raw = model._raw_cells(cells, "ensemble")
    classes = model.target_.classes
    if classes is None:
        said = model.target_.decode(raw)
        truth = said if y is None else y.iloc[known].to_numpy(np.float64)
        return Ground(model, cells, known.astype(np.int32), truth, said)
    codes = raw.argmax(axis=1)
    if y is not None:
        values = y.iloc[known].astype(object)
        at = {str(label): code for code, label in enumerate(classes.tolist())}
        codes = np.array([at.get(str(value), codes[i]) for i, value in enumerate(values)])
    return Ground(model, cells, known.astype(np.int32), codes, raw.astype(np.float64))


Ask = Callable[[Cells], F64]


def seconds_per_row(ask: Ask, cells: Cells, n: int = 64) -> float:
    """Measure what a row costs among some, in seconds."""
    some = take(cells, np.arange(min(n, len(cells.numbers))))
    began = time.perf_counter()
    ask(some)
    return max((time.perf_counter() - began) / max(1, len(some.numbers)), 1e-7)


def names(found: Sequence[Column]) -> list[str]:
    """The names of some columns."""
    return [column.name for column in found]
