"""Write the REST contract as TypeScript: what each operation takes and gives, checked by the compiler.

``python labextension/scripts/contract.py`` writes ``src/core/contract.ts``; a test says when it is behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl_jupyter import schemas as known
from automl_jupyter.server.openapi import document

TARGET = Path(__file__).parents[1] / "src" / "core" / "contract.ts"
HEAD = "// Made of the OpenAPI document by scripts/contract.py: change that, not this.\n"
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = Mapping[str, Any]


def kind(schema: Schema) -> str:
    """The TypeScript type of what a schema describes."""
    match schema:
        case {"$ref": str(name)}:
            found = name.rpartition("/")[2]
        case {"const": value}:
            found = json.dumps(value)
        case {"enum": values}:
            found = " | ".join(json.dumps(value) for value in values)
        case {"anyOf": several} | {"oneOf": several}:
            found = " | ".join(dict.fromkeys(kind(one) for one in several))
        case {"type": "array", "prefixItems": items}:
            found = f"[{', '.join(kind(one) for one in items)}]"
        case {"type": "array", "items": items}:
            found = f"({kind(items)})[]"
        case {"type": "object", "additionalProperties": dict(inner)}:
            found = f"Record<string, {kind(inner)}>"
        case {"type": "object"}:
            found = "Record<string, unknown>"
        case {"type": str(name)}:
            found = PLAIN[name]
        case _:
            found = "unknown"
    return found


def interface(name: str, schema: Schema) -> str:
    """An object of the contract."""
    if "properties" not in schema:
        return f"export type {name} = {kind(schema)};\n"
    asked = issubclass(getattr(known, name), known.Request)
    # What is answered has all its fields, also those that have a default.
    required = schema.get("required", ()) if asked else schema["properties"]
    fields = "".join(
        f"  {field}{'' if field in required else '?'}: {kind(inner)};\n"
        for field, inner in schema["properties"].items()
    )
    return f"export interface {name} {{\n{fields}}}\n"


def _json_of(content: Mapping[str, Any]) -> str | None:
    found = content.get("application/json")
    return kind(found["schema"]) if found else None


def contract() -> str:
    """The whole module."""
    told = document("")
    schemas = told["components"]["schemas"]
    answers, bodies = [], []
    for path, verbs in told["paths"].items():
        for verb, operation in verbs.items():
            key = f"  {json.dumps(f'{verb} {path}')}: "
            given = [
                _json_of(response.get("content", {}))
                for status, response in operation["responses"].items()
                if int(status) < 300
            ]
            kinds = dict.fromkeys(one for one in given if one is not None)
            answers.append(f"{key}{' | '.join(kinds) or 'null'};\n")
            body = _json_of(operation.get("requestBody", {}).get("content", {}))
            if body is not None:
                bodies.append(f"{key}{body};\n")
    parts = [HEAD, *(interface(name, schema) for name, schema in sorted(schemas.items()))]
    parts.append("/** What each operation answers in JSON; null where it answers something else. */\n")
    parts[-1] += f"export interface Answers {{\n{''.join(answers)}}}\n"
    parts.append("/** What an operation takes in JSON. */\n")
    parts[-1] += f"export interface Bodies {{\n{''.join(bodies)}}}\n"
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(contract(), encoding="utf-8")
