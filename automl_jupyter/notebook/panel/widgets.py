"""The two widgets that ipywidgets lacks, and how the others are made."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import anywidget
import ipywidgets as ipw
import traitlets

from automl_jupyter.notebook.markup import Html, el, page
from automl_jupyter.notebook.panel.snippets import Snippets
from automl_jupyter.wording import Wording

HERE = files("automl_jupyter.notebook.panel")


class FileDrop(anywidget.AnyWidget):
    """A place to drop a file on, which goes from the browser to the server."""

    _esm = (HERE / "drop.js").read_text("utf-8")
    _css = (HERE / "panel.css").read_text("utf-8")
    words = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode("en").tag(sync=True)
    dataset_id = traitlets.Unicode("").tag(sync=True)
    ground = traitlets.Unicode("light").tag(sync=True)


class CopyAs(anywidget.AnyWidget):
    """Buttons that copy an action as text."""

    _esm = (HERE / "copy.js").read_text("utf-8")
    words = traitlets.Dict().tag(sync=True)
    snippets = traitlets.Dict().tag(sync=True)
    copied = traitlets.Unicode("").tag(sync=True)


def file_drop(wording: Wording) -> FileDrop:
    """A place to drop a file on."""
    names = ("drop", "elsewhere", "progress", "stop", "stopped", "done", "megabytes")
    words = {name: wording.text(f"notebook.drop.{name}") for name in names}
    return FileDrop(words=words, language=wording.language)


def copy_as(wording: Wording, action: str, snippets: Snippets | None = None) -> CopyAs:
    """Buttons that copy an action; `action` is what a screen reader calls them."""
    words = {
        "copy": wording.text("notebook.copy.as"),
        "label": wording.text("notebook.copy.label", action=action),
        "done": wording.text("notebook.copy.done"),
    }
    return CopyAs(words=words, snippets=snippets or {})


def labelled(kind: type[Any], label: str, **traits: Any) -> Any:
    """A field with its label before it."""
    return kind(
        description=label,
        style={"description_width": "13em"},
        layout=ipw.Layout(width="min(38em, 100%)"),
        **traits,
    )


def button(label: str, *, primary: bool = False) -> ipw.Button:
    """A button as wide as its label."""
    return ipw.Button(
        description=label,
        button_style="primary" if primary else "",
        layout=ipw.Layout(width="auto"),
    )


def part(title: str, status: ipw.HTML, *children: ipw.Widget) -> ipw.VBox:
    """A part of the panel with its heading, and beside it what is going on."""
    box = ipw.VBox([row(ipw.HTML(str(el("h2", title))), status), *children])
    box.add_class("automl-part")
    return box


def row(*children: ipw.Widget) -> ipw.HBox:
    """Widgets beside each other, below each other where there is no room."""
    return ipw.HBox(
        list(children), layout=ipw.Layout(flex_flow="row wrap", align_items="center", grid_gap="8px")
    )


def html(*parts: Html | None) -> str:
    """What an HTML widget shows."""
    return page(*parts) if any(parts) else ""


def show(widget: ipw.Widget, *, shown: bool) -> None:
    """Show a widget or take it away."""
    widget.layout.display = None if shown else "none"
