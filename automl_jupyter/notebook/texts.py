"""What is shown of each thing as plain text: in a terminal, and where a notebook is written to a file."""

from __future__ import annotations

import shutil
from functools import singledispatch
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.text import Text

from automl_jupyter.cli import charting, explaining, tables
from automl_jupyter.cli.terminal import Terminal
from automl_jupyter.notebook.gallery import Gallery
from automl_jupyter.notebook.results import Written
from automl_jupyter.schemas import (
    Comparison,
    Dataset,
    DatasetPage,
    Explanation,
    Findings,
    Job,
    JobPage,
    Model,
    ModelPage,
    Predictions,
    RowExplanations,
)

SHOWN = 12
"""Predictions that are shown."""

WIDEST = 160
"""Characters of a line at most, however wide the window is."""


def plain(content: object, language: str) -> str:
    """A thing as lines of text, without colours."""
    width = min(shutil.get_terminal_size((110, 24)).columns, WIDEST)
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        color_system=None,
        force_jupyter=False,
    )
    console.print(parts(content, Terminal(console, console, language)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


@singledispatch
def parts(content: object, terminal: Terminal) -> RenderableType:
    """What is printed of a thing."""
    raise NotImplementedError(type(content))


@parts.register
def _dataset(dataset: Dataset, terminal: Terminal) -> RenderableType:
    return Group(tables.dataset_summary(dataset, terminal), tables.columns(dataset, terminal))


@parts.register
def _datasets(page: DatasetPage, terminal: Terminal) -> RenderableType:
    if not page.items:
        return Text(terminal.text("notebook.none.datasets"))
    return tables.datasets(page.items, terminal)


@parts.register
def _job(job: Job, terminal: Terminal) -> RenderableType:
    return tables.job_details(job, terminal)


@parts.register
def _jobs(page: JobPage, terminal: Terminal) -> RenderableType:
    if not page.items:
        return Text(terminal.text("notebook.none.jobs"))
    return tables.jobs(page.items, terminal)


@parts.register
def _model(model: Model, terminal: Terminal) -> RenderableType:
    return tables.model_details(model, terminal)


@parts.register
def _models(page: ModelPage, terminal: Terminal) -> RenderableType:
    if not page.items:
        return Text(terminal.text("notebook.none.models"))
    return tables.models(page.items, terminal)


@parts.register
def _predictions(answer: Predictions, terminal: Terminal) -> RenderableType:
    table = tables.plain()
    labels = list(answer.predictions[0].probabilities or ()) if answer.predictions else []
    table.add_column("", justify="right", style="dim")
    table.add_column(terminal.text("notebook.prediction"))
    for label in labels:
        table.add_column(Text(label), justify="right")
    table.add_column(terminal.text("notebook.warnings"), overflow="fold")
    for number, one in enumerate(answer.predictions[:SHOWN], start=1):
        table.add_row(
            str(number),
            Text(terminal.value(one.value)),
            *(terminal.number((one.probabilities or {}).get(label, 0.0), 3) for label in labels),
            Text("\n".join(warning.message for warning in one.warnings)),
        )
    rest = len(answer.predictions) - SHOWN
    notes = [Text(note.message) for note in answer.notes]
    more = [Text(terminal.text("cli.predict.more", n=rest))] if rest > 0 else []
    return Group(Text(f"{answer.model}:{answer.version}"), table, *more, *notes)


@parts.register
def _explanation(found: Explanation, terminal: Terminal) -> RenderableType:
    return Group(Text(f"{found.model}:{found.version}"), *explaining.of_model(found, terminal))


@parts.register
def _explained_rows(found: RowExplanations, terminal: Terminal) -> RenderableType:
    told = [part for row in found.rows for part in explaining.of_row(found, row, terminal)]
    return Group(Text(f"{found.model}:{found.version}"), *told)


@parts.register
def _comparison(found: Comparison, terminal: Terminal) -> RenderableType:
    return Group(*explaining.of_versions(found, terminal))


@parts.register
def _gallery(charts: Gallery, terminal: Terminal) -> RenderableType:
    return charting.listed(charts.items, terminal)


@parts.register
def _written(file: Written, terminal: Terminal) -> RenderableType:
    return Text(terminal.text("cli.export.written", path=str(file.path)))


@parts.register
def _findings(findings: Findings, terminal: Terminal) -> RenderableType:
    lines = [
        Text(f"{terminal.text(f'cli.severity.{item.severity}')}: {item.message}") for item in findings.items
    ]
    return Group(*lines) if lines else Text(terminal.text("cli.findings.none"))
