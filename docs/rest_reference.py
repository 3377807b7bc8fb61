"""The REST reference as Markdown, made of the OpenAPI document: it cannot say what the server does not do."""

from __future__ import annotations

import json
from pathlib import Path

from automl_jupyter.server.openapi import document

# In the order in which a reader needs them; a path belongs to the first that it begins with.
GROUPS = (
    ("People", ("/api/user/",)),
    ("Uploads", ("/api/upload/", "/api/uploads/")),
    ("Data sets", ("/api/datasets/",)),
    ("Training", ("/api/train/", "/api/jobs/")),
    ("Models", ("/api/models/",)),
    ("Predictions", ("/api/predict/", "/api/test-model/")),
    ("Monitoring", ("/api/monitoring/",)),
    ("The contract itself", ("/api/openapi.json", "/api/docs/")),
    ("Pages", ("/",)),
)


def write(target: Path) -> None:
    """Write the reference, unless it is there already as it should be: Sphinx rebuilds what has changed."""
    text = reference(document("/automl"))
    target.parent.mkdir(exist_ok=True)
    if not target.exists() or target.read_text("utf-8") != text:
        target.write_text(text, "utf-8")


def reference(contract: dict) -> str:
    """The reference of a contract."""
    left = dict(contract["paths"])
    parts = []
    for title, beginnings in GROUPS:
        mine = [path for path in left if path.startswith(beginnings)]
        parts.append(f"## {title}\n")
        parts += [_operation(path, verb, told) for path in mine for verb, told in left.pop(path).items()]
    if left:
        raise ValueError(f"paths without a group: {sorted(left)}")
    parts.append("## Objects\n")
    schemas = contract["components"]["schemas"]
    parts += [_object(name, schemas[name]) for name in sorted(schemas)]
    return "\n".join(parts)


def _operation(path: str, verb: str, told: dict) -> str:
    lines = [f"### {verb.upper()} `{path.lstrip('/') or '/'}`", "", told["summary"], ""]
    parameters = told.get("parameters", [])
    if parameters:
        lines += ["| parameter | in | type | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{p['name']}` | {p['in']} | {_type(p['schema'])} | {p.get('description', '')} |"
            for p in parameters
        ]
        lines.append("")
    if "requestBody" in told:
        bodies = [_content(media, body) for media, body in told["requestBody"]["content"].items()]
        lines += [f"Takes {', or '.join(bodies)}.", ""]
    fine = {status: answer for status, answer in told["responses"].items() if status < "400"}
    lines += ["| status | answer |", "|---|---|"]
    for status, answer in fine.items():
        contents = [_content(media, body) for media, body in answer.get("content", {}).items()]
        lines.append(f"| {status} {answer['description']} | {', or '.join(contents) or 'nothing'} |")
    refusals = ", ".join(status for status in told["responses"] if status not in fine)
    return "\n".join([*lines, "", f"Refuses with {refusals}.", ""])


def _content(media: str, body: dict) -> str:
    told = _type(body["schema"])
    return told if media == "application/json" and told != "object" else f"`{media}`"


def _object(name: str, schema: dict) -> str:
    lines = [f"### {name}", "", " ".join(schema.get("description", "").split()), ""]
    required = schema.get("required", [])
    if schema.get("properties"):
        lines += ["| field | type | meaning |", "|---|---|---|"]
    for field, told in schema.get("properties", {}).items():
        notes = [told["description"]] if "description" in told else []
        if told.get("default") is not None:
            notes.append(f"`{json.dumps(told['default'])}` unless given.")
        elif field not in required:
            notes.append("May be left out.")
        lines.append(f"| `{field}` | {_type(told)} | {' '.join(notes)} |")
    return "\n".join([*lines, ""])


def _type(schema: dict) -> str:
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            told = f"[{name}](#{_anchor(name)})"
        case {"anyOf": several}:
            told = " or ".join(dict.fromkeys(_type(one) for one in several))
        case {"enum": values}:
            told = " or ".join(f"`{value}`" for value in values)
        case {"prefixItems": items}:
            told = f"[{', '.join(_type(one) for one in items)}]"
        case {"type": "array"}:
            told = f"list of {_type(schema.get('items', {}))}"
        case {"type": "object", "additionalProperties": {**values}}:
            told = f"object of {_type(values)}"
        case {"format": "date-time"}:
            told = "time"
        case _:
            told = _limits(schema.get("type", "any"), schema)
    return told


def _limits(name: str, schema: dict) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{name}, {least} to {most}"
    if least is not None:
        return f"{name}, at least {least}"
    return name


def _anchor(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum() or c in "-_")
