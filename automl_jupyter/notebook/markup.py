"""HTML that cannot be broken by what is put into it: every text is escaped, unless it is HTML already."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def el(name: str, *children: str | None, **attributes: str | float | bool | None) -> Html:
    """An element.

    Parameters
    ----------
    name : str
        Its name, such as ``td``.
    *children : str, Html or None
        What is inside: text is escaped, `Html` is taken as it is, None is left out.
    **attributes
        By name, with ``_`` for ``-`` and a trailing ``_`` for names that Python keeps for itself. True stands
        for an attribute without a value, None and False for none at all.
    """
    inner = "".join(child if isinstance(child, Html) else escape(child) for child in children if child)
    shown = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{shown}>{inner}</{name}>")


def void(name: str, **attributes: str | float | None) -> Html:
    """An element that has nothing inside, such as ``line`` of SVG."""
    shown = "".join(
        f' {_name(key)}="{escape(str(value))}"' for key, value in attributes.items() if value is not None
    )
    return Html(f"<{name}{shown}/>")


def join(parts: Iterable[Html]) -> Html:
    """Several pieces of HTML, one after the other."""
    return Html("".join(parts))


def table(
    caption: str, columns: Iterable[tuple[str, str]], rows: Iterable[tuple[str, Iterable[str]]]
) -> Html:
    """A table.

    Parameters
    ----------
    caption : str
        What it holds, for who does not see it.
    columns : iterable of (str, str)
        The name of each column and its class: ``num`` for numbers, ``quiet`` for what matters less.
    rows : iterable of (str, iterable of str)
        The class of each row, and its cells.
    """
    heads = list(columns)
    body = [
        el(
            "tr",
            *(el("td", cell, class_=kind or None) for cell, (_, kind) in zip(cells, heads, strict=True)),
            class_=style or None,
        )
        for style, cells in rows
    ]
    # A column without a name has no header to read out.
    head = el(
        "tr",
        *(
            el("th", name, scope="col", class_=kind or None) if name else el("td", class_=kind or None)
            for name, kind in heads
        ),
    )
    return el("table", el("caption", caption), el("thead", head), el("tbody", *body))


def page(*parts: str | None) -> str:
    """A whole output: its parts with the style sheet that they need."""
    return str(el("div", el("style", Html(style_sheet())), *parts, class_="automl"))


@cache
def style_sheet() -> str:
    """The style sheet of all outputs, in the colours of the page around them."""
    return (files("automl_jupyter.notebook") / "output.css").read_text("utf-8")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
