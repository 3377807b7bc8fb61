"""A small neural network in numpy: its parameters, its answers, its gradient.

Several members share their matrices and differ by a factor and a shift of each hidden unit and by their
last layer (BatchEnsemble, Wen, Tran, Ba 2020; TabM, Gorishniy, Kotelnikov, Babenko 2024): one large matrix
product serves them all, each has its own loss, and their answers are averaged. The first product is the same
for all of them; the factors after it start as random signs, so that the members see different halves of it.

Hidden units are SiLU (Elfwing, Uchibe, Doya 2018). The last layer starts at zero with the frequencies of the
classes as its shift, so that the first answer is the baseline (Holzmüller, Grinsztajn, Steinwart 2024).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32

_HALF, _ONE = np.float32(0.5), np.float32(1)
_MASKS = 3
"""Masks of dropout are drawn once, so many times as many as a step needs; a step reads them from anywhere."""


@dataclass(frozen=True)
class Design:
    """The sizes of a network.

    Attributes
    ----------
    inputs, outputs : int
        Columns that it reads and that it answers.
    hidden : tuple of int
        Units of each hidden layer.
    members : int
        How many networks share the matrices.
    """

    inputs: int
    outputs: int
    hidden: tuple[int, ...]
    members: int

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each parameter, in the order in which they are stored."""
        shapes: dict[str, tuple[int, ...]] = {}
        width = self.inputs
        for layer, units in enumerate(self.hidden):
            shapes[f"weight{layer}"] = (width, units)
            shapes[f"factor{layer}"] = (self.members, 1, units)
            shapes[f"shift{layer}"] = (self.members, 1, units)
            width = units
        shapes["last_weight"] = (self.members, width, self.outputs)
        shapes["last_shift"] = (self.members, 1, self.outputs)
        return shapes

    @cached_property
    def size(self) -> int:
        """Number of parameters."""
        return int(sum(np.prod(shape) for shape in self.shapes.values()))

    def products(self) -> float:
        """Multiplications that the answer to one row takes."""
        inner = sum(a * b for a, b in zip(self.hidden, self.hidden[1:], strict=False))
        last = self.hidden[-1] * self.outputs
        return float(self.inputs * self.hidden[0] + self.members * (inner + last))

    def parts(self, flat: F32) -> dict[str, F32]:
        """See the parameters in one array, or in a row of one for each network, by their names."""
        parts, at = {}, 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape))
            parts[name] = flat[..., at : at + size].reshape(*flat.shape[:-1], *shape)
            at += size
        return parts


def start(design: Design, first: npt.NDArray[np.float64], rng: np.random.Generator) -> F32:
    """Draw the parameters that training starts from.

    Parameters
    ----------
    design : Design
        The sizes.
    first : ndarray of shape (outputs,)
        What is answered before anything is learnt: log frequencies, or the mean.
    rng : Generator
        Source of what is random.
    """
    flat = np.zeros(design.size, dtype=np.float32)
    parts = design.parts(flat)
    for layer in range(len(design.hidden)):
        weight, factor, shift = (parts[f"{name}{layer}"] for name in ("weight", "factor", "shift"))
        gain = 1.0 if layer == 0 else 2.0
        weight[:] = rng.standard_normal(weight.shape) * np.sqrt(gain / max(1, len(weight)))
        signs = layer == 0 and design.members > 1
        factor[:] = rng.choice((-1.0, 1.0), factor.shape) if signs else 1.0
        shift[:] = rng.uniform(-0.5, 0.5, shift.shape)
    parts["last_shift"][:] = first
    return flat


