"""The leaderboard while it is made: what has finished, how it scored, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automl_jupyter.engine.fitting import Material, Part, join
from automl_jupyter.engine.lanes import Job
from automl_jupyter.engine.learners import F32, Model
from automl_jupyter.engine.metrics import Judge, Judged
from automl_jupyter.engine.portfolio import Candidate
from automl_jupyter.engine.trials import FinishedTrial, Observer, Reached, Trial, ranked

SECOND = "stack_"
"""How names of trials of the second level begin."""


class Board:
    """Judges what ends, keeps it, and tells the observer; used by one thread.

    Parameters
    ----------
    judge : Judge
        Scores predictions.
    observer : Observer
        Is told of each trial.
    fingerprint : str
        Of data, folds and seed.
    """

    def __init__(self, judge: Judge, observer: Observer, fingerprint: str) -> None:
        self.judge, self.observer, self.fingerprint = judge, observer, fingerprint
        self.finished: dict[str, FinishedTrial] = {}
        self.judged: dict[str, Judged] = {}
        self._order: dict[str, int] = {}

    def expect(self, candidates: Sequence[Candidate]) -> None:
        """Fix an order, so that nothing depends on which thread is faster."""
        for candidate in candidates:
            self._order.setdefault(candidate.name, len(self._order))

    def record(
        self,
        trial: Trial,
        models: tuple[Model, ...],
        predictions: F32,
        repeats: int = 1,
        reached: tuple[Reached, ...] = (),
        *,
        is_news: bool = True,
    ) -> FinishedTrial:
        """Take note of a trial that is done, and tell of it if that is news."""
        judged = self.judge.judge(predictions)
        self.judged[trial.name] = judged
        trial = replace(
            trial,
            score=judged.score,
            interval=judged.interval,
            tied_with_best=self.judge.tied(self._best(), judged),
        )
        done = FinishedTrial(trial, models, predictions, self.fingerprint, repeats, reached)
        return self._keep(done, is_news=is_news)

    def join(self, job: Job, material: Material, prior: F32) -> FinishedTrial:
        """Join the parts of a candidate, or of its next repeat, and take note of it."""
        parts: list[Part] = [job.parts[number] for number in sorted(job.parts)]
        before = self.finished.get(job.candidate.name)
        if before is not None and not any(len(part.rows) for part in parts):
            return self._served(before, job, parts)
        models, predictions = join(parts, prior, material)
        reached = ((job.repeat, tuple(int(part.stages[-1]) for part in parts)),)
        trial = Trial(
            job.candidate.name,
            job.candidate.family,
            fit_seconds=job.seconds,
            predict_seconds=sum(part.predict_seconds for part in parts),
            params=job.candidate.params,
        )
        if not job.repeat or before is None or before.predictions is None:
            # What is judged by others than will be served is told once that is made.
            return self.record(trial, models, predictions, reached=reached, is_news=bool(models))
        share = np.float32(1 / (before.repeats + 1))
        trial = replace(
            trial,
            fit_seconds=before.trial.fit_seconds + trial.fit_seconds,
            predict_seconds=before.trial.predict_seconds + trial.predict_seconds,
        )
        mean = before.predictions + share * (predictions - before.predictions)
        return self.record(trial, before.models + models, mean, before.repeats + 1, before.reached + reached)

    def _served(self, judged: FinishedTrial, job: Job, parts: Sequence[Part]) -> FinishedTrial:
        """Add the models that were made once others, which are not kept, had been judged."""
        trial = replace(
            judged.trial,
            fit_seconds=judged.trial.fit_seconds + job.seconds,
            predict_seconds=sum(part.predict_seconds for part in parts),
        )
        return self._keep(
            replace(judged, trial=trial, models=tuple(m for part in parts for m in part.models))
        )

    def fail(
        self, candidate: Candidate, seconds: float, state: str, reason: str, detail: str | None = None
    ) -> None:
        """Take note of a candidate that is not done."""
        trial = Trial(
            candidate.name,
            candidate.family,
            fit_seconds=seconds,
            state=state,
            params=candidate.params,
            reason=reason,
            detail=detail,
        )
        self._keep(FinishedTrial(trial, fingerprint=self.fingerprint))

    def loss(self, name: str) -> float:
        """How far a trial is from a perfect score."""
        return self._lacking(self.judged[name].score)

    def loss_of(self, predictions: F32) -> float:
        """How far predictions are from a perfect score."""
        return self._lacking(self.judge.judge(predictions).score)

    def _lacking(self, score: float) -> float:
        perfect = 0.0 if self.judge.metric.sign < 0 else 1.0
        return perfect - score if np.isfinite(score) else np.inf

    def pool(self, level: int) -> list[FinishedTrial]:
        """What an ensemble may use, in order: trials of the first level, or of both; else the baseline."""
        # A copy: lanes ask what is worth repeating while trials are added.
        names = list(self.finished)
        done = [
            self.finished[name]
            for name in sorted(names, key=lambda name: self._order.get(name, -1))
            if self.finished[name].predictions is not None and name in self._order
        ]
        found = [f for f in done if level > 1 or not f.trial.name.startswith(SECOND)]
        return [f for f in found if not f.trial.baseline] or found

    def best(self) -> F32 | None:
        """The predictions of the best trial so far, other than the baseline."""
        done = [f for f in self.pool(1) if not f.trial.baseline and f.predictions is not None]
        return min(done, key=lambda f: self.loss(f.trial.name)).predictions if done else None

    def trials(self) -> tuple[Trial, ...]:
        """The final leaderboard."""
        best = self._best()
        return ranked(
            replace(f.trial, tied_with_best=self.judge.tied(best, self.judged[f.trial.name]))
            if f.trial.name in self.judged
            else f.trial
            for f in self.finished.values()
        )

    def _best(self) -> Judged:
        return max(self.judged.values(), key=lambda j: j.score if np.isfinite(j.score) else -np.inf)

    def _keep(self, done: FinishedTrial, *, is_news: bool = True) -> FinishedTrial:
        self.finished[done.trial.name] = done
        if is_news:
            self.observer.trial_finished(done)
        return done
