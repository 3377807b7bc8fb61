"""Products of matrices in which a row gives the same alone as among others.

A BLAS may add up in an order that depends on the shape of a product; in blocks of one shape it cannot.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

BLOCK = 16
"""Rows at a time: a multiple of what the usual BLAS kernels take at once, and few for a row alone."""

Real = TypeVar("Real", bound=np.floating[Any])


def product(X: npt.NDArray[Real], B: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Multiply rows, shape (n, p), by a matrix, shape (p, q), both of one type; shape (n, q)."""
    n = len(X)
    result = np.empty((-(-n // BLOCK) * BLOCK, B.shape[1]), dtype=X.dtype)
    whole = n // BLOCK * BLOCK
    X = np.ascontiguousarray(X)
    for start in range(0, whole, BLOCK):
        np.matmul(X[start : start + BLOCK], B, out=result[start : start + BLOCK])
    if whole < n:
        filled = np.zeros((BLOCK, X.shape[1]), dtype=X.dtype)
        filled[: n - whole] = X[whole:]
        np.matmul(filled, B, out=result[whole:])
    return result[:n]
