"""Helper processes: real ones, started, asked, killed."""

import asyncio
import logging
import math
import os
import signal
import subprocess
import sys
import time

import pytest

from automl_jupyter import errors
from automl_jupyter.backends.lines import from_line, to_json
from automl_jupyter.backends.process import HelperProcess, environment

HELPER = """
import os, subprocess, sys, time
from automl_jupyter import errors
from automl_jupyter.backends.process_main import emit, serve

STATE = {}

def setup(arguments):
    print("a stray print at the start")
    if arguments.get("refuse"):
        raise errors.Unprocessable("backends.no_such_file", key="k")
    STATE.update(arguments)

def echo(payload):
    print("a stray print")
    os.system("echo one from a child")
    return {"payload": payload, "state": STATE, "env": dict(os.environ), "path": sys.path}

def wait(payload):
    time.sleep(payload["seconds"])
    return {"waited": payload["seconds"]}

def grow(payload):
    STATE["held"] = bytearray(payload["bytes"])
    time.sleep(30)
    return {}

def fail(payload):
    raise errors.Conflict("backends.no_such_file", key="it")

def crash(payload):
    raise KeyError("secret insides")

def leave(payload):
    sys.exit("on its own")

def unwritable(payload):
    return {"value": object()}

def die(payload):
    os._exit(3)

def child(payload):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    return {"pid": process.pid, "own": os.getpid()}

def tell(payload):
    for n in range(3):
        emit({"n": n})
    return {}

def hold(payload):
    import ctypes
    # PyDLL keeps Python's lock while it calls: nothing else of this process runs.
    ctypes.PyDLL(None).sleep(payload["seconds"])
    return {}

def full(payload):
    raise OSError(28, "No space left on device")

def unreadable(payload):
    raise PermissionError(13, "Permission denied")

def nan(payload):
    return {"values": [float("nan"), float("inf"), 1.5]}

if __name__ == "__main__":
    verbs = (echo, wait, grow, fail, crash, leave, unwritable, die, child, tell, nan, hold, full, unreadable)
    serve({verb.__name__: verb for verb in verbs}, setup=setup, threads=4)
"""


@pytest.fixture
def module(module_folder):
    return module_folder("automl_test_helper", HELPER)


def run(work, module, **options):
    async def main():
        helper = HelperProcess(module, name="tables", **options)
        try:
            return await work(helper)
        finally:
            await helper.close()

    return asyncio.run(main())


def test_it_answers_and_knows_its_arguments(module, monkeypatch):
    monkeypatch.setenv("JUPYTER_TOKEN", "s")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "s")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "kept")

    async def work(helper):
        assert helper.pid is None
        return await helper.call("echo", {"é": [1, None, "\ud800"]}, timeout=10)

    answer = run(work, module, arguments={"folder": "/x"})
    assert answer["payload"] == {"é": [1, None, "\ud800"]}
    assert answer["state"] == {"folder": "/x"}
    assert not {"JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN"} & set(answer["env"])
    assert answer["env"]["MLFLOW_TRACKING_TOKEN"] == "kept"
    assert "" not in answer["path"]


def test_calls_run_at_once(module):
    async def work(helper):
        await helper.start()
        async with asyncio.timeout(2.5):
            calls = [helper.call("wait", {"seconds": s}, timeout=10) for s in (1.0, 0.9, 0.8, 0.0)]
            return await asyncio.gather(*calls)

    assert [a["waited"] for a in run(work, module)] == [1.0, 0.9, 0.8, 0.0]


def test_a_large_line_passes_both_ways(module):
    async def work(helper):
        return await helper.call("echo", {"text": "x" * 20_000_000}, timeout=30)

    assert len(run(work, module)["payload"]["text"]) == 20_000_000


def test_its_errors_arrive_as_they_are(module):
    async def work(helper):
        with pytest.raises(errors.Conflict) as caught:
            await helper.call("fail", {}, timeout=10)
        assert caught.value.params == {"key": "it"}
        for verb in ("crash", "leave", "unwritable", "no such verb"):
            with pytest.raises(errors.AutoMLError) as caught:
                await helper.call(verb, {}, timeout=10)
            assert caught.value.code == "backends.helper_failed"
            assert "insides" not in str(caught.value)
        return helper.pid

    assert run(work, module)


