"""The server or a helper is killed or stopped, or the client goes away, in the middle of something."""

from __future__ import annotations

import signal

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CSV = {"Content-Type": "text/csv"}


def test_killed_during_an_upload_in_one_go(home, large, wait_for, gone):
    server = home.start()
    with server.wire("POST", "/api/upload/?filename=t.csv", len(large), large[: 3 << 20], **CSV):
        wait_for(lambda: list(server.data_dir.glob("spool/*/*.part")))
        wait_for(lambda: server.helper("tables"))
        gone(server.kill())
    server = home.start()
    assert server.listed() == []
    server.is_clean()


def test_killed_during_a_piece_and_taken_up_again(home, large, wait_for, gone):
    server = home.start()
    path, half = server.begin(len(large)), len(large) // 2
    assert server.send(path, 0, large[:half]).status_code == 200
    rest = large[half:]
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(half)}
    part = server.data_dir / "spool" / f"{path.split('/')[-2]}.part"
    with server.wire("PATCH", path, len(rest), rest[: 2 << 20], **headers):
        wait_for(lambda: part.stat().st_size > half)
        gone(server.kill())
    server = home.start()
    assert server.client.head(path).headers["Upload-Offset"] == str(half)
    taken = server.send(path, half, rest)
    assert taken.status_code == 201, taken.text
    kept = server.files / "datasets" / taken.json()["id"] / "original.csv"
    assert kept.read_bytes() == large
    assert len(server.listed()) == 1
    server.is_clean()


@pytest.mark.parametrize("way", ["one go", "path"])
def test_killed_during_a_conversion(home, table, gone, later, way):
    server = home.start()
    assert server.listed() == []
    # The process that reads is stopped, so that it is certainly at work when the server dies.
    server.ready_helper("tables").send_signal(signal.SIGSTOP)
    source = server.root / "mine.csv"
    source.write_bytes(table)
    client = server.client
    asked = later(
        (lambda: server.upload(table))
        if way == "one go"
        else (lambda: client.post("/api/upload/", json={"path": "mine.csv"}))
    )
    server.is_at_work()
    gone(server.kill())
    with pytest.raises(httpx.TransportError):
        asked.answer()
    server = home.start()
    assert server.listed() == []
    server.is_clean()
    assert source.read_bytes() == table
    assert server.upload(table).status_code == 201


def test_killed_during_the_conversion_of_an_upload_in_pieces(home, table, gone, later):
    server = home.start()
    path = server.begin(len(table))
    server.ready_helper("tables").send_signal(signal.SIGSTOP)
    asked = later(lambda: server.send(path, 0, table))
    server.is_at_work()
    gone(server.kill())
    with pytest.raises(httpx.TransportError):
        asked.answer()
    server = home.start()
    assert server.listed() == []
    assert server.client.head(path).headers["Upload-Offset"] == str(len(table))
    # Every byte is there: a last piece without any has it read again.
    assert server.send(path, len(table), b"").status_code == 201
    assert [item["bytes"] for item in server.listed()] == [len(table)]
    server.is_clean()


def test_killed_during_a_prediction(trained_home, table, gone, later):
    server = trained_home.start()
    assert server.predict(table).status_code == 200
    server.ready_helper("predictions").send_signal(signal.SIGSTOP)
    asked = later(lambda: server.predict(table))
    server.is_at_work()
    gone(server.kill())
    with pytest.raises(httpx.TransportError):
        asked.answer()
    server = trained_home.start()
    assert server.predict(table).text.count("\n") == table.count(b"\n")
    server.is_clean()


def test_a_lost_helper_is_told_and_replaced(trained_home, table, later):
    server = trained_home.start()
    before = server.listed()
    for name, ask in (("tables", server.upload), ("predictions", server.predict)):
        # Killed, while it is certainly at work.
        helper = server.ready_helper(name)
        helper.send_signal(signal.SIGSTOP)
        asked = later(lambda ask=ask: ask(table))
        server.is_at_work()
        helper.kill()
        server.told(asked.answer(), 503, "backends.helper_died")
        assert server.listed() == before
        server.is_clean()
    path = server.begin(len(table))
    helper = server.ready_helper("tables")
    helper.send_signal(signal.SIGSTOP)
    asked = later(lambda: server.send(path, 0, table))
    server.is_at_work()
    # A second reader of the same upload is sent away.
    server.told(server.send(path, len(table), b""), 409, "services.upload_being_read")
    helper.kill()
    server.told(asked.answer(), 503, "backends.helper_died")
    # What was sent need not be sent again.
    assert server.send(path, len(table), b"").status_code == 201
    assert len(server.listed()) == len(before) + 1
    assert server.predict(table).status_code == 200
    server.is_clean()


def test_the_python_client_has_a_lost_reading_done_again(home, large, later):
    server = home.start()
    assert server.listed() == []
    helper = server.ready_helper("tables")
    helper.send_signal(signal.SIGSTOP)
    asked = later(lambda: server.through_python(large * 2))
    server.is_at_work()
    helper.kill()
    assert asked.answer(120).bytes == 2 * len(large)
    assert len(server.listed()) == 1
    server.is_clean()


def test_a_stopped_helper_is_told_and_replaced(trained_home, table, later, gone):
    server = trained_home.start(quick=True)
    before = server.listed()
    assert server.predict(table).status_code == 200
    stopped = [server.ready_helper("tables"), server.ready_helper("predictions")]
    for helper in stopped:
        helper.send_signal(signal.SIGSTOP)
    for asked in (later(lambda: server.upload(table)), later(lambda: server.predict(table))):
        server.told(asked.answer(), 503, "backends.helper_stuck")
    gone(stopped)
    assert server.listed() == before
    server.is_clean()
    assert server.upload(table).status_code == 201
    assert server.predict(table).status_code == 200


def test_a_client_that_goes_away_ends_what_it_asked_for(home, table, gone):
    server = home.start()
    assert server.listed() == []
    helper = server.ready_helper("tables")
    helper.send_signal(signal.SIGSTOP)
    with server.wire("POST", "/api/upload/?filename=t.csv", len(table), table, **CSV):
        server.is_at_work()
    gone([helper])
    assert server.listed() == []
    server.is_clean()
    assert server.upload(table).status_code == 201
    assert "Traceback" not in server.log.read_text("utf-8")


def test_a_stopped_server_keeps_its_files(home, large, wait_for):
    first = home.start()
    with first.wire("POST", "/api/upload/?filename=t.csv", len(large), large[: 3 << 20], **CSV) as wire:
        part = wait_for(lambda: list(first.data_dir.glob("spool/*/*.part")))[0]
        first.pause()
        second = home.start()
        # It opens everything, sweeps, and ends in good order.
        second.begin(1)
        second.stop()
        assert {path.parent for path in first.data_dir.glob("spool/*/alive.lock")} == {part.parent}
        assert part.exists()
        first.process.send_signal(signal.SIGCONT)
        wire.sendall(large[3 << 20 :])
        assert wire.recv(12) == b"HTTP/1.1 201"
    assert len(first.listed()) == 1
    first.is_clean()
