"""Which columns say the same: permuted one by one, each would look dispensable beside the other.

Two numbers are associated by Spearman's rank correlation, two categories by Cramér's V with Bergsma's
correction (2013, "A bias-correction for Cramér's V and Tschuprow's T"), a number and a category by the
correlation ratio of the number's ranks. Columns are joined by complete linkage as long as every two of a
group are associated by :data:`TOGETHER` at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.explain.ground import F64, Column
from automl_jupyter.engine.explain.witnesses import take

TOGETHER = 0.7
ROWS = 2000


def groups(cells: Cells, columns: Sequence[Column], rows: npt.NDArray[np.intp]) -> list[list[int]]:
    """Join columns that say the same.

    Parameters
    ----------
    cells : Cells
        Rows of the table.
    columns : sequence of Column
        Its columns.
    rows : ndarray of int
        Rows to look at; the first :data:`ROWS` of them are.

    Returns
    -------
    list of list of int
        Positions in `columns`; each belongs to one group, in order of its first column.
    """
    if len(columns) < 2:
        return [[i] for i in range(len(columns))]
    near = association(take(cells, rows[:ROWS]), columns)
    distance = squareform(1 - near, checks=False)
    label = fcluster(linkage(distance, "complete"), 1 - TOGETHER + 1e-9, "distance")
    found: dict[int, list[int]] = {}
    for position, name in enumerate(label.tolist()):
        found.setdefault(name, []).append(position)
    return sorted(found.values())


def association(cells: Cells, columns: Sequence[Column]) -> F64:
    """Give how much each two columns are associated, from 0 to 1; texts stand alone; shape (p, p)."""
    p = len(columns)
    result = np.eye(p)
    ranks = {i: _ranks(c.values(cells)) for i, c in enumerate(columns) if c.kind not in ("category", "text")}
    codes = {
        i: np.unique(c.values(cells), return_inverse=True)[1]
        for i, c in enumerate(columns)
        if c.kind == "category"
    }
    for i in range(p):
        for j in range(i):
            if i in ranks and j in ranks:
                value = abs(float(ranks[i] @ ranks[j]))
            elif i in codes and j in codes:
                value = _cramer(codes[i], codes[j])
            elif i in ranks and j in codes:
                value = _ratio(ranks[i], codes[j])
            elif i in codes and j in ranks:
                value = _ratio(ranks[j], codes[i])
            else:
                value = 0.0
            result[i, j] = result[j, i] = min(value, 1.0)
    return result


def _ranks(values: npt.NDArray[Any]) -> F64:
    """Ranks, centred and of length one; missing values get the middle one."""
    numbers = values.astype(np.float64)
    known = ~np.isnan(numbers)
    ranks = np.zeros(len(numbers))
    if known.any():
        ranks[known] = rankdata(numbers[known])
        ranks[known] -= ranks[known].mean()
    length = float(np.sqrt(ranks @ ranks))
    return ranks / length if length > 0 else ranks


def _ratio(ranks: F64, codes: npt.NDArray[np.intp]) -> float:
    """The correlation ratio, with what categories explain by chance alone taken off."""
    n, sizes = len(ranks), np.bincount(codes)
    sums = np.bincount(codes, ranks)
    explained = float((sums**2 / np.maximum(sizes, 1)).sum())
    k = int((sizes > 0).sum())
    if n <= k:
        return 0.0
    return float(np.sqrt(max(0.0, 1 - (1 - explained) * (n - 1) / (n - k)))) if ranks.any() else 0.0


def _cramer(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> float:
    n, width = len(first), int(second.max()) + 1
    table = np.bincount(first * width + second, minlength=(int(first.max()) + 1) * width).reshape(-1, width)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / np.maximum(expected, 1e-12)).sum()) / n
    r, c = table.shape
    phi = max(0.0, phi - (r - 1) * (c - 1) / max(n - 1, 1))
    r_, c_ = r - (r - 1) ** 2 / max(n - 1, 1), c - (c - 1) ** 2 / max(n - 1, 1)
    least = min(r_, c_) - 1
    return float(np.sqrt(phi / least)) if least > 0 else 0.0
