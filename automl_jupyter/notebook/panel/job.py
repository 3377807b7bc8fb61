"""The part of the panel that watches a job and ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from automl_jupyter.client import Client
from automl_jupyter.notebook import boards
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, html, labelled, part, row, show
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.schemas import Job

MOST = 20
"""Jobs that are offered, the newest first."""

RESUMABLE = ("interrupted", "failed", "stopped", "cancelled")


class JobPart(Part):
    """Shows the deadline and the leaderboard of a job, and can be put on another job at any time."""

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        text = worker.text
        self.jobs = labelled(ipw.Dropdown, text("notebook.job.open"), options=[])
        self.bar = ipw.HTML()
        self.board = ipw.HTML()
        self.stop = button(text("notebook.job.stop"))
        self.cancel = button(text("notebook.job.cancel"))
        self.resume = button(text("notebook.job.resume"))
        self.copies = {
            verb: copy_as(worker, widget.description)
            for verb, widget in (("stop", self.stop), ("cancel", self.cancel), ("resume", self.resume))
        }
        self.view = part(
            text("notebook.part.job"),
            self.status,
            self.jobs,
            self.bar,
            self.board,
            *(row(getattr(self, verb), self.copies[verb]) for verb in self.copies),
        )
        self._shown: Job | None = None
        self._offer_verbs(None)
        self.jobs.observe(self._chosen, "value")
        for verb in self.copies:
            getattr(self, verb).on_click(lambda _, verb=verb: self._act(verb))
        state.observe(lambda _: self._show(), ["job", "since"])
        state.observe(lambda change: self.say(change["new"], trouble=True), "lost")

    def offer(self, client: Client, *, attach: bool) -> None:
        """Say which jobs there are; with `attach`, watch one that is running."""
        jobs = client.jobs(limit=MOST).items
        self._list(jobs)
        running = next((job for job in jobs if not boards.is_over(job)), None)
        if attach and running is not None and self._state.job is None:
            self._open(client, running.id)

    def _list(self, jobs: Sequence[Job]) -> None:
        # Nothing is chosen by this: a choice that is made opens a job.
        self.jobs.options = [
            (self._worker.text("notebook.train.none"), ""),
            *((self._label(job), job.id) for job in jobs),
        ]
        shown: Job | None = self._state.job
        known = shown is not None and shown.id in {job.id for job in jobs}
        self.jobs.value = shown.id if shown is not None and known else ""

    def _name(self, job: Job) -> None:
        """Have the job that is shown among those that are offered, as the one that is chosen."""
        if self._shown is not None and (self._shown.id, self._shown.state) == (job.id, job.state):
            return
        others = [option for option in self.jobs.options if option[1] not in ("", job.id)]
        self.jobs.options = [
            (self._worker.text("notebook.train.none"), ""),
            (self._label(job), job.id),
            *others,
        ]
        self.jobs.value = job.id

    def _label(self, job: Job) -> str:
        what = job.target or self._worker.text("cli.job.clusters")
        when = job.created.astimezone().strftime("%m-%d %H:%M")
        return f"{when} · {what} · {self._worker.text(f'cli.state.{job.state}')}"

    def _chosen(self, change: Mapping[str, Any]) -> None:
        id_ = change["new"]
        if id_ and (self._state.job is None or self._state.job.id != id_):
            self.ask(lambda client: self._open(client, id_), "notebook.doing.opening")

    def _open(self, client: Client, id_: str) -> None:
        job = client.job(id_)
        self._worker.follow(job)
        if self._state.dataset is None or self._state.dataset.id != job.dataset_id:
            self._state.set_trait("dataset", client.dataset(job.dataset_id))

    def _act(self, verb: str) -> None:
        job: Job = self._state.job
        verbs = {"stop": Client.stop, "cancel": Client.cancel, "resume": Client.resume}

        def act(client: Client) -> None:
            self._worker.follow(verbs[verb](client, job))

        self.ask(act)

    def _show(self) -> None:
        job: Job | None = self._state.job
        if job is None:
            self.bar.value = self.board.value = ""
            return
        self.bar.value = html(boards.bar(job, self._worker.page, self._state.since))
        if job is not self._shown:
            self._name(job)
            self._shown = job
            board = boards.leaderboard(job, self._worker.page)
            self.board.value = html(self._worker.page.heading(job), board, self._worker.page.ending(job))
            self._offer_verbs(job)

    def _offer_verbs(self, job: Job | None) -> None:
        over = job is not None and boards.is_over(job)
        for verb, copy in self.copies.items():
            fits = job is not None and (job.state in RESUMABLE if verb == "resume" else not over)
            show(getattr(self, verb), shown=fits)
            copy.snippets = snippets.job(job.id, verb) if job is not None and fits else {}