def test_a_refused_setup_is_told_to_every_caller(module):
    async def work(helper):
        for _ in range(2):
            with pytest.raises(errors.Unprocessable):
                await helper.call("echo", {}, timeout=10)

    run(work, module, arguments={"refuse": True})


def test_events_come_in_order(module):
    seen = []

    async def work(helper):
        await helper.call("tell", {}, timeout=10)

    run(work, module, on_event=seen.append)
    assert seen == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_nan_becomes_null(module):
    async def work(helper):
        return await helper.call("nan", {"x": math.nan}, timeout=10)

    assert run(work, module) == {"values": [None, None, 1.5]}
    assert from_line(to_json({"a": (1, -math.inf)}).encode()) == {"a": [1, None]}


def test_its_prints_reach_the_log(module, caplog):
    async def work(helper):
        await helper.call("echo", {}, timeout=10)

    with caplog.at_level(logging.WARNING):
        run(work, module)
    assert "tables: a stray print" in caplog.text
    assert "tables: one from a child" in caplog.text


def test_a_dead_one_is_told_and_replaced(module):
    exits = []

    async def work(helper):
        waiting = asyncio.create_task(helper.call("wait", {"seconds": 60}, timeout=60))
        with pytest.raises(errors.Unavailable) as caught:
            await helper.call("die", {}, timeout=10)
        assert caught.value.code == "backends.helper_died"
        with pytest.raises(errors.Unavailable):
            await waiting
        assert (await helper.call("wait", {"seconds": 0}, timeout=10)) == {"waited": 0}
        assert len(exits) == 1

    run(work, module, on_exit=lambda: exits.append(1))
    assert len(exits) == 2


def test_one_that_takes_too_long_is_ended(module, is_running, eventually):
    async def work(helper):
        child = (await helper.call("child", {}, timeout=10))["pid"]
        with pytest.raises(errors.Unavailable) as caught:
            await helper.call("wait", {"seconds": 60}, timeout=0.3)
        assert caught.value.code == "backends.helper_timeout"
        assert (await helper.call("wait", {"seconds": 0}, timeout=10)) == {"waited": 0}
        return child

    child = run(work, module)
    assert eventually(lambda: not is_running(child))


def test_one_that_takes_too_much_memory_is_ended(module):
    async def work(helper):
        with pytest.raises(errors.Unavailable) as caught:
            await helper.call("grow", {"bytes": 400_000_000}, timeout=20)
        assert caught.value.code == "backends.helper_memory"
        assert (await helper.call("wait", {"seconds": 0}, timeout=10)) == {"waited": 0}

    run(work, module, memory_limit=200_000_000)


def test_one_that_is_stopped_is_noticed_and_replaced(module, is_running):
    async def work(helper):
        pid = (await helper.call("child", {}, timeout=10))["own"]
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(10):
            with pytest.raises(errors.Unavailable) as caught:
                await helper.call("wait", {"seconds": 0}, timeout=600)
        assert (caught.value.code, caught.value.params["seconds"]) == ("backends.helper_stuck", 0.6)
        assert (await helper.call("wait", {"seconds": 0}, timeout=10)) == {"waited": 0}
        return pid

    assert not is_running(run(work, module, stuck_seconds=0.6))


def test_one_that_is_stopped_while_it_starts_is_given_up_and_replaced(module, is_running):
    async def work(helper):
        starting = asyncio.create_task(helper.start(timeout=1.0))
        waiting = asyncio.create_task(helper.call("wait", {"seconds": 0}, timeout=60))
        while helper.pid is None:  # noqa: ASYNC110 - nothing tells when a process was started
            await asyncio.sleep(0)
        pid = helper.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(errors.Unavailable) as caught:
            await starting
        assert caught.value.code == "backends.helper_timeout"
        # Whoever asked meanwhile hears nothing of it.
        assert await waiting == {"waited": 0}
        assert helper.pid != pid
        return pid

    assert not is_running(run(work, module))


def test_one_that_hangs_in_native_code_is_noticed(module):
    async def work(helper):
        async with asyncio.timeout(20):
            with pytest.raises(errors.Unavailable) as caught:
                await helper.call("hold", {"seconds": 600}, timeout=600)
        assert caught.value.code == "backends.helper_stuck"

    run(work, module, stuck_seconds=0.6)


