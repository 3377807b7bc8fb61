"""What a disk says when it does not do as it is told, in terms of the person who asked."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from automl_jupyter import errors

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No space left, the quota used up, a limit on the size of files reached: all are helped by making room."""

CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""A disk that is mounted to be read only, a folder that is somebody else's."""


def disk_error(error: OSError) -> errors.AutoMLError | None:
    """What an error of the system means for the data folder; None if it says nothing about the disk."""
    if error.errno in FULL:
        return errors.NoSpace("backends.disk_full")
    if error.errno in CLOSED:
        return errors.Unavailable("backends.disk_closed")
    if error.errno == errno.EIO:
        return errors.Unavailable("backends.disk_failing")
    return None


@contextmanager
def disk_told() -> Iterator[None]:
    """Around everything that touches the data folder: a disk that is full, closed or failing is told so.

    Raises
    ------
    NoSpace
        ``backends.disk_full``.
    Unavailable
        ``backends.disk_closed`` or ``backends.disk_failing``.
    """
    try:
        yield
    except OSError as error:
        told = disk_error(error)
        if told is None:
            raise
        raise told from error
