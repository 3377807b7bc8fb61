"""Helper processes: real ones, started, asked, killed."""

import asyncio
import logging
import math
import signal
import subprocess
import sys

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

def nan(payload):
    return {"values": [float("nan"), float("inf"), 1.5]}

if __name__ == "__main__":
    verbs = (echo, wait, grow, fail, crash, leave, unwritable, die, child, tell, nan)
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


def test_an_idle_one_gives_its_memory_back(module):
    ended = asyncio.Event()

    async def work(helper):
        await helper.call("wait", {"seconds": 0}, timeout=10)
        async with asyncio.timeout(5):
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


def test_nothing_is_left_when_the_server_is_killed(module, module_folder, is_running, eventually):
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
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(is_running(pid) for pid in pids), 5)
