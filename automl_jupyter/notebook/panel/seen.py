"""What the panel shows of a version to make it understood: its charts, and what it has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets as ipw

from automl_jupyter.client import Client
from automl_jupyter.notebook import gallery
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, html, labelled, row, show
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.schemas import Chart, Model, ModelRef, ModelVersion

SLOW = ("importance", "dependence", "learning")
"""Charts for which the model is asked many times, or learns again: each is drawn when it is chosen."""


class Seen(Part):
    """Draws a version and says what it has learnt, when it is asked to."""

    def __init__(self, state: State, worker: Worker, status: ipw.HTML) -> None:
        super().__init__(state, worker, status)
        self._charts: Sequence[Chart] = ()
        text = worker.text
        self.learn = button(text("notebook.model.learn"))
        self.copy_learn = copy_as(worker, text("notebook.model.learn"))
        self.learnt = ipw.HTML()
        self.draw = button(text("notebook.model.draw"))
        self.copy_draw = copy_as(worker, text("notebook.model.draw"))
        self.chart = labelled(ipw.Dropdown, text("notebook.model.chart"), options=[])
        self.drawing = ipw.Output()
        self.figures = ipw.HTML()
        self.children = (
            row(self.draw, self.copy_draw),
            self.chart,
            self.drawing,
            self.figures,
            row(self.learn, self.copy_learn),
            self.learnt,
        )
        self._clear()
        self.learn.on_click(lambda _: self._learn())
        self.draw.on_click(lambda _: self._draw())
        self.chart.observe(lambda _: self._show(), "value")
        state.observe(lambda _: self._clear(), "version")
        state.observe(lambda _: self._redraw(), "ground")

    def _clear(self) -> None:
        model: Model | None = self._state.model
        self.learnt.value = ""
        show(self.learn, shown=model is None or model.task != "clustering")
        self._offer(())
        self._copyable()

    def _learn(self) -> None:
        reference, version = self._reference(), self._state.version

        def learn(client: Client) -> None:
            found = client.explain(reference)
            if self._state.version is version:
                self.learnt.value = html(self._worker.page.of(found))

        self.ask(learn, "cli.explain.running")

    def _draw(self) -> None:
        reference, version, ground = self._reference(), self._state.version, self._state.ground

        def draw(client: Client) -> None:
            found = client.charts(reference, theme=ground)
            if self._state.version is version:
                # What was looked at is looked at again where it is drawn on another ground.
                seen = self.chart.value
                self._offer(found, seen if isinstance(seen, int) and seen < len(found) else 0)

        self.ask(draw, "cli.explain.running")

    def _redraw(self) -> None:
        if self._charts:
            self._draw()

    def _draw_slow(self, name: str) -> None:
        reference, version, ground = self._reference(), self._state.version, self._state.ground

        def draw(client: Client) -> None:
            found = client.charts(reference, name, theme=ground)
            if self._state.version is version:
                self._offer([*self._charts, *found], len(self._charts))

        self.ask(draw, "cli.explain.running")

    def _offer(self, charts: Sequence[Chart], place: int = 0) -> None:
        self._charts = charts
        options: list[tuple[str, int | str]] = [(_label(chart), i) for i, chart in enumerate(charts)]
        if charts and self._state.model.task != "clustering":
            there = {chart.name for chart in charts}
            slow = (name for name in SLOW if name not in there)
            options += [(f"{self._worker.text(f'charts.{name}')} …", name) for name in slow]
        self.chart.options = options
        self.chart.value = place if charts else None
        show(self.chart, shown=bool(charts))
        self._show()

    def _show(self) -> None:
        self._copyable()
        chart = self._chosen()
        if chart is None:
            self.drawing.outputs, self.figures.value = (), ""
            if isinstance(self.chart.value, str):
                self._draw_slow(self.chart.value)
            return
        told = gallery.drawing(chart, None)
        # Set at once rather than displayed: what is displayed by a thread goes to whichever cell runs.
        self.drawing.outputs = ({"output_type": "display_data", "data": told, "metadata": {}},)
        self.figures.value = html(gallery.figures(chart, self._worker.page))

    def _chosen(self) -> Chart | None:
        place = self.chart.value
        return self._charts[place] if isinstance(place, int) and place < len(self._charts) else None

    def _copyable(self) -> None:
        model: Model | None = self._state.model
        version: ModelVersion | None = self._state.version
        if model is None or version is None:
            return
        chart, chosen = self._chosen(), self.chart.value
        shown = chart.name if chart is not None else chosen if isinstance(chosen, str) else None
        # Groups are told by their charts and in words; there is no answer to explain.
        explains = model.task != "clustering"
        self.copy_learn.snippets = snippets.explain(model.name, version.version) if explains else {}
        self.copy_draw.snippets = snippets.charts(model.name, version.version, shown)

    def _reference(self) -> ModelRef:
        from automl_jupyter.schemas import ModelRef

        return ModelRef(name=self._state.model.name, version=self._state.version.version)


def _label(chart: Chart) -> str:
    return chart.title if chart.about is None else f"{chart.title} · {chart.about}"
