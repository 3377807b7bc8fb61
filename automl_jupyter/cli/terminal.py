"""Where the command line speaks: results on the standard output, everything else on the standard error."""

from __future__ import annotations

import json as json_
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.text import Text

from automl_jupyter.wording import Wording

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Terminal(Wording):
    """The two streams of a process, and how to speak on them.

    Attributes
    ----------
    out, err : rich.console.Console
        For results, and for everything else.
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    json : bool
        Whether the standard output takes one JSON document and nothing else.
    """

    out: Console
    err: Console
    language: str
    json: bool = False

    @classmethod
    def of_process(cls, language: str, *, json: bool = False) -> Terminal:
        """The streams of this process."""
        return cls(_console(stderr=False), _console(stderr=True), language, json)

    def show(self, answer: BaseModel, *parts: RenderableType) -> None:
        """Print a result: `answer` as JSON where that is wanted, else `parts`."""
        if self.json:
            sys.stdout.write(answer.model_dump_json(indent=2) + "\n")
            return
        for part in parts:
            self.out.print(part, soft_wrap=isinstance(part, str | Text) and not self.out.is_terminal)

    def document(self, answer: object) -> None:
        """Print plain data as one JSON document."""
        sys.stdout.write(json_.dumps(answer, ensure_ascii=False, indent=2) + "\n")

    def note(self, sentence: str, style: str = "") -> None:
        """Say something that is not a result."""
        self.err.print(Text(sentence, style=style), soft_wrap=not self.err.is_terminal)

    def complain(self, sentence: str) -> None:
        """Say what went wrong."""
        self.err.print(Text(sentence, style="red"), soft_wrap=not self.err.is_terminal)


def _console(*, stderr: bool) -> Console:
    # A file or a pipe has no width of its own. Tables need one; sentences are not wrapped at it, see above:
    # one that is cut in two cannot be searched.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 160
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)
