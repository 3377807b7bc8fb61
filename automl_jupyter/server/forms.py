"""The fields of the pages' forms, as JSON Schema for the published contract.

They are texts, as browsers send them; an empty one says nothing. Fields that are not named here are ignored.
"""

from __future__ import annotations

from typing import Any, get_args

from automl_jupyter import schemas
from automl_jupyter.server.reading import AGAIN, DECIMALS, ORDERS, SEPARATORS

TRAIN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "dataset": {"type": "string"},
        "target": {"type": "string", "maxLength": schemas.LONGEST_TEXT},
        "task": {"type": "string", "enum": ["", *get_args(schemas.TaskName)]},
        "time_budget": {"type": "string", "pattern": r"^(([5-9]|[1-9][0-9]{1,4})(\.[0-9]{1,6})?)?$"},
    },
    "required": ["dataset"],
}
"""Start a training."""

REREAD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "encoding": {"type": "string", "maxLength": 40},
        "separator": {"type": "string", "enum": ["", AGAIN, *SEPARATORS]},
        "decimal": {"type": "string", "enum": ["", AGAIN, *DECIMALS]},
        "day_first": {"type": "string", "enum": ["", AGAIN, *ORDERS]},
        "header": {"type": "string", "pattern": "^[0-9]{0,9}$"},
    },
    "patternProperties": {
        "^type-[0-9]{1,3}$": {"type": "string", "enum": ["", AGAIN, *get_args(schemas.ColumnType)]}
    },
}
"""Read a file again; ``type-0`` and so on are the types of the columns, in order."""
