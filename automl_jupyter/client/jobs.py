"""What the client asks of jobs: one method for each thing that the REST interface does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from automl_jupyter.client import events, waiting
from automl_jupyter.client.actions import combined
from automl_jupyter.client.connection import Connection
from automl_jupyter.client.paths import id_of, part

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Event, Finding, Job, JobPage, TaskName


class JobVerbs(Connection):
    """Train, watch, stop, cancel, take up again."""

    def train(  # noqa: PLR0913 - one for each field of the request
        self,
        dataset: Dataset | str,
        target: str | None = None,
        *,
        task: TaskName | None = None,
        metric: str | None = None,
        time_budget: float | None = None,
        name: str | None = None,
        columns: Sequence[str] | None = None,
        seed: int = 0,
        max_trials: int | None = None,
        max_predict_ms: float | None = None,
        groups: str | None = None,
        time_column: str | None = None,
        drop_duplicates: bool = False,
        missing_values: Mapping[str, Sequence[str | float]] | None = None,
        act_on: Iterable[Finding] = (),
    ) -> Job:
        """Start a search for a model; it runs beside the server, whatever becomes of the caller.

        Parameters
        ----------
        dataset : Dataset or str
            A data set, or its id.
        target : str, optional
            The column to predict; without one, rows are grouped.
        task : str, optional
            ``binary``, ``multiclass``, ``regression`` or ``clustering``; found from the target unless given.
        metric : str, optional
            A scikit-learn scorer's name.
        time_budget : float, optional
            Seconds, a hard limit that starts when the job does.
        name : str, optional
            The model's name; ``<file>-<target>`` unless given.
        columns : sequence of str, optional
            The columns to learn from; all unless given.
        seed : int, default=0
            Where random numbers start.
        max_trials : int, optional
            Try only so many candidates, whatever time is left: the result then depends on the data and the
            seed alone, unless the time runs out before.
        max_predict_ms : float, optional
            Milliseconds that the prediction of one row may take, where :meth:`predict` is not told: a model
            whose ensemble takes longer answers with its quick model.
        groups : str, optional
            A column whose equal values stay together, so that scores hold for groups that are new.
        time_column : str, optional
            A column of dates or numbers; models are judged on rows later than those that they learnt from.
        drop_duplicates : bool, default=False
            Learn once from rows that are equal.
        missing_values : mapping, optional
            By column, the values that stand for a missing one, such as ``{"weight": [-999]}``.
        act_on : iterable of Finding, optional
            Findings whose actions are added to what is asked for otherwise.
        """
        asked = {
            "target": target,
            "task": task,
            "metric": metric,
            "time_budget": time_budget,
            "name": name,
            "columns": None if columns is None else list(columns),
            "seed": seed,
            "max_trials": max_trials,
            "max_predict_ms": max_predict_ms,
            "groups": groups,
            "time_column": time_column,
            "drop_duplicates": drop_duplicates or None,
            "missing_values": {name: list(values) for name, values in (missing_values or {}).items()} or None,
        }
        body = combined(
            [{key: value for key, value in asked.items() if value is not None}]
            + [finding.action for finding in act_on if finding.action is not None]
        )
        return self._job("POST", f"api/train/{part(id_of(dataset))}/", json=body)

    def jobs(self, limit: int = 50, offset: int = 0) -> JobPage:
        """The caller's jobs, newest first."""
        from automl_jupyter.schemas import JobPage

        return self._transport.ask(JobPage, "GET", "api/jobs/", params={"limit": limit, "offset": offset})

    def job(self, id_: str) -> Job:
        """One job, with its leaderboard so far."""
        return self._job("GET", f"api/jobs/{part(id_)}/")

    def stop(self, job: Job | str) -> Job:
        """End a job and keep the best model so far."""
        return self._job("POST", f"api/jobs/{part(id_of(job))}/stop/")

    def cancel(self, job: Job | str) -> Job:
        """End a job and keep nothing."""
        return self._job("POST", f"api/jobs/{part(id_of(job))}/cancel/")

    def resume(self, job: Job | str, time_budget: float | None = None) -> Job:
        """Take up a job again that ended early, with what it had finished by then.

        Parameters
        ----------
        job : Job or str
            A job that is interrupted, failed, stopped or cancelled, or its id.
        time_budget : float, optional
            Seconds for it from now on; what is left of its first budget unless given.
        """
        body = {} if time_budget is None else {"time_budget": time_budget}
        return self._job("POST", f"api/jobs/{part(id_of(job))}/resume/", json=body)

    def events(self, job: Job | str, after: int = 0) -> Iterator[Event]:
        """What happens in a job, from the start and as it happens, until the job is over.

        A stream that is cut is taken up where it was; after a few cuts in a row without an event between
        them, the job is asked for once a second instead, and an event of kind ``progress`` or ``done`` that
        carries the whole job stands for what cannot be told apart any more.

        Parameters
        ----------
        job : Job or str
            A job, or its id.
        after : int, default=0
            The id of the last event that is known already.
        """
        return events.follow(self._transport, part(id_of(job)), after)

    def wait(
        self,
        job: Job | str,
        timeout: float | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Job:
        """Wait until a job is over.

        Parameters
        ----------
        job : Job or str
            A job, or its id.
        timeout : float, optional
            Seconds to wait at most; the job goes on after that.
        on_event : callable, optional
            Called with each event.

        Returns
        -------
        Job
            The job at its end, which may be ``failed``: look at ``state`` and ``error``.

        Raises
        ------
        TookTooLong
            A `TimeoutError`, if the job is not over in time.
        """
        return waiting.wait(self._transport, id_of(job), timeout, on_event)

    def _job(self, method: str, path: str, json: object = None) -> Job:
        from automl_jupyter.schemas import Job

        return self._transport.ask(Job, method, path, json=json)
