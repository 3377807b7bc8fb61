"""What the client asks of models: one method for each thing that the REST interface does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from automl_jupyter.client import predictions, reports, values
from automl_jupyter.client.connection import Connection
from automl_jupyter.client.paths import part

if TYPE_CHECKING:
    from automl_jupyter.schemas import Chart, Dataset, Model, ModelPage, ModelRef, Predictions


class ModelVerbs(Connection):
    """List, put into service, predict, draw, write into files."""

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

    def charts(
        self,
        model: str | Model | ModelRef,
        chart: str | None = None,
        *,
        version: int | None = None,
        theme: str = "light",
        costs: tuple[float, float] | None = None,
    ) -> list[Chart]:
        """Draw a version of a model; waits while charts are computed for the first time.

        Parameters
        ----------
        model : str, Model or ModelRef
            ``name`` for the version in service, or else the newest, ``name:version`` for another one.
        chart : str, optional
            Charts of this name alone: ``roc``, ``residuals``, …; ``importance``, ``dependence`` and
            ``learning`` come only when they are named.
        version : int, optional
            That version.
        theme : str
            ``light``, ``dark`` or ``contrast``.
        costs : tuple of float, optional
            What a false positive and a false negative cost, in any unit, for the chart ``threshold``.

        Returns
        -------
        list of Chart
            Each with ``spec`` (Vega-Lite 5), ``table`` and ``sentence``.
        """
        return reports.charts(self._transport, model, chart, version, theme, costs)

    def report(
        self,
        model: str | Model | ModelRef,
        target: str | Path,
        *,
        version: int | None = None,
        language: str | None = None,
    ) -> Path:
        """Write the card of a version of a model into a file.

        Parameters
        ----------
        model : str, Model or ModelRef
            As in :meth:`charts`.
        target : path
            Where to; Markdown if it ends in ``.md``, else one page of HTML.
        version : int, optional
            That version.
        language : str, optional
            ``en`` or ``fr``; that of the client unless given.
        """
        return reports.report(self._transport, model, Path(target), version, language)

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

    def _model(self, method: str, path: str, json: object = None) -> Model:
        from automl_jupyter.schemas import Model

        return self._transport.ask(Model, method, path, json=json)
