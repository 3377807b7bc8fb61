"""The part of the panel that predicts: one row in a form, or a file into another."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from automl_jupyter.client import Client
from automl_jupyter.messages import written
from automl_jupyter.notebook.markup import el
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, html, labelled, part, row, show
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.schemas import Model, ModelColumn, ModelRef, ModelVersion

MOST = 30
"""Columns that a form has at most; those of a wider table stay empty and are missing to the model."""

YES_OR_NO = ("True", "False")


class Predict(Part):
    """Asks a model about one row, of which each change is answered, and about files."""

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._fields: dict[str, tuple[ModelColumn, Any]] = {}
        text = worker.text
        self.form = ipw.VBox()
        self.one = button(text("notebook.predict.row"), primary=True)
        self.copy = copy_as(worker, text("notebook.predict.row"))
        self.answer = ipw.HTML()
        self.explain = button(text("notebook.predict.explain"))
        self.copy_explain = copy_as(worker, text("notebook.predict.explain"))
        self.explained = ipw.HTML()
        self.source = labelled(
            ipw.Combobox,
            text("notebook.predict.file"),
            placeholder=text("notebook.predict.placeholder"),
            ensure_option=False,
        )
        self.output = labelled(ipw.Text, text("notebook.predict.output"), value="predictions.csv")
        self.write = button(text("notebook.predict.write"))
        self.copy_file = copy_as(worker, text("notebook.predict.write"))
        self.written = ipw.HTML()
        self.view = part(
            text("notebook.part.predict"),
            self.status,
            self.form,
            row(self.one, self.copy),
            self.answer,
            row(self.explain, self.copy_explain),
            self.explained,
            self.source,
            self.output,
            row(self.write, self.copy_file),
            self.written,
        )
        show(self.view, shown=False)
        self.one.on_click(lambda _: self._predict())
        self.explain.on_click(lambda _: self._explain())
        self.write.on_click(lambda _: self._write())
        for field in (self.source, self.output):
            field.observe(lambda _: self._copyable(), "value")
        state.observe(lambda _: self._offer(), "version")
        state.observe(lambda _: self._show(), "predictions")

    def row(self) -> dict[str, Any]:
        """What stands in the form, by column; an empty field is a missing value."""
        return {
            name: cell_of(column.kind, field.value, self._worker.language)
            for name, (column, field) in self._fields.items()
        }

    def _offer(self) -> None:
        version: ModelVersion | None = self._state.version
        show(self.view, shown=version is not None)
        self._state.set_trait("predictions", None)
        self.explained.value = ""
        if version is None:
            return
        show(self.explain, shown=self._state.model.task != "clustering")
        self.ask(lambda client: self._fill(client, version))

    def _fill(self, client: Client, version: ModelVersion) -> None:
        preview = client.preview(version.dataset_id)
        first = dict(zip(preview.columns, preview.rows[0], strict=True)) if preview.rows else {}
        language = self._worker.language
        fields = {column.name: (column, _field(column, first, language)) for column in version.columns[:MOST]}
        for _, field in fields.values():
            field.observe(lambda _: self._changed(), "value")
        self._fields = fields
        self.form.children = tuple(field for _, field in fields.values())
        self.source.options = tuple(sorted(path.name for path in Path.cwd().glob("*.csv")))
        self._copyable()

    def _changed(self) -> None:
        self._copyable()
        # After the first answer each change is a what-if question.
        if self._state.predictions is not None:
            self._predict()
        if self.explained.value:
            self._explain()

    def _predict(self) -> None:
        asked, reference = self.row(), self._reference()

        def predict(client: Client) -> None:
            self._state.set_trait("predictions", client.predict(reference, [asked]))

        self.ask(predict)

    def _explain(self) -> None:
        asked, reference, version = self.row(), self._reference(), self._state.version

        def explain(client: Client) -> None:
            found = client.explain_rows(reference, [asked])
            if self._state.version is version:
                self.explained.value = html(self._worker.page.of(found))

        self.ask(explain, "cli.explain.running")

    def _write(self) -> None:
        source, output, reference = self.source.value.strip(), self.output.value.strip(), self._reference()
        if not source or not output:
            self.complain(self._worker.text("notebook.predict.which"))
            return

        def write(client: Client) -> None:
            client.predict_csv(reference, source, output)
            sentence = self._worker.text("cli.predict.written", path=output)
            self.written.value = html(el("p", sentence, class_="good", role="status"))

        self.ask(write, "notebook.doing.predicting")

    def _reference(self) -> ModelRef:
        from automl_jupyter.schemas import ModelRef

        model: Model = self._state.model
        version: ModelVersion = self._state.version
        return ModelRef(name=model.name, version=version.version)

    def _show(self) -> None:
        answer = self._state.predictions
        self.answer.value = "" if answer is None else html(self._worker.page.of(answer))

    def _copyable(self) -> None:
        version: ModelVersion = self._state.version
        name = self._state.model.name
        self.copy.snippets = snippets.predict_row(name, version.version, version.dataset_id, self.row())
        explains = self._state.model.task != "clustering"
        told = snippets.explain_row(name, version.version, self.row()) if explains else {}
        self.copy_explain.snippets = told
        source, output = self.source.value.strip(), self.output.value.strip()
        whole = snippets.predict_file(name, version.version, version.dataset_id, source, output)
        self.copy_file.snippets = whole if source and output else {}


def _field(column: ModelColumn, first: dict[str, Any], language: str) -> Any:
    text = typed_of(column.kind, first.get(column.name), language)
    categories = YES_OR_NO if column.kind == "boolean" else column.categories
    if categories is not None:
        # What the model has not learnt may be asked as well: it says so.
        return labelled(ipw.Combobox, column.name, options=tuple(categories), value=text, ensure_option=False)
    hint = ""
    if column.minimum is not None and column.maximum is not None:
        low, high = (written(bound, "g", language) for bound in (column.minimum, column.maximum))
        hint = f"{low} … {high}"
    return labelled(ipw.Text, column.name, value=text, placeholder=hint)


def cell_of(kind: str, text: str, language: str) -> str | float | int | None:
    """Read a cell from what was typed; nothing is a missing value.

    What should be a number and is none goes to the server as it is, which says so. A decimal comma is one
    where the language writes it.

    Parameters
    ----------
    kind : str
        The kind of its column, such as ``numeric``.
    text : str
        What was typed.
    language : str
        ``en`` or ``fr``.
    """
    trimmed = text.strip()
    if not trimmed:
        return None
    if kind not in ("numeric", "boolean"):
        return text
    try:
        return int(trimmed)
    except ValueError:
        pass
    try:
        number = float(trimmed.replace(_point(language), "."))
    except ValueError:
        return trimmed
    return number if math.isfinite(number) else trimmed


def typed_of(kind: str, value: object, language: str) -> str:
    """Write a cell as somebody would type it, of which :func:`cell_of` makes the same again."""
    if value is None:
        return ""
    if kind == "numeric" and isinstance(value, float):
        return repr(value).replace(".", _point(language))
    return str(value)


def _point(language: str) -> str:
    return written(0.5, ".1f", language)[1]
