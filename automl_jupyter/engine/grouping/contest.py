"""Judges ways of finding groups: by rows that took no part in finding them, and by finding them again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import kmeans
from automl_jupyter.engine.grouping import methods, mixture, stability
from automl_jupyter.engine.grouping.methods import Candidate, Grouping
from automl_jupyter.engine.grouping.space import Space
from automl_jupyter.engine.metrics import CONFIDENCE, RESAMPLES
from automl_jupyter.engine.trials import FinishedTrial, Trial

FIT_ROWS, JUDGED_ROWS, AGAIN_ROWS, NOISE_ROWS = 20_000, 1500, 2000, 1000
SPLITS, NOISE_TABLES, RESAMPLED = 4, 38, 12
"""Divisions of the rows; tables without groups (none is better: p of 0.05 for each kind); resamples."""

MOST_TESTED, FEWEST_TABLES = 6, 8
ROUNDING = 1e-6

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Why a number of groups was or was not taken.

    Attributes
    ----------
    name, family : str
        The trial.
    groups : int
        The number of groups.
    silhouette : float
        Mean silhouette of held-out rows, from -1 to 1.
    strength : float
        Prediction strength, from 0 to 1.
    criterion : float
        The Bayesian information criterion of the groups, read as normal ones: less is better.
    noise : float or None
        The best silhouette that the same way of grouping reached in tables without groups; None if it was
        not asked.
    chosen : bool
        Whether it is what is served.
    """

    name: str
    family: str
    groups: int
    silhouette: float
    strength: float
    criterion: float
    noise: float | None = None
    chosen: bool = False


