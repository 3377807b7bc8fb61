"""What each sub-command of ``%automl`` does: a few calls of the client, then something that shows itself."""

from __future__ import annotations

import argparse
import csv
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from IPython.display import display

from automl_jupyter.cli import advice, rereading, training
from automl_jupyter.client import Client
from automl_jupyter.errors import Conflict, NotFound, Unprocessable
from automl_jupyter.notebook import live
from automl_jupyter.notebook.arguments import FORMATS, MAGIC, REPORT
from automl_jupyter.notebook.gallery import Gallery
from automl_jupyter.notebook.results import Result, Written
from automl_jupyter.notebook.sources import Table, Words
from automl_jupyter.schemas import Dataset, Job
from automl_jupyter.wording import Wording

if TYPE_CHECKING:
    from automl_jupyter.notebook.panel import Panel
    from automl_jupyter.schemas import (
        Comparison,
        DatasetPage,
        Explanation,
        Findings,
        JobPage,
        Model,
        ModelPage,
        Predictions,
        RowExplanations,
    )


@dataclass(frozen=True)
class Session(Wording):
    """What a command knows of the notebook around it.

    Attributes
    ----------
    client : Client
        The connection.
    words : Words
        What the words of the command mean.
    language : str
        The language to answer in.
    terminal : bool
        Whether the output is a terminal's.
    cell : str or None
        The text of the cell, for ``%%automl``.
    execution : int
        The number of the cell.
    """

    client: Client
    words: Words
    language: str
    terminal: bool
    cell: str | None
    execution: int

    def result(self, content: Any, note: str = "", *, shown: bool = False) -> Result[Any]:
        """What a command returns."""
        return Result(content, self.language, note, self.execution if shown else None)


def run(name: str, arguments: argparse.Namespace, session: Session) -> object:
    """Do what a sub-command asks for."""
    return VERBS[name](session, arguments)


def upload(session: Session, arguments: argparse.Namespace) -> Result[Dataset]:
    """Have a table taken in."""
    source = session.words.source(arguments.source)
    dataset = _taken_in(source, session, arguments.name)
    note = session.text("notebook.next", command=f"{MAGIC} train {shlex.quote(dataset.name)} --target …")
    return session.result(dataset, note)


def datasets(session: Session, arguments: argparse.Namespace) -> Result[DatasetPage] | Result[Dataset]:
    """List data sets, or show one."""
    if arguments.dataset is None:
        return session.result(session.client.datasets())
    return session.result(session.words.dataset(arguments.dataset))


def reread(session: Session, arguments: argparse.Namespace) -> Result[Dataset]:
    """Have the file of a data set read again."""
    dataset = session.words.dataset(arguments.dataset)
    return session.result(session.client.reread(dataset, **rereading.decisions(arguments)))


def findings(session: Session, arguments: argparse.Namespace) -> Result[Findings]:
    """Say what should be known of a table before training."""
    dataset = _taken_in(session.words.source(arguments.source), session)
    found = session.client.findings(dataset, arguments.target)
    options = advice.all_options(found.items, dataset, arguments.target)
    if not options:
        return session.result(found)
    target = [] if arguments.target is None else ["--target", arguments.target]
    command = f"{MAGIC} {shlex.join(['train', dataset.id, *target, *options])}"
    return session.result(found, session.text("notebook.act", command=command))


def train(session: Session, arguments: argparse.Namespace) -> Result[Job]:
    """Search for a model and show how it goes."""
    dataset = _taken_in(session.words.source(arguments.source), session)
    try:
        columns = training.chosen(dataset, arguments)
    except training.UnknownColumns as problem:
        raise Unprocessable("notebook.no_column", columns=problem.names, known=problem.known) from None
    job = training.start(session.client, dataset, arguments, columns)
    if arguments.detach:
        return session.result(job, _how_to_return(session, job))
    return _watched(session, job)


def watch(session: Session, arguments: argparse.Namespace) -> Result[Job]:
    """Show how a job goes until it is over."""
    return _watched(session, session.words.job(arguments.job))


