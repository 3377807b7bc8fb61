"""A training in the output of a cell: a leaderboard that changes in place."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from IPython.display import DisplayHandle

from automl_jupyter.client.uploads import PIECE
from automl_jupyter.notebook.boards import bar, leaderboard
from automl_jupyter.notebook.following import Follower
from automl_jupyter.notebook.markup import el, page
from automl_jupyter.notebook.pages import Page, hint
from automl_jupyter.notebook.texts import plain
from automl_jupyter.wording import Wording

if TYPE_CHECKING:
    from automl_jupyter.client import Client
    from automl_jupyter.schemas import Job


class Board:
    """One output that shows a job and is written over whenever the job changes."""

    def __init__(self, language: str) -> None:
        self._page = Page(language)
        self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
        self._shown = False

    def show(self, job: Job, since: float, sentence: str = "") -> None:
        """Show a job as it is, with a sentence below."""
        parts = [
            self._page.heading(job),
            bar(job, self._page, since),
            leaderboard(job, self._page),
            self._page.ending(job),
            hint(sentence) if sentence else None,
        ]
        below = f"\n{sentence}" if sentence else ""
        self._tell({"text/html": page(*parts), "text/plain": plain(job, self._page.language) + below})

    def _tell(self, bundle: dict[str, Any]) -> None:
        # The first display makes the place, all later ones write over it.
        show = self._handle.update if self._shown else self._handle.display
        show(bundle, raw=True)  # type: ignore[no-untyped-call]
        self._shown = True


def watch(client: Client, job: Job, language: str, *, terminal: bool) -> Job:
    """Show a job until it is over.

    Parameters
    ----------
    client : Client
        The connection.
    job : Job
        The job as it was last seen.
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    terminal : bool
        Whether the output is a terminal's, where nothing but text can be shown.

    Returns
    -------
    Job
        The job at its end.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C; the job goes on.
    """
    if terminal:
        from automl_jupyter.cli import live
        from automl_jupyter.cli.terminal import Terminal

        return live.watch(client, job, Terminal.of_process(language))
    board, follower = Board(language), Follower(client, job)
    waiting = Page(language).text("notebook.interrupt")
    try:
        with closing(follower.states()) as states:
            for seen, since in states:
                job = seen
                board.show(job, since, waiting)
    except KeyboardInterrupt:
        board.show(job, 0.0)
        raise
    finally:
        follower.leave()
    board.show(job, 0.0)
    return job


class Progress:
    """How far an upload has got, in one output that is emptied at the end."""

    def __init__(self, name: str, wording: Wording, *, terminal: bool) -> None:
        self._name = name
        self._wording = wording
        self._terminal = terminal
        self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        """Take notice of the bytes that the server has; what goes in one piece is not worth a bar."""
        if total <= PIECE:
            return
        percent = 100 * done // max(total, 1)
        if percent == self._shown:
            return
        of = f"{self._wording.size(done)} / {self._wording.size(total)}"
        reading = f" · {self._wording.text('cli.upload.reading')}" if done == total else ""
        line = f"{self._name} · {of}{reading}"
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
        else:
            label = self._wording.text("notebook.upload")
            progress = el("progress", value=done, max=max(total, 1), aria_label=label)
            self._tell(
                {"text/html": page(el("div", progress, el("span", line), class_="bar")), "text/plain": line}
            )
        self._shown = percent

    def end(self) -> None:
        """Take it away: what was taken in is shown instead."""
        if self._shown < 0:
            return
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
        else:
            self._tell({"text/plain": "", "text/html": ""})

    def _tell(self, bundle: dict[str, Any]) -> None:
        show = self._handle.display if self._shown < 0 else self._handle.update
        show(bundle, raw=True)  # type: ignore[no-untyped-call]
