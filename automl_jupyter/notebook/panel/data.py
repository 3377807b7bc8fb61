"""The part of the panel where a table is taken in, and that says how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from automl_jupyter.client import Client
from automl_jupyter.client.uploads import Writable
from automl_jupyter.errors import NotFound
from automl_jupyter.notebook.markup import el
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.reread import Reread
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, file_drop, html, labelled, part, row
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset

MOST = 30
"""Data sets and files that are proposed."""


class Data(Part):
    """Takes in a table: a file from the browser, one that Jupyter has, a DataFrame, a data set.

    Parameters
    ----------
    state, worker
        See :class:`Part`.
    variables : mapping
        The notebook's variables by name.
    """

    def __init__(self, state: State, worker: Worker, variables: Mapping[str, Any]) -> None:
        super().__init__(state, worker)
        self._variables = variables
        text = worker.text
        self.drop = file_drop(worker)
        self.source = labelled(
            ipw.Combobox,
            text("notebook.data.source"),
            placeholder=text("notebook.data.placeholder"),
            ensure_option=False,
        )
        self.use = button(text("notebook.data.use"))
        self.copy = copy_as(worker, text("notebook.data.use"))
        self.read = ipw.HTML()
        self.reread = Reread(state, worker, self.status)
        self.view = part(
            text("notebook.part.data"),
            self.status,
            self.drop,
            row(self.source, self.use),
            self.copy,
            self.read,
            self.reread.view,
        )
        self.drop.observe(self._dropped, "dataset_id")
        # The browser alone knows what the page looks like.
        self.drop.observe(lambda change: state.set_trait("ground", change["new"]), "ground")
        self.use.on_click(lambda _: self.take(self.source.value.strip()))
        self.source.observe(lambda _: self._copyable(), "value")
        state.observe(lambda _: self._show(), "dataset")

    def propose(self, client: Client) -> None:
        """Say which tables there are."""
        frames = [
            name
            for name, value in list(self._variables.items())
            if isinstance(value, Writable) and not name.startswith("_") and not isinstance(value, type)
        ]
        files = sorted(path.name for path in Path.cwd().glob("*.csv"))[:MOST]
        datasets = [dataset.name for dataset in client.datasets(limit=MOST).items]
        self.source.options = tuple(dict.fromkeys([*frames, *files, *datasets]))

    def take(self, word: str) -> None:
        """Take in what a word means."""
        if not word:
            self.complain(self._worker.text("notebook.data.nothing"))
            return
        self.ask(lambda client: self._take(client, word), "notebook.doing.reading")

    def take_frame(self, frame: Writable, name: str) -> None:
        """Take in a DataFrame."""

        def upload(client: Client) -> None:
            self._state.set_trait("dataset", client.upload(frame, name=name))

        self.ask(upload, "notebook.doing.reading")

    def _take(self, client: Client, word: str) -> None:
        from automl_jupyter.notebook.sources import Table, Words

        try:
            source = Words(self._variables, client).source(word)
        except NotFound:
            # The server's folder may be another than the kernel's.
            if not word.endswith((".csv", ".tsv", ".txt")):
                raise
            self._state.set_trait("dataset", client.upload_path(word))
            return
        if isinstance(source, Table):
            source = client.upload(source.content, name=source.name)
        self._state.set_trait("dataset", source)

    def _dropped(self, change: Mapping[str, Any]) -> None:
        if change["new"]:
            self.ask(
                lambda client: self._state.set_trait("dataset", client.dataset(change["new"])),
                "notebook.doing.reading",
            )

    def _copyable(self) -> None:
        word = self.source.value.strip()
        value = self._variables.get(word)
        if isinstance(value, Writable):
            self.copy.snippets = snippets.upload(word, is_variable=True)
        elif word and Path(word).is_file():
            self.copy.snippets = snippets.upload(word, is_variable=False)
        else:
            self.copy.snippets = {}

    def _show(self) -> None:
        dataset: Dataset | None = self._state.dataset
        if dataset is None:
            self.read.value = ""
            return
        columns = el(
            "details",
            el("summary", self._worker.text("notebook.data.columns", n=len(dataset.columns))),
            self._worker.page.columns(dataset),
        )
        self.read.value = html(
            self._worker.page.dataset_line(dataset), self._worker.page.notices(dataset), columns
        )
