"""The disk is full, too slow to grow, or read only: nothing is kept by half, and the answer says why."""

from __future__ import annotations

import shutil

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CSV = {"Content-Type": "text/csv"}


def test_no_room_for_what_is_sent_and_made(home, disk, table, large, wait_for):
    home.data_dir = disk.folder / "automl"
    server = home.start()
    assert server.upload(table).status_code == 201
    path = server.begin(len(large))
    half = len(large) // 2
    assert server.send(path, 0, large[:half]).status_code == 200
    before = server.listed()

    # While it arrives.
    ballast = disk.fill(leave=len(large) // 4)
    server.told(server.upload(large), 507, "backends.disk_full")
    server.told(server.send(path, half, large[half:]), 507, "backends.disk_full")
    # While it is converted: the file has its place, the table has none.
    ballast.unlink()
    ballast = disk.fill(leave=len(large) + (1 << 20))
    server.told(server.upload(large), 507, "backends.disk_full")
    # What is there can be read all the same, and is all there is.
    assert server.listed() == before
    assert server.client.head(path).headers["Upload-Offset"] == str(half)
    spool = server.data_dir / "spool"
    wait_for(lambda: {p.name for p in spool.rglob("*.part")} == {f"{path.split('/')[-2]}.part"})
    assert not list(spool.glob("*/tmp*"))

    # Once there is room, everything goes on from where it was.
    ballast.unlink()
    taken = server.send(path, half, large[half:])
    assert taken.status_code == 201, taken.text
    assert (server.files / "datasets" / taken.json()["id"] / "original.csv").read_bytes() == large
    server.is_clean()


def test_no_room_for_the_database(home, disk, table, gone):
    home.data_dir = disk.folder / "automl"
    server = home.start()
    kept = server.upload(table).json()["id"]
    ballast = disk.fill()
    begun = [server.client.post("/api/uploads/", json={"filename": "x" * 255}) for _ in range(200)]
    refused = [answer for answer in begun if answer.status_code != 201]
    assert refused, "the database found room on a full disk"
    for answer in refused:
        server.told(answer, 507, "backends.disk_full")
    assert [item["id"] for item in server.listed()] == [kept]
    # A server that starts on a full disk says so as well, and needs no restart once there is room.
    gone(server.kill())
    server = home.start()
    server.told(server.client.get("/api/datasets/"), 507, "backends.disk_full")
    ballast.unlink()
    assert [item["id"] for item in server.listed()] == [kept]
    assert server.client.post("/api/uploads/", json={"filename": "x"}).status_code == 201
    assert server.client.delete(f"/api/datasets/{kept}/").status_code == 204


def test_no_room_where_the_files_are_stored(home, disk, table):
    home.files = disk.folder / "files"
    server = home.start()
    assert server.upload(table).status_code == 201
    before = server.listed()
    ballast = disk.fill(leave=1024)
    server.told(server.upload(table), 507, "backends.disk_full")
    assert server.listed() == before
    server.is_clean()
    ballast.unlink()
    assert server.upload(table).status_code == 201


def test_no_room_for_an_answer(trained_home, disk, table, large, wait_for):
    home = trained_home
    home.data_dir = home.data_dir.rename(home.folder / "elsewhere")
    (disk.folder / "spool").mkdir()
    shutil.rmtree(home.data_dir / "spool")
    (home.data_dir / "spool").symlink_to(disk.folder / "spool")
    server = home.start()
    assert server.predict(table).status_code == 200
    rows = b"".join(large.splitlines(keepends=True)[:90_000])
    ballast = disk.fill(leave=len(rows) + (1 << 20))
    server.told(server.predict(rows), 507, "backends.disk_full")
    wait_for(lambda: not list((disk.folder / "spool").rglob("*.part*")))
    assert not list((disk.folder / "spool").glob("*/tmp*"))
    ballast.unlink()
    assert server.predict(table).status_code == 200


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="there is no prlimit here")
def test_a_limit_on_the_size_of_files(home, table, large):
    server = home.start(before=("prlimit", f"--fsize={2 << 20}"))
    server.told(server.upload(large), 507, "backends.disk_full")
    path = server.begin(len(large))
    server.told(server.send(path, 0, large), 507, "backends.disk_full")
    assert server.client.delete(path).status_code == 204
    assert server.upload(table).status_code == 201
    assert len(server.listed()) == 1
    server.is_clean()


def test_a_folder_that_is_read_only(home, disk, table, gone):
    (disk.folder / "automl").mkdir()
    home.data_dir = disk.folder / "automl"
    disk.remount("ro")
    server = home.start()
    for _ in range(3):
        server.told(server.upload(table), 503, "backends.disk_closed")
        server.told(server.client.get("/api/datasets/"), 503, "backends.disk_closed")
    gone(server.family())
    disk.remount("rw")
    assert server.upload(table).status_code == 201
    server.is_clean()


def test_files_that_are_read_only(home, disk, table):
    home.files = disk.folder / "files"
    server = home.start()
    kept = server.upload(table).json()["id"]
    disk.remount("ro")
    server.told(server.upload(table), 503, "backends.disk_closed")
    assert [item["id"] for item in server.listed()] == [kept]
    assert server.client.get(f"/api/datasets/{kept}/preview/").status_code == 200
    disk.remount("rw")
    assert server.upload(table).status_code == 201
    server.is_clean()
