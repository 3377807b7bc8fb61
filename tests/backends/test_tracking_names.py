"""The names under which models of all owners share one registry."""

from automl_jupyter.backends.tracking import registered_name


def test_owners_never_share_a_name():
    owners = ["a.b", "a", "a=2eb", "é", "a/b", "a_b", "A"]
    names = {registered_name(owner, name) for owner in owners for name in ("m", "b.m")}
    assert len(names) == 2 * len(owners)
    assert registered_name("ann", "wine-quality") == "ann.wine-quality"
    assert not any(set("/:") & set(name) for name in names)
