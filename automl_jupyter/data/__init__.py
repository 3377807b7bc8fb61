"""CSV bytes in; a typed table, its profile and what to know about it out."""

from __future__ import annotations

from automl_jupyter.data.model import (
    COLUMN_TYPES,
    Cell,
    Column,
    ColumnOptions,
    ColumnRead,
    ColumnType,
    Dialect,
    Notice,
    ReadOptions,
    ReadResult,
    Role,
)

__all__ = [
    "COLUMN_TYPES",
    "Cell",
    "Column",
    "ColumnOptions",
    "ColumnRead",
    "ColumnType",
    "Dialect",
    "Notice",
    "ReadOptions",
    "ReadResult",
    "Role",
]
