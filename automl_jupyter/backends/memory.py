"""How much memory there is, and how to keep a process from taking more than its part.

A limit on what a process may allocate (Linux, ``RLIMIT_DATA``, which counts private writable mappings since
4.7) makes an allocation fail in an orderly way, where the kernel would else end some process of its choice.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from pathlib import Path

SHARE = 0.8
LEAST_BYTES = 512 * 1024**2
"""What a process that fits is left in any case: its imports alone take 320 MB."""

_UNLIMITED = 1 << 60


def limit_data(limit: int | None) -> int:
    """Limit what this process may allocate; to be called before anything large is imported.

    Parameters
    ----------
    limit : int or None
        Bytes, of which :data:`LEAST_BYTES` are granted at least; None for 80 % of :func:`free_bytes`.

    Returns
    -------
    int
        The limit. Where the system has none of that kind, nothing is limited.
    """
    # Arrow's own allocator would reserve a gigabyte at once, which counts.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    wanted = max(LEAST_BYTES, int(SHARE * free_bytes()) if limit is None else limit)
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    return wanted


def free_bytes(root: Path = Path("/")) -> int:
    """Memory that is free on this machine, or to the control group that this process is in.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys/fs/cgroup`` are.
    """
    return min([_machine(root), *_groups(root)])


def _machine(root: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _groups(root: Path) -> list[int]:
    """What is left to each control group that this process is in, from the innermost to the root."""
    found = []
    with contextlib.suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds not in ("", "memory"):
                continue
            top = root / "sys/fs/cgroup" / kinds
            names = _V1 if kinds else _V2
            # In a container the path may be that of the host, of which only the top is seen.
            inner = top / path.lstrip("/")
            for folder in [inner, *inner.parents]:
                if folder.is_relative_to(top):
                    found += _left(folder, names)
    return found


_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _left(folder: Path, names: tuple[str, str, str]) -> list[int]:
    try:
        limit = (folder / names[0]).read_text(encoding="ascii").strip()
        if limit == "max" or int(limit) > _UNLIMITED:
            return []
        used = int((folder / names[1]).read_text(encoding="ascii"))
        stat = dict(
            line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        )
    except (OSError, ValueError):
        return []
    # What is kept of files is given back as soon as somebody needs it.
    return [max(0, int(limit) - used + int(stat.get(names[2], 0)))]
