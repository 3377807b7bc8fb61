"""Watching a job: a leaderboard that changes in place in a terminal, one line for each model elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from automl_jupyter.cli import tables
from automl_jupyter.cli.terminal import Terminal
from automl_jupyter.schemas import FINAL_STATES
from automl_jupyter.wording import clock

if TYPE_CHECKING:
    from automl_jupyter.client import Client
    from automl_jupyter.schemas import Job

SHORTEST_BOARD = 5
"""Lines of the leaderboard that are shown however low the window is."""

AROUND = 9
"""Lines that the rest of the display takes."""

PAUSE = 0.2
"""Seconds between two looks at a job, however fast its events come."""


def watch(client: Client, job: Job, terminal: Terminal, hint: str = "cli.watch.hint") -> Job:
    """Show a job until it is over.

    Parameters
    ----------
    client : Client
        The connection.
    job : Job
        The job as it was last seen.
    terminal : Terminal
        Where to show it: on the standard error, so that the result can be sent elsewhere.
    hint : str
        The code of the sentence that says what Ctrl-C does.

    Returns
    -------
    Job
        The job at its end.
    """
    if terminal.err.is_terminal:
        return _in_place(client, job, terminal, hint)
    return _line_by_line(client, job, terminal)


def _states(client: Client, job: Job) -> Iterator[Job]:
    seen = 0.0
    for event in client.events(job):
        now = time.monotonic()
        if event.kind == "done":
            break
        if now - seen >= PAUSE:
            seen = now
            yield client.job(job.id)
    yield client.wait(job)


def _in_place(client: Client, job: Job, terminal: Terminal, hint: str) -> Job:
    view = _View(job, terminal, terminal.text(hint))
    with Live(view, console=terminal.err, refresh_per_second=5, transient=True):
        for state in _states(client, job):
            view.see(state)
    return view.job


def _line_by_line(client: Client, job: Job, terminal: Terminal) -> Job:
    seen: set[str] = set()
    state = ""
    for now in _states(client, job):
        job = now
        if now.state != state and now.state not in FINAL_STATES:
            state = now.state
            terminal.note(terminal.text(f"cli.state.{state}"))
        for trial in now.leaderboard:
            if trial.name in seen or trial.state != "done" or trial.score is None:
                continue
            seen.add(trial.name)
            terminal.note(f"{clock(now.elapsed)}  {terminal.number(trial.score)}  {trial.name}")
    return job


class _View:
    """What is shown of a running job; the clock goes on between two looks at it."""

    def __init__(self, job: Job, terminal: Terminal, hint: str) -> None:
        self.job = job
        self._hint = hint
        self._terminal = terminal
        self._seen = time.monotonic()

    def see(self, job: Job) -> None:
        """Take notice of the job's newest state."""
        self.job, self._seen = job, time.monotonic()

    def __rich__(self) -> RenderableType:
        job, terminal = self.job, self._terminal
        room = max(SHORTEST_BOARD, terminal.err.height - AROUND)
        return Group(
            tables.heading(job, terminal),
            self._bar(job),
            tables.leaderboard(job, terminal, limit=room),
            Text(f"  {self._hint}", style="dim"),
        )

    def _bar(self, job: Job) -> RenderableType:
        since = time.monotonic() - self._seen if job.state == "running" else 0.0
        elapsed = min(job.elapsed + since, job.time_budget)
        line = Table.grid(padding=(0, 2))
        line.add_row(
            ProgressBar(
                total=job.time_budget,
                completed=elapsed,
                width=40,
                pulse=job.state == "queued",
                style="bar.back",
            ),
            Text(f"{clock(elapsed)} / {clock(job.time_budget)}", style="cyan"),
            Text(self._terminal.text(f"cli.state.{job.state}"), style=tables.STATE_STYLES[job.state]),
        )
        return line
