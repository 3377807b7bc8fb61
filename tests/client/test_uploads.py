"""Large tables travel in pieces, and go on where they were when the wire is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from automl_jupyter.client import Client
from automl_jupyter.errors import Unavailable, Unprocessable

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.slow

MEGABYTE = 1_000_000
ROWS = 400_000


@pytest.fixture(scope="module")
def large() -> bytes:
    """About 20 MB."""
    lines = [f"{i},{i * 7 % 1000},some words to fill the line with {i % 10}" for i in range(ROWS)]
    return ("number,rest,text\n" + "\n".join(lines) + "\n").encode()


def test_a_large_table_is_sent_in_pieces_with_progress(client: Client, large: bytes) -> None:
    seen: list[tuple[int, int]] = []
    taken = client.upload(large, name="large.csv", progress=lambda done, total: seen.append((done, total)))
    assert (taken.rows, taken.bytes, taken.name) == (ROWS, len(large), "large")
    done = [offset for offset, _ in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, len(large))
    assert len(done) >= 3
    assert {total for _, total in seen} == {len(large)}


def test_a_cut_upload_goes_on_where_it_was(client_on_wire: Client, wire: Any, large: bytes) -> None:
    seen: list[int] = []

    def told(done: int, _total: int) -> None:
        # The second piece is cut twice, each time somewhere else.
        if done and not seen:
            wire.cut("up", 5 * MEGABYTE, 2 * MEGABYTE)
        if done:
            seen.append(done)

    taken = client_on_wire.upload(large, name="cut.csv", progress=told)
    assert wire.cuts == 2
    assert (taken.rows, taken.bytes) == (ROWS, len(large))
    assert seen == [8 * MEGABYTE, 16 * MEGABYTE, len(large)]


def test_an_answer_that_is_lost_is_looked_up(
    client_on_wire: Client, client: Client, wire: Any, large: bytes
) -> None:
    before = client.datasets().total

    def told(done: int, total: int) -> None:
        # From the last piece on, nothing that the server says arrives: once.
        if done and done < total and total - done <= 8 * MEGABYTE:
            wire.cut("down", 0)

    taken = client_on_wire.upload(large, name="lost.csv", progress=told)
    assert wire.cuts == 1
    assert (taken.name, taken.rows) == ("lost", ROWS)
    assert client.datasets().total == before + 1


def test_a_wire_that_is_always_cut_is_given_up(
    client_on_wire: Client, wire: Any, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl_jupyter.client.uploads.ATTEMPTS", 2)
    wire.cut("up", *[2 * MEGABYTE] * 50)
    with pytest.raises(Unavailable, match="cut"):
        client_on_wire.upload(large, name="never.csv")


def test_what_is_no_table_is_told_at_the_end(client: Client) -> None:
    with pytest.raises(Unprocessable):
        client.upload(b"\n" * (9 * MEGABYTE), name="blank.csv")