def leaderboard(session: Session, arguments: argparse.Namespace) -> Result[Job]:
    """Show the leaderboard of a job as it is now."""
    return session.result(session.words.job(arguments.job))


def predict(session: Session, arguments: argparse.Namespace) -> Result[Predictions] | None:
    """Predict the rows of a cell, a DataFrame or a file."""
    client, model, limit = session.client, session.words.model(arguments.model), arguments.max_ms
    if session.cell is None and arguments.source is None:
        raise Unprocessable("notebook.no_rows")
    if session.cell is not None and arguments.source is not None:
        raise Conflict("notebook.rows_twice")
    if session.cell is None and arguments.output is not None:
        source = session.words.source(arguments.source)
        if isinstance(source, Table) and isinstance(source.content, Path):
            client.predict_csv(model, source.content, arguments.output, max_predict_ms=limit)
            print(session.text("cli.predict.written", path=arguments.output))  # noqa: T201
            return None
    rows = _rows(session, arguments.source)
    answer = session.result(client.predict(model, rows, max_predict_ms=limit))
    if arguments.output is not None:
        answer.to_frame().to_csv(arguments.output, index=False)
        print(session.text("cli.predict.written", path=arguments.output))  # noqa: T201
    return answer


def explain(session: Session, arguments: argparse.Namespace) -> Result[Explanation] | Result[RowExplanations]:
    """Say what a model has learnt, or how its answers to some rows come about."""
    model = session.words.model(arguments.model)
    given = (session.cell, arguments.source, arguments.row)
    if sum(one is not None for one in given) > 1:
        raise Conflict("notebook.rows_twice")
    if not any(one is not None for one in given):
        if arguments.what_if:
            raise Unprocessable("notebook.what_if_of_what")
        found = session.client.explain(model)
        command = f"{MAGIC} charts {_reference(found)}"
        return session.result(found, session.text("notebook.next", command=command))
    if arguments.row is not None:
        rows: Any = [{column: value or None for column, value in arguments.row}]
    else:
        rows = _rows(session, arguments.source)
    what_if = dict.fromkeys(arguments.what_if or ())
    return session.result(session.client.explain_rows(model, rows, what_if=what_if))


def charts(session: Session, arguments: argparse.Namespace) -> Result[Gallery]:
    """Draw a model: the charts of one name, or all in words."""
    model, theme = session.words.model(arguments.model), arguments.theme
    found = session.client.charts(model, arguments.chart, theme=theme, costs=arguments.costs)
    gallery = Gallery(tuple(found), theme)
    if arguments.chart is None:
        name = arguments.model if isinstance(model, str) else f"{model.name}:{model.version}"
        command = f"{MAGIC} charts {name} --chart {found[0].name}" if found else ""
        return session.result(gallery, session.text("notebook.next", command=command) if found else "")
    if len(found) < 2 or session.terminal:
        return session.result(gallery)
    for chart in found:
        display(session.result(Gallery((chart,), theme)))  # type: ignore[no-untyped-call]
    return session.result(gallery, shown=True)


def compare(session: Session, arguments: argparse.Namespace) -> Result[Comparison]:
    """Compare two versions of a model on the same rows."""
    name = _name(session, arguments.model)
    return session.result(session.client.compare(name, arguments.first, arguments.second))


def export(session: Session, arguments: argparse.Namespace) -> Result[Written]:
    """Write a model, or its card, into a file."""
    model, kind = session.words.model(arguments.model), arguments.format
    name = model if isinstance(model, str) else f"{model.name}-{model.version}"
    ending = "html" if kind == REPORT else FORMATS[kind]
    form = "" if kind == ending else f"-{kind}"
    output = arguments.output or f"{name.replace(':', '-')}{form}.{ending}"
    if kind == REPORT:
        path = session.client.report(model, output)
    else:
        path = session.client.export(model, kind, output)
    return session.result(Written(path, kind, path.stat().st_size))


