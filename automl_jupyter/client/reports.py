"""Charts, cards and exports: asked for until they are there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from automl_jupyter.client import uploads, values
from automl_jupyter.client.paths import id_of, named, part, path_of
from automl_jupyter.client.transport import Transport
from automl_jupyter.client.waiting import computed

if TYPE_CHECKING:
    from automl_jupyter.client.paths import AnyModel
    from automl_jupyter.schemas import Chart, Dataset


def charts(
    transport: Transport,
    model: AnyModel,
    chart: str | None,
    version: int | None,
    theme: str,
    costs: tuple[float, float] | None,
) -> list[Chart]:
    """Draw; see :meth:`automl_jupyter.client.Client.charts`."""
    from automl_jupyter.schemas import Charts

    name, meant = named(model)
    wishes = {"chart": chart, "version": version, "theme": theme}
    query = {**meant, **_given(wishes)}
    if costs is not None:
        query |= {"false_positive_cost": costs[0], "false_negative_cost": costs[1]}
    return transport.read(Charts, computed(transport, path_of(name, "charts"), query)).items


def dataset_charts(
    transport: Transport, dataset: Dataset | str, chart: str | None, theme: str
) -> list[Chart]:
    """Draw; see :meth:`automl_jupyter.client.Client.dataset_charts`."""
    from automl_jupyter.schemas import DatasetCharts

    path, query = f"api/datasets/{part(id_of(dataset))}/charts/", _given({"chart": chart, "theme": theme})
    return transport.ask(DatasetCharts, "GET", path, params=query, patience=uploads.READING).items


def draw_rows(
    transport: Transport, model: AnyModel, rows: values.Rows, max_predict_ms: float | None, theme: str
) -> list[Chart]:
    """Draw; see :meth:`automl_jupyter.client.Client.draw_rows`."""
    from automl_jupyter.schemas import Charts

    name, meant = named(model)
    body: dict[str, object] = {"rows": values.records(rows)}
    if max_predict_ms is not None:
        body["max_predict_ms"] = max_predict_ms
    query, path = {**meant, "theme": theme}, path_of(name, "charts")
    return transport.ask(Charts, "POST", path, json=body, params=query, patience=uploads.READING).items


def report(
    transport: Transport, model: AnyModel, target: Path, version: int | None, language: str | None
) -> Path:
    """Write a card; see :meth:`automl_jupyter.client.Client.report`."""
    name, meant = named(model)
    format_ = "markdown" if target.suffix == ".md" else "html"
    wishes = {"format": format_, "version": version, "language": language or transport.language}
    query = {**meant, **_given(wishes)}
    target.write_bytes(computed(transport, path_of(name, "report"), query).content)
    return target


def export(
    transport: Transport,
    model: AnyModel,
    form: str,
    target: Path,
    version: int | None,
    language: str | None,
) -> Path:
    """Write a file for use elsewhere; see :meth:`automl_jupyter.client.Client.export`."""
    name, meant = named(model)
    wishes = {"version": version, "format": form, "language": language or transport.language}
    query = {**meant, **_given(wishes)}
    target.write_bytes(computed(transport, path_of(name, "export"), query).content)
    return target


def _given(wishes: Mapping[str, str | int | None]) -> dict[str, str | int | float]:
    return {key: value for key, value in wishes.items() if value is not None}
