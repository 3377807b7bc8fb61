"""The part of the panel that has a table read again, as the person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from automl_jupyter.cli import rereading
from automl_jupyter.client import Client
from automl_jupyter.notebook.arguments import Refused, parser
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, labelled, row, show
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.client.rereading import Decisions
    from automl_jupyter.schemas import Dataset

GUESS = "auto"
SEPARATORS = ("comma", "semicolon", "tab", "bar", "space")
TYPES = ("integer", "number", "boolean", "datetime", "string")


class Reread(Part):
    """Decides how a file is read; a field that is left as it is changes nothing.

    What is filled in are the words of ``%automl reread``, so that the panel can ask for nothing else than
    what can be typed.
    """

    def __init__(self, state: State, worker: Worker, status: ipw.HTML) -> None:
        super().__init__(state, worker, status)
        text = worker.text
        kept, found_out = (text("notebook.reread.kept"), ""), (text("notebook.reread.auto"), GUESS)
        separators = [(text(f"notebook.reread.{name}"), name) for name in SEPARATORS]
        marks = [(text("notebook.reread.point"), "."), (text("notebook.reread.comma"), ",")]
        orders = [(text(f"notebook.reread.{name}"), name) for name in ("day", "month")]
        self.fields = {
            "delimiter": self._choice("delimiter", [kept, found_out, *separators]),
            "decimal": self._choice("decimal", [kept, found_out, *marks]),
            "first": self._choice("first", [kept, found_out, *orders]),
            "encoding": self._words("encoding"),
            "header": self._words("header"),
            "missing": self._words("missing"),
        }
        self.column = self._choice("column", [])
        kinds = [(text(f"notebook.reread.{name}"), name) for name in TYPES]
        self.type = self._choice("type", [kept, found_out, *kinds])
        self.more = ipw.ToggleButton(
            description=text("notebook.reread.open"), layout=ipw.Layout(width="auto")
        )
        self.again = button(text("notebook.reread.again"))
        self.copy = copy_as(worker, text("notebook.reread.again"))
        self.form = ipw.VBox([*self.fields.values(), self.column, self.type, row(self.again, self.copy)])
        self.view = ipw.VBox([row(self.more), self.form])
        show(self.view, shown=False)
        show(self.form, shown=False)
        for field in (*self.fields.values(), self.column, self.type):
            field.observe(lambda _: self._copyable(), "value")
        self.more.observe(lambda change: show(self.form, shown=change["new"]), "value")
        self.again.on_click(lambda _: self._read())
        state.observe(lambda _: self._offer(), "dataset")

    def words(self) -> list[str]:
        """What is filled in, as it is typed after ``%automl reread DATASET``."""
        given = {name: field.value.strip() for name, field in self.fields.items()}
        typed = [word for name, value in given.items() if value for word in (f"--{name}", value)]
        if self.column.value and self.type.value:
            typed += ["--type", f"{self.column.value}={self.type.value}"]
        return typed

    def _choice(self, name: str, options: list[tuple[str, str]]) -> Any:
        return labelled(ipw.Dropdown, self._worker.text(f"notebook.reread.{name}_label"), options=options)

    def _words(self, name: str) -> Any:
        kept = self._worker.text("notebook.reread.kept")
        return labelled(ipw.Text, self._worker.text(f"notebook.reread.{name}_label"), placeholder=kept)

    def _offer(self) -> None:
        dataset: Dataset | None = self._state.dataset
        show(self.view, shown=dataset is not None)
        if dataset is None:
            return
        none = [(self._worker.text("notebook.train.none"), "")]
        self.column.options = [*none, *((column.name, column.name) for column in dataset.columns)]
        self.more.value = False
        for field in (*self.fields.values(), self.column, self.type):
            field.value = ""
        self._copyable()

    def _decided(self) -> Decisions:
        arguments = parser("reread", self._worker.language).parse_args(
            [self._state.dataset.id, *self.words()]
        )
        return rereading.decisions(arguments)

    def _copyable(self) -> None:
        dataset: Dataset | None = self._state.dataset
        try:
            made = {} if dataset is None or not self.words() else self._decided()
        except Refused:
            # Half a word; who asks for it is told.
            made = {}
        self.copy.snippets = snippets.reread(dataset.id, self.words(), made) if dataset and made else {}

    def _read(self) -> None:
        dataset: Dataset = self._state.dataset
        try:
            decided = self._decided()
        except Refused as problem:
            self.complain(str(problem).splitlines()[0])
            return
        if not decided:
            self.complain(self._worker.text("notebook.reread.nothing"))
            return

        def read(client: Client) -> None:
            self._state.set_trait("dataset", client.reread(dataset, **decided))

        self.ask(read, "notebook.doing.reading")