def models(session: Session, arguments: argparse.Namespace) -> Result[ModelPage] | Result[Model]:
    """List models, or show one."""
    if arguments.model is None:
        return session.result(session.client.models())
    return session.result(session.client.model(_name(session, arguments.model)))


def promote(session: Session, arguments: argparse.Namespace) -> Result[Model]:
    """Put a version of a model into service."""
    return session.result(session.client.promote(_name(session, arguments.model), arguments.version))


def rollback(session: Session, arguments: argparse.Namespace) -> Result[Model]:
    """Put the version back into service that was there before."""
    return session.result(session.client.rollback(_name(session, arguments.model)))


def jobs(session: Session, arguments: argparse.Namespace) -> Result[JobPage] | Result[Job]:
    """List jobs, show one, end it or take it up again."""
    acts = arguments.stop or arguments.cancel or arguments.resume
    if arguments.job is None:
        if acts:
            raise Unprocessable("notebook.which_job")
        return session.result(session.client.jobs())
    job = session.words.job(arguments.job)
    if arguments.stop:
        job = session.client.stop(job)
    elif arguments.cancel:
        job = session.client.cancel(job)
    elif arguments.resume:
        return _watched(session, session.client.resume(job, arguments.time))
    return session.result(job)


def panel(session: Session, arguments: argparse.Namespace) -> Panel:
    """Open the panel."""
    from automl_jupyter.notebook.panel import Panel

    if arguments.source is None:
        return Panel(language=session.language)
    source = session.words.source(arguments.source)
    if isinstance(source, Table):
        return Panel(source.content, name=source.name, language=session.language)
    return Panel(source, language=session.language)


VERBS: Mapping[str, Callable[[Session, argparse.Namespace], object]] = MappingProxyType(
    {
        "upload": upload,
        "datasets": datasets,
        "reread": reread,
        "findings": findings,
        "train": train,
        "watch": watch,
        "leaderboard": leaderboard,
        "predict": predict,
        "explain": explain,
        "charts": charts,
        "compare": compare,
        "export": export,
        "models": models,
        "promote": promote,
        "rollback": rollback,
        "jobs": jobs,
        "panel": panel,
    }
)


def _rows(session: Session, word: str) -> Any:
    """The rows of the cell, or those that a word names."""
    if session.cell is not None:
        return list(csv.DictReader(StringIO(session.cell.strip("\n"))))
    source = session.words.source(word)
    if not isinstance(source, Table):
        raise NotFound("notebook.rows_of_dataset", name=source.name)
    if not isinstance(source.content, Path):
        return source.content
    with source.content.open(newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def _reference(found: Explanation) -> str:
    return shlex.quote(f"{found.model}:{found.version}")


def _taken_in(source: Table | Dataset, session: Session, name: str | None = None) -> Dataset:
    if isinstance(source, Dataset):
        return source
    progress = live.Progress(source.name, session, terminal=session.terminal)
    try:
        return session.client.upload(source.content, name=name or source.name, progress=progress)
    finally:
        progress.end()


def _watched(session: Session, job: Job) -> Result[Job]:
    try:
        job = live.watch(session.client, job, session.language, terminal=session.terminal)
    except KeyboardInterrupt:
        return session.result(session.client.job(job.id), _how_to_return(session, job), shown=True)
    note = ""
    if job.model is not None:
        command = f"{MAGIC} predict {job.model.name}:{job.model.version} …"
        note = session.text("notebook.next", command=command)
    # What a terminal showed while it changed is gone by now.
    return session.result(job, note, shown=not session.terminal)


def _how_to_return(session: Session, job: Job) -> str:
    return session.text(
        "notebook.detached",
        watch=f"{MAGIC} watch {job.id}",
        stop=f"{MAGIC} jobs {job.id} --stop",
        cancel=f"{MAGIC} jobs {job.id} --cancel",
    )


def _name(session: Session, word: str) -> str:
    model = session.words.model(word)
    return model if isinstance(model, str) else model.name