def softmax(scores: F32) -> F32:
    """Turn scores into probabilities along the last axis, in place."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def answer(design: Design, flat: F32, X: F32, classes: bool) -> F32:
    """Give the mean of the members' answers, shape (n, outputs).

    Parameters
    ----------
    design : Design
        The sizes.
    flat : ndarray of shape (design.size,)
        The parameters.
    X : ndarray of shape (n, inputs)
        The rows.
    classes : bool
        Whether answers are probabilities.
    """
    return answer_of_several(design, flat[None], X[None], classes)


def answer_of_several(design: Design, flat: F32, X: F32, classes: bool) -> F32:
    """Give the mean of the answers of several networks of one design, shape (n, outputs).

    Parameters
    ----------
    design : Design
        The sizes.
    flat : ndarray of shape (networks, design.size)
        The parameters.
    X : ndarray of shape (networks, n, inputs), or (1, n, inputs) where all read the same
        The rows.
    classes : bool
        Whether answers are probabilities.
    """
    parts, several, members, rows = design.parts(flat), len(flat), design.members, X.shape[1]
    a = (X @ parts["weight0"])[:, None]
    for layer, units in enumerate(design.hidden):
        if layer:
            a = a.reshape(several, members * rows, -1) @ parts[f"weight{layer}"]
            a = a.reshape(several, members, rows, units)
        z = a * parts[f"factor{layer}"]
        z += parts[f"shift{layer}"]
        a = z * _HALF
        np.tanh(a, out=a)
        a += _ONE
        a *= _HALF
        a *= z
    scores = np.matmul(a, parts["last_weight"])
    scores += parts["last_shift"]
    return np.asarray((softmax(scores) if classes else scores).mean(axis=(0, 1)), dtype=np.float32)


class Network:
    """Parameters in training, the gradient of the last step, and room for what a step computes.

    Parameters
    ----------
    design : Design
        The sizes.
    flat : ndarray of shape (design.size,)
        The parameters; they may be changed in place.
    batch : int
        Rows of a step.
    dropout : float
        Share of hidden units that a step leaves out (Srivastava and others 2014).
    rng : Generator
        Source of what is random.
    """

    def __init__(
        self, design: Design, flat: F32, batch: int, dropout: float, rng: np.random.Generator
    ) -> None:
        self.design, self.flat, self.gradient = design, flat, np.zeros_like(flat)
        self._parts, self._slopes = design.parts(self.flat), design.parts(self.gradient)
        self._rng, self._dropout = rng, dropout
        shapes = [(design.members, batch, units) for units in design.hidden]
        # For each layer: products, scaled products, units, derivatives, and what flows back.
        self._room = [tuple(np.empty(shape, np.float32) for _ in range(5)) for shape in shapes]
        self._first = np.empty((batch, design.hidden[0]), np.float32)
        most = max(int(np.prod(shape)) for shape in shapes)
        self._masks = np.zeros(0, np.float32)
        if dropout > 0:
            kept = rng.random(_MASKS * most, dtype=np.float32) >= dropout
            self._masks = kept.astype(np.float32) / np.float32(1 - dropout)

    def scores(self, X: F32) -> F32:
        """Scores of each member, shape (members, batch, outputs), before softmax."""
        members, batch = self.design.members, len(X)
        units = X
        for layer, (product, z, a, slope, _) in enumerate(self._room):
            weight = self._parts[f"weight{layer}"]
            if layer:
                np.matmul(
                    units.reshape(members * batch, -1), weight, out=product.reshape(members * batch, -1)
                )
                np.multiply(product, self._parts[f"factor{layer}"], out=z)
            else:
                np.matmul(X, weight, out=self._first)
                np.multiply(self._first, self._parts["factor0"], out=z)
            np.add(z, self._parts[f"shift{layer}"], out=z)
            self._activate(z, a, slope)
            units = a
        result: F32 = np.matmul(units, self._parts["last_weight"])
        result += self._parts["last_shift"]
        return result

    def learn(self, X: F32, wrong: F32) -> None:
        """Compute the gradient for the rows of the last :meth:`scores`.

        Parameters
        ----------
        X : ndarray of shape (batch, inputs)
            The rows.
        wrong : ndarray of shape (members, batch, outputs)
            Derivatives of the loss by the scores.
        """
        members, batch = self.design.members, len(X)
        slopes, parts = self._slopes, self._parts
        np.matmul(self._room[-1][2].transpose(0, 2, 1), wrong, out=slopes["last_weight"])
        np.sum(wrong, axis=1, keepdims=True, out=slopes["last_shift"])
        np.matmul(wrong, parts["last_weight"].transpose(0, 2, 1), out=self._room[-1][4])
        for layer in range(len(self._room) - 1, -1, -1):
            product, _, _, slope, back = self._room[layer]
            back *= slope
            np.sum(back, axis=1, keepdims=True, out=slopes[f"shift{layer}"])
            np.multiply(back, product if layer else self._first, out=slope)
            np.sum(slope, axis=1, keepdims=True, out=slopes[f"factor{layer}"])
            back *= parts[f"factor{layer}"]
            if layer:
                flat = back.reshape(members * batch, -1)
                below, further = self._room[layer - 1][2], self._room[layer - 1][4]
                np.matmul(below.reshape(members * batch, -1).T, flat, out=slopes[f"weight{layer}"])
                np.matmul(flat, parts[f"weight{layer}"].T, out=further.reshape(members * batch, -1))
            else:
                np.matmul(X.T, back.sum(axis=0), out=slopes["weight0"])

    def _activate(self, z: F32, a: F32, slope: F32) -> None:
        """Compute ``z * sigmoid(z)`` and its derivative; units that are left out are zero in both."""
        np.multiply(z, _HALF, out=slope)
        np.tanh(slope, out=slope)
        slope += _ONE
        slope *= _HALF
        np.multiply(z, slope, out=a)
        np.multiply(a, slope, out=z)
        slope += a
        slope -= z
        if len(self._masks):
            at = int(self._rng.integers(0, len(self._masks) - a.size + 1))
            mask = self._masks[at : at + a.size].reshape(a.shape)
            a *= mask
            slope *= mask
