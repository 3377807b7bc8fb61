"""Several findings are acted on in one request."""

from __future__ import annotations

from automl_jupyter.client.actions import combined


def test_wishes_of_several_findings_make_one_request() -> None:
    asked = {"target": "y", "groups": "own"}
    wishes = [
        asked,
        {"columns": ["a", "b", "c"]},
        {"columns": ["a", "c", "d"], "drop_duplicates": True},
        {"missing_values": {"a": [-999], "b": ["?"]}},
        {"missing_values": {"a": [-999, "n/a"]}},
        {"groups": "found"},
    ]
    assert combined(wishes) == {
        "target": "y",
        "groups": "own",
        "columns": ["a", "c"],
        "drop_duplicates": True,
        "missing_values": {"a": [-999, "n/a"], "b": ["?"]},
    }
    assert asked == {"target": "y", "groups": "own"}
    assert combined([]) == {}
