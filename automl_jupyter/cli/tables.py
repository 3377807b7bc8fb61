"""What the command line shows of jobs, models, data sets and people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from automl_jupyter.cli import advice
from automl_jupyter.cli.terminal import Terminal
from automl_jupyter.schemas import FINAL_STATES
from automl_jupyter.wording import clock

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Finding, Job, Model, ModelVersion, Notice, Trial, User

TIED = "≈"
BEST = "★"
SEVERITY_STYLES = {"serious": "bold red", "warning": "yellow", "info": "dim"}
STATE_STYLES = {
    "queued": "dim",
    "running": "cyan",
    "done": "green",
    "stopped": "green",
    "failed": "red",
    "cancelled": "dim",
    "interrupted": "yellow",
}


def leaderboard(job: Job, terminal: Terminal, limit: int | None = None) -> RenderableType:
    """The models of a job, best first; with a `limit`, as many of them, and the baseline always."""
    if not job.leaderboard:
        return Text(f"  {terminal.text('cli.board.empty')}", style="dim")
    scored = [trial for trial in job.leaderboard if trial.score is not None]
    shown = _cut(scored, limit)
    table = plain()
    table.add_column("", justify="right", style="dim")
    table.add_column(terminal.text("cli.board.model"), overflow="fold")
    table.add_column(job.metric, justify="right")
    table.add_column(terminal.text("cli.board.interval"), justify="right", style="dim")
    table.add_column(terminal.text("cli.board.fit"), justify="right", style="dim")
    table.add_column(terminal.text("cli.board.predict"), justify="right", style="dim")
    for place, trial in shown:
        # Which models are tied is known when the last has its score.
        tied = trial.tied_with_best and job.state in FINAL_STATES
        table.add_row(*_trial(place, trial, tied, terminal), style=_trial_style(place, trial))
    return Group(table, *_legend(job, len(scored) - len(shown), terminal))


def _cut(trials: Sequence[Trial], limit: int | None) -> list[tuple[int, Trial]]:
    places = list(enumerate(trials, start=1))
    if limit is None or len(places) <= limit:
        return places
    kept = places[: max(limit - 1, 1)]
    return kept + [pair for pair in places[len(kept) :] if pair[1].baseline][:1]


def _trial(place: int, trial: Trial, tied: bool, terminal: Terminal) -> Iterator[str | Text]:
    mark = BEST if place == 1 else TIED if tied else " "
    yield str(place)
    yield _name(trial, terminal)
    yield f"{mark} {terminal.number(trial.score or 0.0)}"
    yield _interval(trial.interval, terminal)
    yield terminal.seconds(trial.fit_seconds)
    yield terminal.seconds(trial.predict_seconds)


def _name(trial: Trial, terminal: Terminal) -> Text:
    name, label = Text(trial.name), terminal.text("cli.board.baseline")
    return name.append(f"  {label}", style="italic") if trial.baseline and trial.name != label else name


def _trial_style(place: int, trial: Trial) -> str:
    if trial.baseline:
        return "dim"
    return "bold green" if place == 1 else ""


def _interval(interval: tuple[float | None, float | None] | None, terminal: Terminal) -> str:
    if interval is None or interval[0] is None or interval[1] is None:
        return ""
    return f"{terminal.number(interval[0], 3)} … {terminal.number(interval[1], 3)}"


def _legend(job: Job, hidden: int, terminal: Terminal) -> Iterator[RenderableType]:
    if hidden > 0:
        yield Text(f"  {terminal.text('cli.board.more', n=hidden)}", style="dim")
    if job.state in FINAL_STATES and any(trial.tied_with_best for trial in job.leaderboard[1:]):
        yield Text(f"  {TIED} {terminal.text('cli.board.tied')}", style="dim")
    # Several models that came to nothing for one reason share one line.
    reasons: dict[str, list[str]] = {}
    for trial in job.leaderboard:
        if trial.score is None:
            reason = trial.reason or terminal.text(f"cli.trial.{trial.state}")
            reasons.setdefault(reason, []).append(trial.name)
    for reason, names in reasons.items():
        missed = terminal.text("cli.board.missed", names=names, reason=reason)
        yield Padding(Text(missed, style="dim"), (0, 0, 0, 2))


def heading(job: Job, terminal: Terminal) -> Text:
    """One line that says what a job is about."""
    what = (
        terminal.text("cli.job.clusters")
        if job.target is None
        else terminal.text("cli.job.target", target=job.target)
    )
    text = Text(f"{what} ", style="bold")
    text.append(f"· {terminal.text(f'cli.task.{job.task}')} · {job.metric}", style="not bold dim")
    if job.options:
        text.append(f" · {shlex.join(advice.typed(job.options))}", style="not bold dim")
    return text


def ending(job: Job, terminal: Terminal) -> Text:
    """One line that says how a job stands."""
    text = Text(terminal.text(f"cli.state.{job.state}"), style=STATE_STYLES[job.state])
    text.append(
        f" · {terminal.text('cli.job.time', elapsed=clock(job.elapsed), budget=clock(job.time_budget))}",
        style="dim",
    )
    if job.model is not None:
        text.append(f" · {job.model.name}:{job.model.version}", style="bold")
    if job.error is not None:
        text.append(f"\n{job.error.message}", style="red")
    return text


def job_details(job: Job, terminal: Terminal) -> RenderableType:
    """A job with its leaderboard."""
    return Group(heading(job, terminal), leaderboard(job, terminal), ending(job, terminal))


def jobs(items: Sequence[Job], terminal: Terminal) -> RenderableType:
    """The list of jobs."""
    if not items:
        return Text(terminal.text("cli.jobs.none"), style="dim")
    table = plain()
    for column in ("id", "created", "state", "target", "best", "time", "model"):
        side: JustifyMethod = "right" if column == "best" else "left"
        # An identifier is for copying: other columns give way where the terminal is narrow.
        table.add_column(terminal.text(f"cli.jobs.{column}"), justify=side, no_wrap=column == "id")
    for job in items:
        best = next((trial.score for trial in job.leaderboard if trial.score is not None), None)
        table.add_row(
            job.id,
            _when(job.created),
            Text(terminal.text(f"cli.state.{job.state}"), style=STATE_STYLES[job.state]),
            job.target or terminal.text("cli.job.clusters"),
            "" if best is None else f"{job.metric} {terminal.number(best)}",
            f"{clock(job.elapsed)} / {clock(job.time_budget)}",
            f"{job.model.name}:{job.model.version}" if job.model else "",
        )
    return table


def models(items: Sequence[Model], terminal: Terminal) -> RenderableType:
    """The list of models."""
    if not items:
        return Text(terminal.text("cli.models.none"), style="dim")
    table = plain()
    for column in ("name_column", "task", "target", "versions", "in_service", "score", "created"):
        right = column in ("versions", "in_service", "score")
        table.add_column(terminal.text(f"cli.models.{column}"), justify="right" if right else "left")
    for model in items:
        champion = next((v for v in model.versions if v.version == model.champion), None)
        table.add_row(
            Text(model.name, style="bold"),
            terminal.text(f"cli.task.{model.task}"),
            model.target or "",
            str(len(model.versions)),
            str(model.champion or "–"),
            _score(champion, terminal) if champion else "",
            _when(model.created),
        )
    return table


def model_details(model: Model, terminal: Terminal) -> RenderableType:
    """A model with its versions."""
    title = Text(model.name, style="bold")
    title.append(f" · {terminal.text(f'cli.task.{model.task}')}", style="not bold dim")
    if model.target:
        title.append(f" · {terminal.text('cli.job.target', target=model.target)}", style="not bold dim")
    table = plain()
    for column in ("version", "status", "score", "interval", "baseline", "created", "dataset"):
        right = column in ("version", "score", "interval", "baseline")
        table.add_column(
            terminal.text(f"cli.models.{column}"),
            justify="right" if right else "left",
            no_wrap=column in ("version", "status", "dataset"),
        )
    for version in model.versions:
        served = version.version == model.champion
        table.add_row(
            str(version.version),
            terminal.text("cli.models.champion") if served else "",
            _score(version, terminal),
            _interval(version.interval, terminal),
            "" if version.baseline_score is None else terminal.number(version.baseline_score),
            _when(version.created),
            version.dataset_id,
            style="green" if served else "",
        )
    return Group(title, table)


def _score(version: ModelVersion, terminal: Terminal) -> str:
    return "" if version.score is None else f"{version.metric} {terminal.number(version.score)}"


def datasets(items: Sequence[Dataset], terminal: Terminal) -> RenderableType:
    """The list of data sets."""
    if not items:
        return Text(terminal.text("cli.datasets.none"), style="dim")
    table = plain()
    for column in ("id_column", "name", "rows", "columns", "size", "created"):
        right = column in ("rows", "columns", "size")
        table.add_column(
            terminal.text(f"cli.datasets.{column}"),
            justify="right" if right else "left",
            no_wrap=column == "id_column",
        )
    for dataset in items:
        table.add_row(
            dataset.id,
            Text(dataset.name, style="bold"),
            terminal.whole(dataset.rows),
            terminal.whole(len(dataset.columns)),
            terminal.size(dataset.bytes),
            _when(dataset.created),
        )
    return table


def dataset_summary(dataset: Dataset, terminal: Terminal) -> RenderableType:
    """A data set in one line, and below it what should be known of it."""
    line = Text(dataset.name, style="bold")
    shape = terminal.text(
        "cli.dataset.shape", rows=terminal.whole(dataset.rows), columns=terminal.whole(len(dataset.columns))
    )
    line.append(f" · {shape} · {terminal.size(dataset.bytes)} · {dataset.id}", style="not bold dim")
    return Group(line, *(notice(item) for item in dataset.warnings))


def notice(item: Notice) -> RenderableType:
    """Something that should be known of a table."""
    return Padding(Text(f"! {item.message}", style="yellow"), (0, 0, 0, 2))


def columns(dataset: Dataset, terminal: Terminal) -> RenderableType:
    """The columns of a data set."""
    table = plain()
    for column in ("name", "type", "missing", "distinct", "examples"):
        right = column in ("missing", "distinct")
        table.add_column(terminal.text(f"cli.columns.{column}"), justify="right" if right else "left")
    for column_ in dataset.columns:
        table.add_row(
            Text(column_.name, style="bold"),
            terminal.text(f"cli.role.{column_.role}"),
            terminal.whole(column_.missing),
            terminal.whole(column_.distinct),
            Text(", ".join(column_.examples[:4]), style="dim", overflow="ellipsis", no_wrap=True),
        )
    return table


def findings(
    items: Sequence[Finding], dataset: Dataset, target: str | None, terminal: Terminal
) -> RenderableType:
    """What should be known before training, and the options of ``train`` that act on it."""
    if not items:
        return Text(terminal.text("cli.findings.none"), style="green")
    table = plain()
    table.show_lines = True
    for column in ("severity", "message", "option"):
        table.add_column(terminal.text(f"cli.findings.{column}"), overflow="fold")
    for item in items:
        table.add_row(
            Text(terminal.text(f"cli.severity.{item.severity}"), style=SEVERITY_STYLES[item.severity]),
            Text(item.message),
            Text(shlex.join(advice.options(item, dataset, target)), style="bold"),
        )
    return table


def user(person: User, url: str, terminal: Terminal) -> RenderableType:
    """Who the caller is and what the server allows."""
    table = Table.grid(padding=(0, 2))
    limits = person.limits
    rows: dict[str, str | Text] = {
        "name": Text(person.display_name or person.username, style="bold"),
        "login": person.username,
        "by": person.authenticated_by,
        "roles": ", ".join(person.roles),
        "server": f"{url} (automl_jupyter {person.version})",
        "upload_limit": terminal.size(limits.max_upload_bytes),
        "time_limit": terminal.text(
            "cli.user.times", default=clock(limits.default_time_budget), most=clock(limits.max_time_budget)
        ),
    }
    for name, value in rows.items():
        table.add_row(Text(terminal.text(f"cli.user.{name}"), style="dim"), value)
    return table


def plain() -> Table:
    """An empty table in the one style of the command line."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", border_style="dim", padding=(0, 1))


def _when(moment: object) -> str:
    from datetime import datetime

    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if isinstance(moment, datetime) else ""
