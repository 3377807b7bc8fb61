"""One suite that every storage passes, and what is particular to a folder."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter import errors
from automl_jupyter.backends.storage import FolderStorage, checked, open_storage


@pytest.fixture(params=["folder", "memory"])
def storage(request, tmp_path):
    if request.param == "folder":
        return open_storage((tmp_path / "the files").as_uri())
    return open_storage(f"memory://{uuid.uuid4().hex}")


def test_what_is_written_is_read(storage):
    storage.write_bytes("a/b/c.bin", b"one")
    storage.write_bytes("a/b/c.bin", b"two")
    assert storage.read_bytes("a/b/c.bin") == b"two"
    assert storage.exists("a/b/c.bin")
    assert not storage.exists("a/b")
    assert storage.digest("a/b/c.bin") == hashlib.sha256(b"two").hexdigest()


def test_another_process_reaches_it_by_its_url(storage):
    storage.write_bytes("a", b"1")
    assert open_storage(storage.url).read_bytes("a") == b"1"
    assert open_storage(storage.url).url == storage.url


def test_a_missing_key_is_not_found(storage, tmp_path):
    for read in (storage.read_bytes, storage.digest, storage.local_path):
        with pytest.raises(errors.NotFound) as caught:
            read("no/such")
        assert caught.value.code == "backends.no_such_file"
    with pytest.raises(errors.NotFound):
        storage.get_file("no/such", tmp_path / "x")
    with pytest.raises(errors.NotFound):
        storage.put_file(tmp_path / "missing", "a")


def test_deleting_twice_is_no_error(storage):
    storage.write_bytes("a/b", b"1")
    storage.write_bytes("a/c/d", b"2")
    storage.write_bytes("ab", b"3")
    storage.delete("a/b")
    storage.delete("a/b")
    storage.delete_tree("a")
    storage.delete_tree("a")
    assert storage.list() == ["ab"]


def test_listing_is_by_whole_parts_and_sorted(storage):
    for key in ("jobs/1/b", "jobs/1/a", "jobs/10/a", "other"):
        storage.write_bytes(key, b"")
    assert storage.list("jobs/1") == ["jobs/1/a", "jobs/1/b"]
    assert storage.list("nothing") == []
    assert storage.list() == ["jobs/1/a", "jobs/1/b", "jobs/10/a", "other"]


def test_files_go_in_and_come_out(storage, tmp_path):
    local = tmp_path / "in.csv"
    local.write_bytes(b"x" * 3_000_000)
    storage.put_file(local, "d/in.csv")
    assert not local.exists()
    out = tmp_path / "out.csv"
    out.write_bytes(b"older")
    storage.get_file("d/in.csv", out)
    assert out.read_bytes() == b"x" * 3_000_000
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_link_is_not_taken_in(storage, tmp_path):
    (tmp_path / "secret").write_bytes(b"s")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(errors.NotFound):
        storage.put_file(tmp_path / "link", "a")


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a\0b"]
)
def test_a_key_that_could_escape_is_refused(storage, key):
    for verb in (storage.read_bytes, storage.exists, storage.delete, storage.delete_tree, storage.digest):
        with pytest.raises(errors.Malformed):
            verb(key)
    with pytest.raises(errors.Malformed):
        storage.write_bytes(key, b"")


@given(st.text(max_size=40))
def test_a_checked_key_stays_below_its_root(key):
    try:
        checked(key)
    except errors.Malformed:
        return
    path = os.path.normpath(f"/root/{key}")
    assert path.startswith("/root/")
    assert path == f"/root/{key}"


def test_readers_never_see_a_part(storage):
    whole = {bytes([n]) * 200_000 for n in range(4)}
    storage.write_bytes("k", next(iter(whole)))
    end = time.monotonic() + 0.4

    def write(data):
        while time.monotonic() < end:
            storage.write_bytes("k", data)

    writers = [threading.Thread(target=write, args=(data,)) for data in whole]
    for writer in writers:
        writer.start()
    while time.monotonic() < end:
        assert storage.read_bytes("k") in whole
    for writer in writers:
        writer.join()


def test_only_the_owner_can_read(tmp_path):
    old = os.umask(0)
    try:
        storage = FolderStorage(tmp_path / "new" / "files")
        storage.write_bytes("a/b", b"")
        (tmp_path / "open").write_bytes(b"")
        storage.put_file(tmp_path / "open", "c/d")
    finally:
        os.umask(old)
    for path in (tmp_path / "new").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_folder_gives_the_file_itself(tmp_path):
    storage = FolderStorage(tmp_path)
    storage.write_bytes("a/b", b"1")
    assert storage.local_path("a/b") == tmp_path / "a" / "b"


def test_what_a_killed_writer_left_is_swept(tmp_path):
    storage = FolderStorage(tmp_path / "s")
    code = (
        "import os, sys, pathlib; from automl_jupyter.backends import storage as s;"
        "print(s.FolderStorage(pathlib.Path(sys.argv[1]))._temporary())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "s"], capture_output=True, text=True, check=True
    )
    left, mine = Path(ended.stdout.strip()), storage._temporary()
    left.write_bytes(b"half")
    mine.write_bytes(b"at work")
    assert storage.sweep_temporary() == [left.name]
    assert mine.exists()
    assert storage.list() == []


def test_a_write_survives_a_tree_deleted_at_the_same_moment(tmp_path):
    storage = FolderStorage(tmp_path)
    end = time.monotonic() + 0.4

    def clear():
        while time.monotonic() < end:
            storage.delete_tree("a")

    thread = threading.Thread(target=clear)
    thread.start()
    while time.monotonic() < end:
        storage.write_bytes("a/b/c", b"1")
    thread.join()
    storage.write_bytes("a/b/c", b"2")
    assert storage.read_bytes("a/b/c") == b"2"
