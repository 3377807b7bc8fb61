"""What is found in a table before anything is learnt from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["info", "warning", "serious"]
"""``serious``: scores would be wrong; ``warning``: they may be; ``info``: good to know."""

SEVERITIES: tuple[Severity, ...] = ("serious", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know of a table before training.

    Attributes
    ----------
    code : str
        The code of the sentence that tells it, ``findings.…``.
    severity : Severity
        How much it matters.
    params : mapping
        The values that the sentence mentions.
    column : str, optional
        The column it is about, where it is about one.
    columns : tuple of str
        All columns it is about.
    evidence : mapping
        Numbers that a person can check in the file; shares are from 0 to 1, rows are counted from 1.
    action : mapping, optional
        What would settle it: any of ``exclude`` (columns not to learn from), ``groups`` or ``time_column`` (a
        column by which to divide the rows), ``drop_duplicates``, ``missing_values`` (by column, the values
        that stand for a missing one), and ``column_types`` (by column, the type to read again with).
    """

    code: str
    severity: Severity
    params: Mapping[str, object] = field(default_factory=dict)
    column: str | None = None
    columns: tuple[str, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)
    action: Mapping[str, object] | None = None


def percent(share: float) -> str:
    """Write a share for a sentence in whole percent, where 0 and 100 mean none and all."""
    if 0 < share < 0.01:
        return "<1"
    return str(round(100 * share)) if share in (0.0, 1.0) else str(min(round(100 * share), 99))


def number(value: float) -> str:
    """Write a number as evidence, whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else f"{value:.6g}"
