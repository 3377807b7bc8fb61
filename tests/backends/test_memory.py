"""Limits of memory, read from files as systems write them, and set for real."""

import subprocess
import sys

import pytest

from automl_jupyter.backends.memory import LEAST_BYTES, free_bytes

MIB = 1024**2


def system(root, files):
    """A folder that looks like the root of a system with 8000 MiB free."""
    files = {"proc/meminfo": f"MemTotal: 9 kB\nMemAvailable: {8000 * 1024} kB\n", **files}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return root


def test_without_groups_it_is_what_the_machine_has(tmp_path):
    assert free_bytes(system(tmp_path, {})) == 8000 * MIB


@pytest.mark.parametrize("where", ["", "slice/", "slice/pod/"])
def test_a_group_or_one_around_it_may_have_less(tmp_path, where):
    root = system(
        tmp_path,
        {
            "proc/self/cgroup": "0::/slice/pod",
            "sys/fs/cgroup/slice/pod/cgroup.procs": "",
            f"sys/fs/cgroup/{where}memory.max": str(1000 * MIB),
            f"sys/fs/cgroup/{where}memory.current": str(600 * MIB),
            f"sys/fs/cgroup/{where}memory.stat": f"anon 1\ninactive_file {100 * MIB}",
        },
    )
    assert free_bytes(root) == 500 * MIB


def test_the_older_kind_of_group(tmp_path):
    root = system(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu:/a\n4:memory:/docker/c0\n0::/",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2000 * MIB),
            "sys/fs/cgroup/memory/memory.usage_in_bytes": str(500 * MIB),
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0",
        },
    )
    assert free_bytes(root) == 1500 * MIB


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_a_group_without_a_limit(tmp_path, limit):
    root = system(
        tmp_path,
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/memory.max": limit,
            "sys/fs/cgroup/memory.current": "5",
            "sys/fs/cgroup/memory.stat": "",
        },
    )
    assert free_bytes(root) == 8000 * MIB


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process allocates")
@pytest.mark.parametrize(("limit", "expected"), [(str(LEAST_BYTES), "refused"), ("None", "granted")])
def test_an_allocation_beyond_the_limit_is_refused(limit, expected):
    """The imports of a search fit into the least that it is ever left."""
    code = f"""
from automl_jupyter.backends.memory import limit_data
limit_data({limit})
import automl_jupyter.services.searching
try:
    bytearray({LEAST_BYTES})
    print("granted")
except MemoryError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
