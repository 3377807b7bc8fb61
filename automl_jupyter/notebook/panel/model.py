"""The part of the panel that shows a model, makes it understood and puts it into service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as ipw

from automl_jupyter.client import Client
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.seen import Seen
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, html, labelled, part, row, show
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.schemas import Model


class ModelPart(Part):
    """Shows the versions of a model and which one is in service."""

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        text = worker.text
        self.card = ipw.HTML()
        self.version = labelled(ipw.Dropdown, text("cli.models.version"), options=[])
        self.promote = button(text("notebook.model.promote"))
        self.copy = copy_as(worker, text("notebook.model.promote"))
        self.seen = Seen(state, worker, self.status)
        self.view = part(
            text("notebook.part.model"),
            self.status,
            self.card,
            self.version,
            row(self.promote, self.copy),
            *self.seen.children,
        )
        show(self.view, shown=False)
        self.promote.on_click(lambda _: self._promote())
        self.version.observe(lambda _: self._chosen(), "value")
        state.observe(lambda _: self._show(), "model")

    def _show(self) -> None:
        model: Model | None = self._state.model
        show(self.view, shown=model is not None)
        if model is None:
            return
        self.card.value = html(self._worker.page.of(model))
        numbers = [version.version for version in model.versions]
        job = self._state.job
        made = job.model.version if job is not None and job.model is not None else numbers[0]
        kept = self.version.value if self.version.value in numbers else None
        self.version.options = [(str(number), number) for number in numbers]
        self.version.value = kept or (made if made in numbers else numbers[0])
        self._chosen()

    def _chosen(self) -> None:
        model: Model = self._state.model
        version = next((v for v in model.versions if v.version == self.version.value), None)
        if version is None:
            return
        self.copy.snippets = snippets.promote(model.name, version.version)
        self.promote.disabled = version.version == model.champion
        self._state.set_trait("version", version)

    def _promote(self) -> None:
        name, version = self._state.model.name, self.version.value

        def promote(client: Client) -> None:
            self._state.set_trait("model", client.promote(name, version))

        self.ask(promote)