@pytest.mark.slow
def test_one_that_has_much_to_do_is_left_in_peace(module):
    async def work(helper):
        assert await helper.call("wait", {"seconds": 1.5}, timeout=10) == {"waited": 1.5}
        # Nor is one with nothing to do.
        await asyncio.to_thread(time.sleep, 1.0)
        return await helper.call("wait", {"seconds": 0}, timeout=10), len(exits)

    exits = []
    answer, ended = run(work, module, stuck_seconds=0.6, on_exit=lambda: exits.append(1))
    assert (answer, ended) == ({"waited": 0}, 0)


@pytest.mark.slow
def test_a_pause_of_this_process_is_not_taken_for_one_of_the_helper(module):
    async def work(helper):
        await helper.start()
        waiting = asyncio.create_task(helper.call("wait", {"seconds": 2.0}, timeout=10))
        await asyncio.sleep(0)
        os.kill(helper.pid, signal.SIGSTOP)
        # The event loop stands still for much longer than a helper may be silent, as in a laptop that sleeps.
        time.sleep(1.5)  # noqa: ASYNC251
        os.kill(helper.pid, signal.SIGCONT)
        return await waiting

    assert run(work, module, stuck_seconds=0.6) == {"waited": 2.0}


def test_work_that_nobody_wants_any_more_is_ended(module, is_running):
    async def work(helper):
        pid = (await helper.call("child", {}, timeout=10))["own"]
        unwanted = asyncio.create_task(helper.call("wait", {"seconds": 600}, timeout=600, expendable=True))
        wanted = asyncio.create_task(helper.call("wait", {"seconds": 0.5}, timeout=10))
        await asyncio.sleep(0)
        unwanted.cancel()
        # Somebody else still waits for the same process.
        assert await wanted == {"waited": 0.5}
        assert is_running(pid)
        unwanted = asyncio.create_task(helper.call("wait", {"seconds": 600}, timeout=600, expendable=True))
        await asyncio.sleep(0)
        unwanted.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unwanted
        assert not is_running(pid)
        assert (await helper.call("wait", {"seconds": 0}, timeout=10)) == {"waited": 0}

    run(work, module)


def test_a_full_disk_is_told(module):
    async def work(helper):
        with pytest.raises(errors.NoSpace) as caught:
            await helper.call("full", {}, timeout=10)
        assert caught.value.code == "backends.disk_full"
        with pytest.raises(errors.AutoMLError) as caught:
            await helper.call("unreadable", {}, timeout=10)
        assert caught.value.code == "backends.helper_failed"

    run(work, module)


def test_an_idle_one_gives_its_memory_back(module):
    ended = asyncio.Event()

    async def work(helper):
        await helper.call("wait", {"seconds": 0}, timeout=10)
        async with asyncio.timeout(30):
            await ended.wait()
        assert helper.pid is None
        assert (await helper.call("wait", {"seconds": 0}, timeout=10)) == {"waited": 0}

    run(work, module, idle_seconds=0.2, on_exit=ended.set)


def test_closing_ends_it_in_the_middle_of_its_work(module, is_running, eventually):
    async def work(helper):
        pids = await helper.call("child", {}, timeout=10)
        waiting = asyncio.create_task(helper.call("wait", {"seconds": 60}, timeout=60))
        await asyncio.sleep(0)
        await helper.close()
        with pytest.raises(errors.Unavailable):
            await waiting
        return pids

    pids = run(work, module)
    assert not is_running(pids["own"])
    assert eventually(lambda: not is_running(pids["pid"]))


@pytest.mark.parametrize("stopped", [False, True], ids=["at work", "stopped"])
def test_nothing_is_left_when_the_server_is_killed(module, module_folder, is_running, eventually, stopped):
    server = module_folder(
        "automl_test_server",
        f"""
import asyncio
from automl_jupyter.backends.process import HelperProcess

async def main():
    helper = HelperProcess({module!r}, name="tables")
    pids = await helper.call("child", {{}}, timeout=10)
    print(pids["own"], pids["pid"], flush=True)
    await helper.call("wait", {{"seconds": 60}}, timeout=60)

asyncio.run(main())
""",
    )
    with subprocess.Popen(
        [sys.executable, "-m", server], stdout=subprocess.PIPE, env=environment(), text=True
    ) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        if stopped:
            os.kill(pids[0], signal.SIGSTOP)
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(is_running(pid) for pid in pids))
