"""One child of a worker: real processes, stopped, cancelled, timed out, orphaned."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from automl_jupyter.backends.child import Limits, run_child
from automl_jupyter.backends.process import environment

CHILD = """
import os, subprocess, sys, threading, time
from automl_jupyter.backends.process_main import emit, watch_parent

stop = threading.Event()

def heard(line):
    if line["verb"] == "stop":
        stop.set()

if __name__ == "__main__":
    arguments = watch_parent(heard)
    print("a stray print")
    print("for the log", file=sys.stderr)
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    emit({"pid": os.getpid(), "grandchild": grandchild.pid, "nice": os.nice(0), "group": os.getpgrp(),
          "variable": os.environ.get("A_VARIABLE"), "nan": float("nan")})
    if arguments["do"] == "end":
        pass
    elif arguments["do"] == "crash":
        raise RuntimeError("a reason for the log")
    elif arguments["do"] == "die":
        os._exit(7)
    elif arguments["do"] == "listen":
        stop.wait(60)
        emit({"stopped": True})
    else:
        time.sleep(60)
"""

LATE = """
import threading, time
from automl_jupyter.backends.process_main import emit, watch_parent

if __name__ == "__main__":
    stop = threading.Event()
    watch_parent(lambda line: stop.set())
    stop.wait(60)
    time.sleep(1.5)  # what is still to be made ready
    emit({"ready": True})
    time.sleep(60)
"""


@pytest.fixture
def module(module_folder):
    return module_folder("automl_test_child", CHILD)


class Run:
    """Collects what a child says and asks of it what the test wants once it has spoken."""

    def __init__(self, module, do, wish=None, deadline=30.0, stop_grace=10.0):
        self.lines = []
        self.wish = wish
        begun = time.monotonic()
        self.outcome = run_child(
            module,
            {"do": do},
            on_line=self.lines.append,
            poll=lambda: self.wish if self.lines else None,
            limits=Limits(begun + deadline, stop_grace),
            variables={"A_VARIABLE": "yes"},
        )
        self.seconds = time.monotonic() - begun


def test_it_ends_in_order(module, eventually, is_running):
    run = Run(module, "end")
    (line,) = run.lines
    assert (run.outcome.exit, run.outcome.code) == ("ended", 0)
    assert line["nice"] >= 10
    assert line["group"] == line["pid"]
    assert line["variable"] == "yes"
    assert line["nan"] is None
    assert run.outcome.stderr_tail.splitlines()[-1] == "for the log"
    assert "a stray print" in run.outcome.stderr_tail
    assert eventually(lambda: not is_running(line["grandchild"]))


@pytest.mark.parametrize(("do", "code"), [("crash", 1), ("die", 7)])
def test_a_crash_is_told(module, do, code):
    run = Run(module, do)
    assert (run.outcome.exit, run.outcome.code) == ("crashed", code)
    assert ("a reason for the log" in run.outcome.stderr_tail) == (do == "crash")


def test_a_stop_is_heard_and_the_rest_is_kept(module):
    run = Run(module, "listen", wish="stop")
    assert run.outcome.exit == "ended"
    assert run.lines[-1] == {"stopped": True}


def test_any_thread_may_speak_to_it(module):
    tellers, lines = [], []

    def heard(line):
        lines.append(line)
        if "pid" in line:
            threading.Thread(target=tellers[0], args=({"verb": "stop"},)).start()

    outcome = run_child(
        module,
        {"do": "listen"},
        on_line=heard,
        poll=lambda: None,
        limits=Limits(time.monotonic() + 30, 1),
        on_start=tellers.append,
    )
    assert (outcome.exit, lines[-1]) == ("ended", {"stopped": True})
    # Whoever has not heard of its end may go on speaking.
    tellers[0]({"verb": "stop"})


def test_a_stop_that_is_not_heard_ends_it_after_the_grace(module, eventually, is_running):
    run = Run(module, "sleep", wish="stop", stop_grace=0.3)
    assert (run.outcome.exit, run.outcome.code) == ("deadline", -signal.SIGKILL)
    assert eventually(lambda: not any(is_running(run.lines[0][who]) for who in ("pid", "grandchild")))


def test_the_grace_of_one_that_is_still_beginning_begins_with_its_first_line(module_folder):
    lines = []
    outcome = run_child(
        module_folder("automl_test_late_child", LATE),
        {},
        on_line=lines.append,
        poll=lambda: "stop",
        limits=Limits(time.monotonic() + 30, 0.3),
    )
    assert (outcome.exit, lines) == ("deadline", [{"ready": True}])


@pytest.mark.parametrize(("begin_within", "heard"), [(30, [{"ready": True}]), (0, [])])
def test_one_that_begins_late_is_waited_for_and_has_its_least_time(module_folder, begin_within, heard):
    lines, begun = [], time.monotonic()
    outcome = run_child(
        module_folder("automl_test_late_child", LATE),
        {},
        on_line=lines.append,
        poll=lambda: "stop",
        limits=Limits(begun + 0.2, stop_grace=30, begin_within=begin_within, least=0.5),
    )
    assert (outcome.exit, lines) == ("deadline", heard)
    assert time.monotonic() - begun > (1.5 + 0.5 if heard else 0.2)


def test_a_cancel_ends_it_at_once(module, eventually, is_running):
    run = Run(module, "sleep", wish="cancel")
    assert run.outcome.exit == "cancelled"
    assert run.seconds < 5
    assert eventually(lambda: not any(is_running(run.lines[0][who]) for who in ("pid", "grandchild")))


@pytest.mark.alone
def test_the_deadline_is_hard(module):
    run = Run(module, "sleep", deadline=1.0)
    assert run.outcome.exit == "deadline"
    assert 1.0 <= run.seconds < 1.5


def test_nothing_is_left_when_a_listener_fails(module, eventually, is_running):
    pids = []

    def fail(line):
        pids.extend([line["pid"], line["grandchild"]])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_child(
            module,
            {"do": "sleep"},
            on_line=fail,
            poll=lambda: None,
            limits=Limits(time.monotonic() + 30, 1),
        )
    assert eventually(lambda: not any(map(is_running, pids)))


def test_nothing_is_left_when_the_worker_is_killed(module, module_folder, eventually, is_running):
    worker = module_folder(
        "automl_test_worker",
        f"""
import time
from automl_jupyter.backends.child import Limits, run_child

run_child({module!r}, {{"do": "sleep"}}, on_line=lambda l: print(l["pid"], l["grandchild"], flush=True),
          poll=lambda: None, limits=Limits(time.monotonic() + 60, 1))
""",
    )
    with subprocess.Popen(
        [sys.executable, "-m", worker], stdout=subprocess.PIPE, env=environment(), text=True
    ) as p:
        pids = [int(pid) for pid in p.stdout.readline().split()]
        p.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(map(is_running, pids)))
