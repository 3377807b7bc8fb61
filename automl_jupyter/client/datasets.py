"""What the client asks of data sets: one method for each thing that the REST interface does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from automl_jupyter.client import reports, rereading, uploads
from automl_jupyter.client.connection import Connection
from automl_jupyter.client.paths import id_of, part

if TYPE_CHECKING:
    from automl_jupyter.client.rereading import Decisions
    from automl_jupyter.schemas import Chart, Dataset, DatasetPage, Findings, Preview, Profile


class DatasetVerbs(Connection):
    """Take in, look at, read again, delete."""

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

    def dataset_charts(
        self, dataset: Dataset | str, chart: str | None = None, *, theme: str = "light"
    ) -> list[Chart]:
        """Draw a data set: which cells are empty together, and the values of each column.

        Parameters
        ----------
        dataset : Dataset or str
            A data set, or its id.
        chart : str, optional
            ``missing`` or ``histogram`` alone.
        theme : str
            ``light``, ``dark`` or ``contrast``.

        Returns
        -------
        list of Chart
            Each with ``spec`` (Vega-Lite 5), ``table`` and ``sentence``.
        """
        return reports.dataset_charts(self._transport, dataset, chart, theme)

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

    def _dataset(self, method: str, path: str, json: object = None, patience: float | None = None) -> Dataset:
        from automl_jupyter.schemas import Dataset

        return self._transport.ask(Dataset, method, path, json=json, patience=patience)
