"""Charts, cards and exports: asked for until they are there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from automl_jupyter.client.explanations import named
from automl_jupyter.client.paths import part
from automl_jupyter.client.transport import Transport

if TYPE_CHECKING:
    import httpx

    from automl_jupyter.schemas import Chart, Model, ModelRef

STILL_COMPUTED = 202
PAUSE, LONGEST_PAUSE = 0.1, 1.0


def charts(
    transport: Transport, name: str, chart: str | None, version: int | None, theme: str
) -> list[Chart]:
    """Draw; see :meth:`automl_jupyter.client.Client.charts`."""
    from automl_jupyter.schemas import Charts

    query = _given({"chart": chart, "version": version, "theme": theme})
    return transport.read(Charts, _there(transport, f"api/models/{part(name)}/charts/", query)).items


def report(transport: Transport, name: str, target: Path, version: int | None, language: str | None) -> Path:
    """Write a card; see :meth:`automl_jupyter.client.Client.report`."""
    format_ = "markdown" if target.suffix == ".md" else "html"
    query = _given({"format": format_, "version": version, "language": language or transport.language})
    target.write_bytes(_there(transport, f"api/models/{part(name)}/report/", query).content)
    return target


def export(
    transport: Transport,
    model: str | Model | ModelRef,
    form: str,
    target: Path,
    version: int | None,
    language: str | None,
) -> Path:
    """Write a file for use elsewhere; see :meth:`automl_jupyter.client.Client.export`."""
    name, meant = named(model)
    query = _given({"version": version, "format": form, "language": language or transport.language})
    query = {**meant, **query}
    target.write_bytes(_there(transport, f"api/models/{part(name)}/export/", query).content)
    return target


def _given(wishes: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {key: value for key, value in wishes.items() if value is not None}


def _there(transport: Transport, path: str, query: Mapping[str, str | int]) -> httpx.Response:
    pause = PAUSE
    while (answer := transport.request("GET", path, params=query)).status_code == STILL_COMPUTED:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return answer
