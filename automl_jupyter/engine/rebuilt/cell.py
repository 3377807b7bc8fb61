"""A cell of a notebook, and the sentences that stand between cells of code."""

from __future__ import annotations

import json
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
        text += gap(before, block) + block
    return Cell(text)


def gap(before: str, after: str) -> str:
    """Give what stands between two blocks of code: two empty lines beside a function, else one."""
    ends = before.rpartition("\n")[2].startswith("    ") and "def " in before
    return "\n\n\n" if ends or after.startswith("def ") else "\n\n"


def quoted(text: str) -> str:
    """Write a string as a person would: JSON's way is Python's as well."""
    return json.dumps(text, ensure_ascii=False)
