"""A cell of a notebook, and the sentences that stand between cells of code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from automl_jupyter import messages


@dataclass(frozen=True)
class Cell:
    """A piece of code, or of text in Markdown."""

    content: str
    code: bool = True


def said(code: str, language: str, **params: object) -> Cell:
    """Give a sentence of the catalogue as a cell of text."""
    return Cell(messages.render(f"rebuilt.{code}", params, language), code=False)


def code_of(*blocks: str) -> Cell:
    """Give blocks of code as one cell, an empty line between them, two after a function."""
    parts = [block.strip("\n") for block in blocks if block]
    text = parts[0]
    for before, block in pairwise(parts):
        gap = "\n\n\n" if block.startswith("def ") or _ends_a_function(before) else "\n\n"
        text += gap + block
    return Cell(text)


def _ends_a_function(block: str) -> bool:
    return block.rpartition("\n")[2].startswith("    ") and "def " in block
