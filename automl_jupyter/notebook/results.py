"""What magics return: the objects of the REST interface, shown as HTML or text, also as a DataFrame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    import pandas as pd

Content = TypeVar("Content")


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes
    ----------
    path : Path
        Where it is.
    kind : str
        What is in it.
    bytes : int
        Its size.
    """

    path: Path
    kind: str
    bytes: int


class Result(Generic[Content]):
    """An answer of the server that shows itself.

    Its attributes are those of the object that it holds, so that ``job.leaderboard`` and ``job.model`` work,
    and it goes wherever the client takes the object itself.

    Parameters
    ----------
    content : object of :mod:`automl_jupyter.schemas`
        What was answered.
    language : str
        The language to show it in.
    note : str
        A sentence below it, such as what to type next.
    shown_in : int, optional
        The number of the cell that has shown it already, while it changed: at the end of that cell the note
        alone is shown.
    """

    def __init__(self, content: Content, language: str, note: str = "", shown_in: int | None = None) -> None:
        self.content = content
        self._language = language
        self._note = note
        self._shown_in = shown_in

    def __getattr__(self, name: str) -> Any:
        # Asked for what this class itself lacks; a copy that is being made has no content yet.
        if name.startswith("_") or name == "content":
            raise AttributeError(name)
        return getattr(self.content, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *type(self.content).__annotations__]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a DataFrame: of a job its leaderboard, of a data set its columns, and so on."""
        from automl_jupyter.notebook.frames import frame

        return frame(self.content)

    def __repr__(self) -> str:
        return self._plain()

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(self._plain())

    def _ipython_display_(self) -> None:
        """Show one chart as a drawing with its figures below, and leave all else to the other methods."""
        from automl_jupyter.notebook.gallery import Gallery, drawing

        content = self.content
        if not isinstance(content, Gallery) or len(content.items) != 1 or not _draws() or self._is_shown():
            raise NotImplementedError
        from IPython.display import display

        show = cast("Callable[..., None]", display)
        show(drawing(content.items[0], content.theme), raw=True)
        show({"text/html": self._repr_html_(), "text/plain": ""}, raw=True)

    def _repr_html_(self) -> str:
        from automl_jupyter.notebook import markup
        from automl_jupyter.notebook.pages import Page, hint

        below = hint(self._note) if self._note else None
        if self._is_shown():
            return markup.page(below)
        return markup.page(Page(self._language).of(self.content), below)

    def _plain(self) -> str:
        from automl_jupyter.notebook.texts import plain

        shown = "" if self._is_shown() else plain(self.content, self._language)
        return "\n".join(part for part in (shown, self._note) if part)

    def _is_shown(self) -> bool:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        return self._shown_in is not None and shell is not None and shell.execution_count == self._shown_in


def _draws() -> bool:
    """Whether what is shown goes to a front end that may draw, and not to a terminal."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
