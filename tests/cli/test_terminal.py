"""What goes into a file or a pipe can be searched there."""

from __future__ import annotations

import io

import pytest
from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from automl_jupyter.cli.terminal import Terminal


class _Answer(BaseModel):
    """What a command answers with, here without content."""


@pytest.mark.parametrize("terminal", [False, True])
def test_a_sentence_is_cut_into_lines_for_eyes_alone(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, width=40, force_terminal=terminal, color_system=None)
    shown = Terminal(console, console, "en")
    sentence = "so many words " * 20
    shown.show(_Answer(), Text(sentence.strip()))
    assert (len(out.getvalue().splitlines()) == 1) is not terminal
