"""What each command does: a few calls of the client, then something to show."""

from __future__ import annotations

import argparse
import csv
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from automl_jupyter.cli import advice, charting, explaining, exporting, live, rereading, tables, training
from automl_jupyter.cli.parser import PROGRAM
from automl_jupyter.cli.terminal import Terminal
from automl_jupyter.client import Client
from automl_jupyter.wording import clock

if TYPE_CHECKING:
    from automl_jupyter.client.uploads import Progress as Told
    from automl_jupyter.schemas import Dataset, Job

OK, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130

SHOWN = 12
"""Predictions that are shown in a terminal."""


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the arguments ask for, and return the exit code."""
    with Client(arguments.url, arguments.token, language=terminal.language) as client:
        return COMMANDS[arguments.command](client, arguments, terminal)


def upload(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Have a file taken in."""
    dataset = _upload(client, arguments.file, arguments.name, terminal)
    terminal.show(dataset, tables.dataset_summary(dataset, terminal), tables.columns(dataset, terminal))
    if not terminal.json:
        terminal.note(
            terminal.text("cli.upload.next", command=f"{PROGRAM} train {dataset.id} --target …"), "dim"
        )
    return OK


def reread(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Have the file of a data set read again."""
    dataset = client.reread(arguments.dataset, **rereading.decisions(arguments))
    terminal.show(dataset, tables.dataset_summary(dataset, terminal), tables.columns(dataset, terminal))
    return OK


def resume(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Take up a job again, and show how it goes."""
    job = client.resume(arguments.id, arguments.time)
    if arguments.detach:
        terminal.show(job, tables.heading(job, terminal))
        terminal.note(_how_to_return(job, terminal))
        return OK
    return _watch(client, job, terminal)


def train(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Search for a model and show how it goes."""
    source = _taken_in(client, arguments.source, terminal)
    columns = arguments.columns
    if arguments.exclude:
        dataset = client.dataset(source)
        try:
            columns = training.chosen(dataset, arguments)
        except training.UnknownColumns as problem:
            told = {"columns": problem.names, "known": problem.known}
            terminal.complain(terminal.text("cli.train.no_column", **told))
            return USAGE
    job = training.start(client, source, arguments, columns)
    if arguments.detach:
        terminal.show(job, tables.heading(job, terminal))
        terminal.note(_how_to_return(job, terminal))
        return OK
    return _watch(client, job, terminal)


def findings(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Say what should be known of a table before training, and what to do about it."""
    source = _taken_in(client, arguments.source, terminal)
    with terminal.err.status(terminal.text("cli.findings.looking")):
        found = client.findings(source, arguments.target)
    dataset = client.dataset(source)
    terminal.show(found, tables.findings(found.items, dataset, arguments.target, terminal))
    if found.time_budget is not None and not terminal.json:
        times = {name: clock(seconds) for name, seconds in found.time_budget.model_dump().items()}
        terminal.note(terminal.text("cli.findings.time", **times))
    options = advice.all_options(found.items, dataset, arguments.target)
    if options and not terminal.json:
        target = [] if arguments.target is None else ["--target", arguments.target]
        command = f"{PROGRAM} {shlex.join(['train', source, *target, *options])}"
        terminal.note(terminal.text("cli.findings.next", command=command), "dim")
    return OK


def predict(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Predict a file."""
    model, file, output, limit = arguments.model, arguments.file, arguments.output, arguments.max_ms
    if terminal.json:
        with file.open(newline="", encoding="utf-8-sig") as rows:
            asked = [dict(row) for row in csv.DictReader(rows)]
            answer = client.predict(model, asked, max_predict_ms=limit)
        if output is not None:
            output.write_text(answer.model_dump_json(indent=2) + "\n", "utf-8")
        terminal.show(answer)
        return OK
    if output is not None:
        with terminal.err.status(terminal.text("cli.predict.running")):
            client.predict_csv(model, file, output, max_predict_ms=limit)
        terminal.note(terminal.text("cli.predict.written", path=str(output)))
        return OK
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "predictions.csv"
        with terminal.err.status(terminal.text("cli.predict.running")):
            client.predict_csv(model, file, output, max_predict_ms=limit)
        if terminal.out.is_terminal:
            _show_predictions(output, terminal)
        else:
            with output.open(encoding="utf-8") as predictions:
                shutil.copyfileobj(predictions, sys.stdout)
    return OK


def models(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """List models, show one, or change which version is in service."""
    if arguments.name is None:
        if arguments.promote is not None or arguments.rollback:
            terminal.complain(terminal.text("cli.models.which"))
            return USAGE
        page = client.models()
        terminal.show(page, tables.models(page.items, terminal))
        return OK
    if arguments.promote is not None:
        model = client.promote(arguments.name, arguments.promote)
    elif arguments.rollback:
        model = client.rollback(arguments.name)
    else:
        model = client.model(arguments.name)
    terminal.show(model, tables.model_details(model, terminal))
    return OK


def jobs(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """List jobs, show or watch one, or end it."""
    if arguments.id is None:
        if arguments.watch or arguments.stop or arguments.cancel:
            terminal.complain(terminal.text("cli.jobs.which"))
            return USAGE
        page = client.jobs()
        terminal.show(page, tables.jobs(page.items, terminal))
        return OK
    if arguments.watch:
        return _watch(client, client.job(arguments.id), terminal)
    if arguments.stop:
        job = client.stop(arguments.id)
    elif arguments.cancel:
        job = client.cancel(arguments.id)
    else:
        job = client.job(arguments.id)
    terminal.show(job, tables.job_details(job, terminal))
    return OK


def datasets(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """List data sets, or show one."""
    if arguments.id is None:
        page = client.datasets()
        terminal.show(page, tables.datasets(page.items, terminal))
        return OK
    dataset = client.dataset(arguments.id)
    terminal.show(dataset, tables.dataset_summary(dataset, terminal), tables.columns(dataset, terminal))
    return OK


def user(client: Client, _arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Show who the caller is."""
    person = client.user()
    terminal.show(person, tables.user(person, client.url, terminal))
    return OK


COMMANDS: Mapping[str, Callable[[Client, argparse.Namespace, Terminal], int]] = MappingProxyType(
    {
        "upload": upload,
        "findings": findings,
        "train": train,
        "predict": predict,
        "models": models,
        "explain": explaining.explain,
        "compare": explaining.compare,
        "charts": charting.charts,
        "report": exporting.report,
        "export": exporting.export,
        "jobs": jobs,
        "datasets": datasets,
        "reread": reread,
        "resume": resume,
        "user": user,
    }
)


def _taken_in(client: Client, source: Path | str, terminal: Terminal) -> str:
    """Have a file taken in and say what was read; a data set is there already."""
    if not isinstance(source, Path):
        return source
    dataset = _upload(client, source, None, terminal)
    terminal.err.print(tables.dataset_summary(dataset, terminal))
    return dataset.id


def _upload(client: Client, file: Path, name: str | None, terminal: Terminal) -> Dataset:
    with _progress(file.name, terminal) as told:
        return client.upload(file, name=name, progress=told)


@contextmanager
def _progress(name: str, terminal: Terminal) -> Iterator[Told | None]:
    if not terminal.err.is_terminal:
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=terminal.err,
        transient=True,
    )
    with bar:
        task = bar.add_task(name, total=None)

        def told(done: int, total: int) -> None:
            reading = f"{name} · {terminal.text('cli.upload.reading')}"
            bar.update(task, completed=done, total=total, description=reading if done == total else name)

        yield told


def _watch(client: Client, job: Job, terminal: Terminal) -> int:
    try:
        job = live.watch(client, job, terminal)
    except KeyboardInterrupt:
        terminal.note(_how_to_return(job, terminal))
        return INTERRUPTED
    terminal.show(job, tables.job_details(job, terminal))
    if job.model is None:
        if terminal.json and job.error is not None:
            terminal.complain(job.error.message)
        return REFUSED
    if not terminal.json:
        if job.outlook is not None:
            gain, low, high = (
                terminal.number(100 * part, 1)
                for part in (job.outlook.gain, job.outlook.low, job.outlook.high)
            )
            terminal.note(terminal.text("cli.train.outlook", gain=gain, low=low, high=high), "dim")
        command = f"{PROGRAM} predict {job.model.name} FILE"
        terminal.note(terminal.text("cli.train.next", command=command), "dim")
    return OK


def _how_to_return(job: Job, terminal: Terminal) -> str:
    command = f"{PROGRAM} jobs {job.id}"
    return terminal.text(
        "cli.train.detached",
        watch=f"{command} --watch",
        stop=f"{command} --stop",
        cancel=f"{command} --cancel",
    )


def _show_predictions(file: Path, terminal: Terminal) -> None:
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.reader(lines)
        header = next(reader, [])
        shown = list(islice(reader, SHOWN))
        more = sum(1 for _ in reader)
    kept = [place for place, name in enumerate(header) if name != "prediction_id"]
    table: Table = tables.plain()
    for place in kept:
        table.add_column(Text(header[place]), justify="left" if header[place] == "warnings" else "right")
    for row in shown:
        table.add_row(*(Text(_short(row[place], terminal)) for place in kept))
    terminal.out.print(table)
    if more:
        terminal.note(terminal.text("cli.predict.more", n=more), "dim")


def _short(value: str, terminal: Terminal) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return terminal.number(number) if "." in value else value