class Contest:
    """Tries candidates on the points of some rows.

    Parameters
    ----------
    space : Space
        Tells numbers from categories.
    X : ndarray of shape (n, p)
        The points.
    seed : int
        Seed of all that is random.
    end : float
        When no candidate may begin any more, on :func:`time.monotonic`.
    latest : float
        When whatever is being fitted has to be content with what there is.
    """

    def __init__(self, space: Space, X: F64, seed: int, end: float, latest: float) -> None:
        generator = np.random.default_rng(seed)
        chosen = generator.permutation(len(X))[:FIT_ROWS]
        self.space, self.seed, self.end, self.latest = space, seed, end, latest
        self.rows = len(chosen)
        self._all = X[np.sort(chosen)]
        self._halves = [X[np.sort(half)] for half in np.array_split(chosen, 2)]
        self._judged = [half[:JUDGED_ROWS] for half in self._halves]
        self._distances = [np.sqrt(kmeans.squared_distances(part, part)) for part in self._judged]
        self._splits = [
            [X[half] for half in np.array_split(generator.permutation(len(X))[:AGAIN_ROWS], 2)]
            for _ in range(SPLITS - 1)
        ]
        n = sum(map(len, self._judged))
        self._weights = (
            np.stack(
                [np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]
            ).astype(np.float64)
            / n
        )
        self.values: dict[str, F64] = {}
        self.evidence: dict[str, Evidence] = {}
        self._candidates: dict[str, Candidate] = {}
        self._fingerprint = hashlib.sha256(self._all.tobytes() + repr(seed).encode()).hexdigest()

    # --- trials

    def baseline(self) -> Trial:
        """One group: its silhouette is 0 by definition."""
        return Trial("baseline", "baseline", 0.0, (0.0, 0.0), baseline=True, predict_seconds=0.0)

    def trial(self, candidate: Candidate) -> Trial:
        """Try a candidate."""
        began = time.monotonic()
        found = [self._fit(candidate, half) for half in self._halves]
        fitted = time.monotonic()
        other = [methods.labels_of(g, part) for g, part in zip(reversed(found), self._judged, strict=True)]
        predicted = time.monotonic()
        own = [methods.labels_of(g, part) for g, part in zip(found, self._judged, strict=True)]
        strengths = [stability.prediction_strength(a, b) for a, b in zip(own, other, strict=True)]
        for halves in self._splits:
            strengths += self._strengths(candidate, halves)
        values = [kmeans.silhouettes(d, part) for d, part in zip(self._distances, other, strict=True)]
        shared = candidate.family != methods.OVAL
        criteria = [
            mixture.criterion(self.space, part, labels, shared=shared)
            for part, labels in zip(self._judged, own, strict=True)
        ]
        groups = max(len(np.unique(part)) for part in own)
        strength = float(np.mean(strengths)) if groups > 1 else 0.0
        return self._noted(
            candidate,
            # In the precision in which a later attempt gets them, so that it comes to the same.
            np.concatenate(values).astype(np.float32).astype(np.float64),
            Trial(
                candidate.name,
                candidate.family,
                fit_seconds=fitted - began,
                predict_seconds=1000 * (predicted - fitted) / sum(map(len, self._judged)),
                params={
                    "k": groups,
                    "size": candidate.size,
                    "strength": round(strength, 4),
                    "criterion": round(sum(criteria), 2),
                },
            ),
        )

    def _noted(self, candidate: Candidate, values: F64, trial: Trial) -> Trial:
        name = candidate.name
        self._candidates[name] = candidate
        self.values[name] = values
        done = replace(trial, score=float(values.mean()), interval=self._quantiles(values))
        self.evidence[name] = Evidence(
            name,
            candidate.family,
            done.params["k"],
            done.score,
            float(done.params["strength"]),
            float(done.params["criterion"]),
        )
        return done

    def _fit(self, candidate: Candidate, X: F64) -> Grouping:
        return methods.fit(candidate, self.space, X, self.seed, self.latest)

    def _strengths(self, candidate: Candidate, halves: Sequence[F64]) -> list[float]:
        found = [self._fit(candidate, half) for half in halves]
        return [
            stability.prediction_strength(methods.labels_of(g, part), methods.labels_of(other, part))
            for g, other, part in zip(found, reversed(found), halves, strict=True)
        ]

    def finished(self, name: str, trial: Trial) -> FinishedTrial:
        """A trial with its silhouettes, for a later attempt."""
        values = self.values.get(name)
        found = None if values is None else values.astype(np.float32)[:, None]
        return FinishedTrial(trial, (), found, self._fingerprint)

    def take_over(
        self, candidates: Sequence[Candidate], finished: Sequence[FinishedTrial]
    ) -> dict[str, Trial]:
        """Take over what an earlier attempt at the same rows found, by name."""
        wanted = {candidate.name: candidate for candidate in candidates}
        taken = {}
        for one in finished:
            candidate = wanted.get(one.trial.name)
            if candidate and one.predictions is not None and one.fingerprint == self._fingerprint:
                values = one.predictions[:, 0].astype(np.float64)
                taken[candidate.name] = self._noted(candidate, values, one.trial)
        return taken

    # --- the choice

    def choose(self, until: float) -> str | None:
        """Choose among what was tried; None if no way of grouping finds more than noise would give.

        Those that are found again nearly as well as the best come first, among them the one of most groups;
        a candidate has to beat tables without groups.

        Parameters
        ----------
        until : float
            When to be content with what there is, on :func:`time.monotonic`.
        """
        stable = [
            e
            for e in self.evidence.values()
            if e.strength >= stability.STABLE and e.groups > 1 and not self._is_needless(e)
        ]
        if not stable:
            return None
        least = max(e.strength for e in stable) - stability.LEEWAY
        stable.sort(
            key=lambda e: (e.strength >= least, e.groups, round(20 * e.strength), e.silhouette), reverse=True
        )
        for evidence in stable[:MOST_TESTED]:
            if self._beats_noise(evidence, until):
                return self._taken(evidence.name)
        return None

    def _is_needless(self, evidence: Evidence) -> bool:
        """Tell whether fewer groups explain the rows as well.

        A category that has nothing to do with groups divides them in a way that is found again as well.
        """
        return any(
            e.family == evidence.family and e.criterion < evidence.criterion and e.groups < evidence.groups
            for e in self.evidence.values()
        )

    def best_of(self) -> str:
        """Choose where a person has said how many groups there are: what is found again best."""
        best = max(self.evidence.values(), key=lambda e: (round(20 * e.strength), e.silhouette))
        return self._taken(best.name)

    def _taken(self, name: str) -> str:
        self.evidence[name] = replace(self.evidence[name], chosen=True)
        return name

    def _beats_noise(self, evidence: Evidence, until: float) -> bool:
        """Tell whether a candidate's silhouette is better than in each of many tables without groups."""
        candidate = self._candidates[evidence.name]
        rows = self._all[methods.sample(self.rows, NOISE_ROWS, self.seed)]
        found = self._silhouette(candidate, rows)
        highest = -1.0
        for i, table in zip(
            range(NOISE_TABLES), stability.without_groups(self.space, rows, self.seed), strict=False
        ):
            highest = max(highest, self._silhouette(candidate, table))
            if highest >= found - ROUNDING or (time.monotonic() > until and i >= FEWEST_TABLES):
                break
        self.evidence[evidence.name] = replace(evidence, noise=highest)
        return found - ROUNDING > highest

    def _silhouette(self, candidate: Candidate, X: F64) -> float:
        order = np.random.default_rng(self.seed).permutation(len(X))
        halves = [X[part] for part in np.array_split(order, 2)]
        found = []
        for fitted, judged in (halves, halves[::-1]):
            labels = methods.labels_of(self._fit(candidate, fitted), judged)
            distances = np.sqrt(kmeans.squared_distances(judged, judged))
            found.append(float(kmeans.silhouettes(distances, labels).mean()))
        return float(np.mean(found))

    # --- what was chosen

    def final(self, name: str) -> Grouping:
        """Find the groups of all rows."""
        return self._fit(self._candidates[name], self._all)

    def found_again(self, name: str, final: Grouping, until: float) -> F64:
        """How well each of the final groups is found again in bootstrap samples, from 0 to 1, shape (k,)."""
        rows = self._all[methods.sample(self.rows, AGAIN_ROWS, self.seed)]
        memberships = final.memberships(rows)
        labels, k = memberships.argmax(axis=1), memberships.shape[1]
        generator = np.random.default_rng(self.seed)
        found: list[F64] = []
        while len(found) < RESAMPLED and (time.monotonic() < until or not found):
            drawn = np.unique(generator.integers(0, len(rows), len(rows)))
            again = methods.labels_of(self._fit(self._candidates[name], rows[drawn]), rows[drawn])
            found.append(stability.overlaps(labels[drawn], again, k))
        return np.asarray(np.mean(found, axis=0))

    def tied(self, best: str, other: str) -> bool:
        """Tell whether resamples of rows cannot tell two candidates' silhouettes apart."""
        low, high = self._quantiles(self.values[best] - self.values[other])
        return low <= 0 <= high

    def _quantiles(self, values: F64) -> tuple[float, float]:
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(self._weights @ values, [tail, 1 - tail]).tolist()
        return low, high
