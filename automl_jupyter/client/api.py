"""The client itself: one method for each thing that the REST interface does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from automl_jupyter import messages
from automl_jupyter.client import (
    events,
    explanations,
    predictions,
    reports,
    rereading,
    uploads,
    values,
    waiting,
)
from automl_jupyter.client.actions import combined
from automl_jupyter.client.discovery import find_server, language_of
from automl_jupyter.client.paths import id_of, part
from automl_jupyter.client.transport import Transport, told
from automl_jupyter.errors import AutoMLError

if TYPE_CHECKING:
    from automl_jupyter.client.rereading import Decisions
    from automl_jupyter.schemas import (
        Chart,
        Comparison,
        Dataset,
        DatasetPage,
        Dependence,
        Event,
        Explanation,
        Finding,
        Findings,
        Job,
        JobPage,
        Model,
        ModelPage,
        ModelRef,
        Monitoring,
        Predictions,
        Preview,
        Profile,
        RowExplanations,
        TaskName,
        User,
    )


class Client:
    """A connection to the extension in a Jupyter server.

    Parameters
    ----------
    url : str, optional
        The Jupyter server's address; the running one is found unless given.
    token : str, optional
        Its token; found as well unless given.
    language : str, optional
        The language of every sentence (``en``, ``fr``); the environment's unless given.
    timeout : float, default=30.0
        Seconds to wait for an ordinary answer.

    Raises
    ------
    AutoMLError
        From every method, as the child class for the answer's status: `NotFound` for 404, `Conflict` for 409
        and so on, with ``code``, ``params`` and the server's own sentence; `Unavailable` where no server
        answers.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        language: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        language = language or language_of()
        try:
            server = find_server(url, token)
        except AutoMLError as problem:
            raise told(problem, messages.negotiate(language)) from None
        self._transport = Transport(server, language, timeout)

    @property
    def url(self) -> str:
        """The base URL of the Jupyter server."""
        return self._transport.server.url

    @property
    def language(self) -> str:
        """The language of the sentences, one of :data:`automl_jupyter.messages.LANGUAGES`."""
        return self._transport.language

    def close(self) -> None:
        """Close the connection; what runs on the server goes on."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    # --- people

    def user(self) -> User:
        """Who the caller is, what they may do and what the server allows."""
        from automl_jupyter.schemas import User

        return self._transport.ask(User, "GET", "api/user/")

    # --- data sets

    def upload(
        self,
        source: uploads.Source,
        *,
        name: str | None = None,
        progress: uploads.Progress | None = None,
    ) -> Dataset:
        """Have a table taken in.

        Parameters
        ----------
        source : path, bytes or DataFrame
            A CSV file, its content, or a table, whose index is left out.
        name : str, optional
            The file name to go by; the file's own, or ``table.csv``, unless given.
        progress : callable, optional
            Called with the bytes that the server has and the bytes in all.

        Returns
        -------
        Dataset
            What was read, with what should be known of it as ``warnings``.
        """
        return uploads.upload(self._transport, source, name, progress)

    def upload_path(self, path: str) -> Dataset:
        """Have a file taken in that Jupyter already has; the path starts at Jupyter's root folder."""
        return self._dataset("POST", "api/upload/", json={"path": path}, patience=uploads.READING)

    def datasets(self, limit: int = 50, offset: int = 0) -> DatasetPage:
        """The caller's data sets, newest first."""
        from automl_jupyter.schemas import DatasetPage

        return self._transport.ask(
            DatasetPage, "GET", "api/datasets/", params={"limit": limit, "offset": offset}
        )

    def dataset(self, id_: str) -> Dataset:
        """One data set."""
        return self._dataset("GET", f"api/datasets/{part(id_)}/")

    def reread(self, dataset: Dataset | str, **decisions: Unpack[Decisions]) -> Dataset:
        """Have the file of a data set read again, into a new one; the first stays as it is.

        Parameters
        ----------
        dataset : Dataset or str
            A data set, or its id.
        **decisions
            What to decide: ``encoding``, ``separator``, ``quote``, ``escape``, ``spaced``, ``comment``,
            ``keep_rows``, ``skip``, ``footer``, ``header``, ``header_rows``, ``decimal``, ``thousands``,
            ``day_first``, ``missing_values``, ``column_types`` and ``columns``. What is left out stays as it
            was read; ``None`` leaves it to be found out again. The ``action`` of a warning holds the decision
            that undoes the guess.

        Examples
        --------
        >>> client.reread(sales, separator=";", column_types={"zip": "string"})

        Raises
        ------
        Unprocessable
            If the file cannot be read so; ``errors`` names the field at fault.
        """
        return rereading.reread(self._transport, dataset, decisions)

    def delete_dataset(self, id_: str, cascade: bool = False) -> None:
        """Delete a data set; with `cascade`, the models learned from it as well."""
        params = {"cascade": "true"} if cascade else None
        self._transport.request("DELETE", f"api/datasets/{part(id_)}/", params=params)

    def preview(self, id_: str) -> Preview:
        """The first rows of a data set."""
        from automl_jupyter.schemas import Preview

        return self._transport.ask(Preview, "GET", f"api/datasets/{part(id_)}/preview/")

    def profile(self, id_: str) -> Profile:
        """The distribution of each column of a data set."""
        from automl_jupyter.schemas import Profile

        return self._transport.ask(Profile, "GET", f"api/datasets/{part(id_)}/profile/")

    # --- training

    def findings(self, dataset: Dataset | str, target: str | None = None) -> Findings:
        """What should be known of a data set before training: leakage, repeated rows, groups, odd values.

        Parameters
        ----------
        dataset : Dataset or str
            A data set, or its id.
        target : str, optional
            The column to predict; without it nothing is said of what depends on it.
        """
        from automl_jupyter.schemas import Findings

        params = {} if target is None else {"target": target}
        path = f"api/datasets/{part(id_of(dataset))}/findings/"
        return self._transport.ask(Findings, "GET", path, params=params, patience=uploads.READING)

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

    # --- models

    def models(self, limit: int = 50, offset: int = 0) -> ModelPage:
        """The caller's models, newest first."""
        from automl_jupyter.schemas import ModelPage

        return self._transport.ask(ModelPage, "GET", "api/models/", params={"limit": limit, "offset": offset})

    def model(self, name: str) -> Model:
        """One model with its versions."""
        return self._model("GET", f"api/models/{part(name)}/")

    def delete_model(self, name: str) -> None:
        """Delete a model with all its versions."""
        self._transport.request("DELETE", f"api/models/{part(name)}/")

    def promote(self, name: str, version: int) -> Model:
        """Put a version of a model into service."""
        return self._model("POST", f"api/models/{part(name)}/promote/", json={"version": version})

    def rollback(self, name: str) -> Model:
        """Put the version back into service that was there before."""
        return self._model("POST", f"api/models/{part(name)}/rollback/")

    # --- what a model looks like

    def charts(
        self, name: str, chart: str | None = None, *, version: int | None = None, theme: str = "light"
    ) -> list[Chart]:
        """Draw a version of a model; waits while charts are computed for the first time.

        Parameters
        ----------
        name : str
            The model.
        chart : str, optional
            Charts of this name alone: ``roc``, ``residuals``, …; ``importance`` and ``dependence`` come only
            when they are named.
        version : int, optional
            The one in service, or else the newest, unless given.
        theme : str
            ``light``, ``dark`` or ``contrast``.

        Returns
        -------
        list of Chart
            Each with ``spec`` (Vega-Lite 5), ``table`` and ``sentence``.
        """
        return reports.charts(self._transport, name, chart, version, theme)

    def report(
        self, name: str, target: str | Path, *, version: int | None = None, language: str | None = None
    ) -> Path:
        """Write the card of a version of a model into a file.

        Parameters
        ----------
        name : str
            The model.
        target : path
            Where to; Markdown if it ends in ``.md``, else one page of HTML.
        version : int, optional
            The one in service, or else the newest, unless given.
        language : str, optional
            ``en`` or ``fr``; that of the client unless given.
        """
        return reports.report(self._transport, name, Path(target), version, language)

    def export(
        self,
        model: str | Model | ModelRef,
        format: str,  # as REST and the command line call it
        target: str | Path,
        *,
        version: int | None = None,
        language: str | None = None,
    ) -> Path:
        """Write a version of a model into a file for use elsewhere.

        Parameters
        ----------
        model : str, Model or ModelRef
            ``name`` for the version in service, or else the newest, ``name:version`` for another one.
        format : str
            ``notebook`` or ``python``: a zip with the code that makes the best single pipeline of the version
            again, in plain scikit-learn and LightGBM, and the rows that it learns from. ``onnx``: the quick
            model for any runtime of ONNX. ``mlflow``: a zip of the folder that ``mlflow.pyfunc.load_model``
            loads, without a server.
        target : path
            Where to.
        version : int, optional
            That version.
        language : str, optional
            ``en`` or ``fr``; that of the client unless given.
        """
        return reports.export(self._transport, model, format, Path(target), version, language)

    # --- predictions

    def predict(
        self,
        model: str | Model | ModelRef,
        rows: values.Rows,
        *,
        dataset: Dataset | str | None = None,
        max_predict_ms: float | None = None,
    ) -> Predictions:
        """Predict rows.

        Parameters
        ----------
        model : str, Model or ModelRef
            ``name`` for the version in service, ``name:version`` or ``name@alias`` for another one.
        rows : sequence of mappings, or DataFrame
            From column name to value; a missing value is ``None`` or NaN.
        dataset : Dataset or str, optional
            With it, ``name`` means the latest version that was learned from this data set.
        max_predict_ms : float, optional
            Milliseconds that one row may take: where the ensemble takes longer, the quick model answers. What
            the model was trained with unless given.

        Returns
        -------
        Predictions
            In the order of the rows, each with the warnings that concern it; ``answered_by`` says by which
            model, ``ensemble`` or ``fast``.

        Raises
        ------
        Conflict
            If another version went into service while many rows were being predicted in parts.
        """
        return predictions.predict(self._transport, model, rows, dataset, max_predict_ms)

    def predict_csv(
        self,
        model: str | Model | ModelRef,
        source: str | Path,
        target: str | Path,
        *,
        dataset: Dataset | str | None = None,
        max_predict_ms: float | None = None,
    ) -> None:
        """Predict a CSV file into another, one line a row, without holding either in memory.

        Parameters
        ----------
        model : str, Model or ModelRef
            As in :meth:`predict`.
        source : path
            The rows, as CSV with a header.
        target : path
            Where the predictions go; it appears, or changes, only when all of them are there.
        dataset : Dataset or str, optional
            As in :meth:`predict`.
        max_predict_ms : float, optional
            As in :meth:`predict`.
        """
        predictions.predict_csv(self._transport, model, Path(source), Path(target), dataset, max_predict_ms)

    # --- explanations

    def explain(self, model: str | Model | ModelRef, timeout: float | None = None) -> Explanation:
        """What a model has learnt, and where it is weak; computed when it is first asked for.

        Parameters
        ----------
        model : str, Model or ModelRef
            ``name`` for the version in service, ``name:version`` for another one.
        timeout : float, optional
            Seconds to wait for it; as long as it takes unless given.
        """
        from automl_jupyter.schemas import Explanation

        name, params = explanations.named(model)
        path = explanations.path_of(name, "explain")
        return explanations.wait_for(self._transport, Explanation, path, params, timeout)

    def dependence(
        self, model: str | Model | ModelRef, column: str, timeout: float | None = None
    ) -> Dependence:
        """How predictions depend on one column; otherwise as :meth:`explain`."""
        from automl_jupyter.schemas import Dependence

        name, params = explanations.named(model)
        path = explanations.path_of(name, "dependence")
        params = {**params, "column": column}
        return explanations.wait_for(self._transport, Dependence, path, params, timeout)

    def explain_rows(
        self,
        model: str | Model | ModelRef,
        rows: values.Rows,
        *,
        counterexamples: int = 3,
        what_if: Mapping[str, Sequence[object] | None] | None = None,
        max_predict_ms: float | None = None,
    ) -> RowExplanations:
        """How predictions of some rows, twenty at most, come about.

        Parameters
        ----------
        model : str, Model or ModelRef
            As in :meth:`explain`.
        rows : sequence of mappings, or DataFrame
            As in :meth:`predict`.
        counterexamples : int, default=3
            How many rows to show that are much like it and were predicted otherwise.
        what_if : mapping, optional
            By column, other values to ask about; None for usual ones.
        max_predict_ms : float, optional
            As in :meth:`predict`.
        """
        return explanations.explain_rows(
            self._transport, model, rows, counterexamples, what_if or {}, max_predict_ms
        )

    def compare(self, name: str, first: int, second: int, timeout: float | None = None) -> Comparison:
        """How much better one version of a model is than another, on the same rows."""
        from automl_jupyter.schemas import Comparison

        path, params = explanations.path_of(name, "compare"), {"versions": f"{first},{second}"}
        return explanations.wait_for(self._transport, Comparison, path, params, timeout)

    def monitoring(self) -> Monitoring:
        """How the caller's own work is going: jobs, models, requests."""
        from automl_jupyter.schemas import Monitoring

        return self._transport.ask(Monitoring, "GET", "api/monitoring/")

    # --- helpers

    def _dataset(self, method: str, path: str, json: object = None, patience: float | None = None) -> Dataset:
        from automl_jupyter.schemas import Dataset

        return self._transport.ask(Dataset, method, path, json=json, patience=patience)

    def _job(self, method: str, path: str, json: object = None) -> Job:
        from automl_jupyter.schemas import Job

        return self._transport.ask(Job, method, path, json=json)

    def _model(self, method: str, path: str, json: object = None) -> Model:
        from automl_jupyter.schemas import Model

        return self._transport.ask(Model, method, path, json=json)
