"""Clustering: which way of grouping, and how many groups, by what is found again in other rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from automl_jupyter.engine import columns, kmeans, preprocess, serving, tables, task
from automl_jupyter.engine.admission import MIN_ROWS, refuse
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.contract import Contract
from automl_jupyter.engine.grouping import methods, space
from automl_jupyter.engine.grouping.contest import Contest, Evidence
from automl_jupyter.engine.grouping.methods import Candidate, Grouping
from automl_jupyter.engine.grouping.profile import Profile, profiles
from automl_jupyter.engine.grouping.space import Space
from automl_jupyter.engine.learners import F32
from automl_jupyter.engine.preprocess import Preprocessor, Views
from automl_jupyter.engine.rows import MissingValues, check_names, first_of_equals, without_marks
from automl_jupyter.engine.serving import RowPredictions
from automl_jupyter.engine.trials import SKIPPED, Observer, Silent, Trial, ranked, to_frame

SEARCHED, TESTED, TOLD = 0.6, 0.8, 0.9
"""Parts of the budget after which no candidate begins, none is tested against noise, and all is done."""

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Centres:
    """Centres of clusters, shape (k, p), in the linear view: what models of earlier releases are made of."""

    points: F64

    def predict(self, views: Views, threads: int = 1) -> F32:
        """Give 1 for the nearest centre and 0 for the others, shape (n, k)."""
        labels = kmeans.assign(views["linear"].astype(np.float64), self.points)
        return np.eye(len(self.points), dtype=np.float32)[labels]


@dataclass(frozen=True)
class Groups:
    """Clusters as they are served.

    Attributes
    ----------
    space : Space
        Where rows are near or far.
    found : Grouping
        Tells how much a row belongs to each group.
    order : ndarray of shape (k,)
        The groups in the order of their numbers: the largest first, without those that attract no row.
    """

    space: Space
    found: Grouping
    order: npt.NDArray[np.intp]

    def predict(self, views: Views, threads: int = 1) -> F32:
        """Give the memberships of each row, shape (n, k); they add up to 1."""
        shares = self.found.memberships(self.space.points(views))[:, self.order] + 1e-12
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True)
class OneGroup:
    """All rows together: what is said where there are no groups."""

    def memberships(self, X: F64) -> F64:
        """Give 1 for each row, shape (n, 1)."""
        return np.ones((len(X), 1))


class AutoMLClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Groups rows that resemble each other.

    Parameters
    ----------
    n_clusters : int or None
        Number of clusters, at most half of the rows; None tries 2 to 12 and keeps the largest number that is
        found again in other rows nearly as well as the best, and better than in noise; else 1.
    time_budget : float
        Seconds; ``fit`` returns at most one second later.
    n_jobs : int or None
        Threads for predictions; -1 for all processors.
    random_state : int, RandomState or None
        Seed of all that is random.
    max_trials : int or None
        Only so many candidates.

    Attributes
    ----------
    labels_ : ndarray of shape (n_rows,)
        Cluster of each training row; 0 is the largest.
    n_clusters_ : int
        Number of clusters found; 1 if there is nothing but noise.
    verdict_ : str
        Code of the sentence that says what was found: ``groups.clusters_found``, ``clusters_as_asked``,
        ``clusters_as_asked_but_weak`` or ``clusters_none``.
    evidence_ : tuple of Evidence
        Silhouette, prediction strength and what noise would give, of each candidate.
    profiles_ : tuple of Profile
        What tells each cluster from the other rows.
    leaderboard_ : DataFrame
        One row for each way of grouping, what is served first; the score is the mean silhouette of rows that
        took no part in finding the groups. The baseline puts all rows into one cluster.
    score_, interval_ : float, tuple of float
        Score of what is served and its 90 % bootstrap interval.
    contract_ : Contract
        What is expected of each column.
    """

    contract_: Contract
    preprocessor_: Preprocessor
    centres_: Centres
    # Models of the first releases have none of these.
    groups_: Groups | None = None
    verdict_: str | None = None
    evidence_: tuple[Evidence, ...] = ()
    profiles_: tuple[Profile, ...] = ()

    def __init__(
        self,
        n_clusters: int | None = None,
        time_budget: float = 60,
        n_jobs: int | None = -1,
        random_state: int | np.random.RandomState | None = 0,
        max_trials: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.time_budget = time_budget
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.max_trials = max_trials

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def fit(
        self,
        X: object,
        y: object = None,
        *,
        missing_values: MissingValues | None = None,
        drop_duplicates: bool = False,
        observer: Observer | None = None,
        kinds: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Self:
        """Find clusters within the time budget.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The columns as read: numbers, strings, dates, booleans, missing values.
        y : None
            Ignored; scikit-learn passes it.
        missing_values : mapping, optional
            For some columns the values that stand for a missing one, such as ``{"weight": [-999]}``, when
            learning and when predicting.
        drop_duplicates : bool
            Whether of rows that are equal the first one alone is learnt from; all get a label.
        observer : Observer, optional
            Is told of each trial, and may stop the search.
        kinds : mapping, optional
            For some columns what they are, whatever they look like: ``category`` (numbers that are codes),
            ``text`` or ``ignored``.
        seconds : float, optional
            What this call may take, where that is not ``time_budget``: the rest of a search that was
            interrupted.

        Raises
        ------
        Unprocessable
            A ValueError with a code ``engine.…`` if there is nothing to group.
        """
        began, allowed = time.monotonic(), self.time_budget if seconds is None else seconds
        every = tables.as_frame(self, X, reset=True)
        marks = {} if missing_values is None else missing_values
        check_names(marks, list(every.columns))
        frame = without_marks(every, marks)
        if drop_duplicates:
            frame = frame.iloc[first_of_equals(frame)].reset_index(drop=True)
        self._check(frame)
        seed = tables.seed_of(self.random_state)
        watcher = observer if observer is not None else Silent()
        watcher.progress(0.0, "engine.progress_preparing")
        with threadpool_limits(tables.threads_of(self.n_jobs)):
            learnt = tables.learn_columns(frame, None, kinds, marks)
            plan = columns.layout(learnt)
            cells, _ = columns.read_frame(plan, frame)
            self.preprocessor_, views = preprocess.fit(plan, cells, seed)
            near = space.learn(self.preprocessor_, views)
            end, tested, latest = (began + share * allowed for share in (SEARCHED, TESTED, TOLD))
            contest = Contest(near, near.points(views), seed, end, latest)
            name = self._search(contest, watcher, tested)
            found = OneGroup() if name is None else contest.final(name)
            if len(every) > len(frame):
                cells, _ = columns.read_frame(plan, every)
                views = self.preprocessor_.views(cells)
            shares = found.memberships(near.points(views))
            sizes = np.bincount(shares.argmax(axis=1), minlength=shares.shape[1])
            # Numbers of clusters run from 0 without gaps, also where a group attracts no row.
            order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
            self.groups_ = Groups(near, found, order)
            memberships = self.groups_.predict(views)
            self.labels_ = memberships.argmax(axis=1).astype(np.intp)
            again = None if name is None else contest.found_again(name, found, latest)[order]
            self.profiles_ = profiles(plan, cells, self.labels_, memberships.astype(np.float64), again)
        self.n_clusters_ = len(order)
        self.task_, self.metric_ = "clustering", "silhouette"
        self.contract_ = Contract(learnt, "clustering", classes=tuple(range(self.n_clusters_)))
        watcher.progress(1.0, "engine.progress_done")
        return self

    def _check(self, frame: pd.DataFrame) -> None:
        if len(frame) < MIN_ROWS:
            raise refuse("target", "engine.too_few_rows_to_cluster", n=len(frame), needed=MIN_ROWS)
        task.check_columns(frame, None)
        if self.n_clusters is not None and not 1 <= self.n_clusters <= len(frame) // 2:
            raise refuse(
                "n_clusters", "engine.bad_number_of_clusters", n=self.n_clusters, most=len(frame) // 2
            )

    def _search(self, contest: Contest, observer: Observer, until: float) -> str | None:
        """Try ways of grouping and give the name of the best; None if there are no groups."""
        wanted = methods.candidates(contest.rows, self.n_clusters)[: self.max_trials]
        trials = {"baseline": contest.baseline()}
        observer.trial_finished(contest.finished("baseline", trials["baseline"]))
        known = contest.take_over(wanted, observer.known_trials())
        stopped = False
        for i, candidate in enumerate(wanted):
            stopped = stopped or observer.should_stop()
            trial = known.get(candidate.name)
            if trial is None and i and (stopped or time.monotonic() > contest.end):
                trial = _skipped(candidate, stopped)
            trials[candidate.name] = contest.trial(candidate) if trial is None else trial
            observer.trial_finished(contest.finished(candidate.name, trials[candidate.name]))
            observer.progress(0.9 * (i + 1) / len(wanted), "engine.progress_training")
        name = contest.choose(until)
        weak = name is None
        if self.n_clusters is not None:
            name = contest.best_of()
        served = trials["baseline" if name is None else name]
        self.verdict_ = _verdict(weak, self.n_clusters)
        self.evidence_ = tuple(contest.evidence.values())
        self.score_, self.interval_ = served.score, served.interval
        judged = [
            replace(trial, tied_with_best=name is not None and contest.tied(name, trial.name))
            if trial.name in contest.values
            else replace(trial, tied_with_best=trial is served)
            for trial in trials.values()
        ]
        self.trials_ = tuple(sorted(ranked(judged), key=lambda trial: trial.name != served.name))
        return name

    @property
    def leaderboard_(self) -> pd.DataFrame:
        """The trials as a table, the best first."""
        check_is_fitted(self)
        return to_frame(self.trials_)

    def predict(self, X: object) -> npt.NDArray[np.intp]:
        """Give the cluster of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The columns, as in ``fit``.
        """
        check_is_fitted(self)
        frame = tables.as_frame(self, X, reset=False)
        cells, found = columns.read_frame(self.preprocessor_.plan, frame)
        tables.warn_of(found)
        return np.asarray(self._memberships(cells).argmax(axis=1), dtype=np.intp)

    def predict_proba(self, X: object) -> F64:
        """Give how much each row belongs to each cluster, shape (n_rows, n_clusters_); they add up to 1."""
        check_is_fitted(self)
        cells, _ = columns.read_frame(self.preprocessor_.plan, tables.as_frame(self, X, reset=False))
        return self._memberships(cells)

    def predict_rows(
        self, rows: Sequence[Mapping[str, object]], max_predict_ms: float | None = None
    ) -> RowPredictions:
        """Give the clusters of a few rows, reporting what is not as the training table was.

        Parameters
        ----------
        rows : sequence of mapping
            Cells by column name, in any order.
        max_predict_ms : float, optional
            Ignored: there is one model alone, and it is quick. The other estimators take it.
        """
        check_is_fitted(self)
        return serving.predict_rows(self, rows)

    def predict_frame(self, X: pd.DataFrame, max_predict_ms: float | None = None) -> RowPredictions:
        """Do the same for a table."""
        check_is_fitted(self)
        return serving.predict_frame(self, X)

    def answer_cells(self, cells: Cells, answering: str) -> tuple[npt.NDArray[np.generic], F64 | None]:
        """Answer for typed cells; see :class:`automl_jupyter.engine.serving.Servable`."""
        memberships = self._memberships(cells)
        return memberships.argmax(axis=1), memberships if self.contract_.classes else None

    def _memberships(self, cells: Cells) -> F64:
        served = self.centres_ if self.groups_ is None else self.groups_
        threads = tables.threads_of(self.n_jobs)
        return serving.raw_predictions(served, self.preprocessor_, cells, threads).astype(np.float64)


def _skipped(candidate: Candidate, stopped: bool) -> Trial:
    reason = "engine.trial_stopped" if stopped else "engine.trial_out_of_time"
    return Trial(
        candidate.name, candidate.family, state=SKIPPED, params={"size": candidate.size}, reason=reason
    )


def _verdict(weak: bool, asked: int | None) -> str:
    if asked is not None:
        return "groups.clusters_as_asked_but_weak" if weak and asked > 1 else "groups.clusters_as_asked"
    return "groups.clusters_none" if weak else "groups.clusters_found"
