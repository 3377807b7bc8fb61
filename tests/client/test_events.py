"""A job is followed across cuts of the wire: nothing twice, nothing missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from automl_jupyter.client import Client
from automl_jupyter.errors import NotFound
from automl_jupyter.schemas import Job

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(client: Client, train: Callable[..., Job], table: bytes) -> Job:
    return train(client.upload(table, name="followed.csv"), "followed")


def test_a_cut_stream_is_taken_up_where_it_was(
    client: Client, client_on_wire: Client, wire: Any, finished: Job
) -> None:
    whole = list(client.events(finished))
    wire.cut("down", 500, 900)
    assert list(client_on_wire.events(finished)) == whole
    assert wire.cuts >= 1


def test_without_a_stream_the_job_is_asked_for(
    client_on_wire: Client, wire: Any, finished: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl_jupyter.client.events.ATTEMPTS", 2)
    wire.cut("down", 0, 0)
    events = list(client_on_wire.events(finished))
    assert [event.kind for event in events] == ["done"]
    assert Job.model_validate(events[0].data) == finished


def test_following_what_does_not_exist_says_so(client: Client) -> None:
    with pytest.raises(NotFound):
        list(client.events("nothing-of-the-kind"))
