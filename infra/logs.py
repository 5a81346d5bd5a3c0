"""The logs of the embedded platform's processes: rotated under writers that need not be told, and read from their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
from pathlib import Path
from typing import BinaryIO

MAX_LOG_BYTES = 20 * 1024 * 1024
KEPT_LOGS = 5
COLLAPSE_RANGE = 0x08
_LIBC = ctypes.CDLL(None, use_errno=True)


def rotate(log: Path, *, max_bytes: int = MAX_LOG_BYTES, keep: int = KEPT_LOGS) -> None:
    """Moves what a log holds that has grown too large to ``log.1`` (older ones move on, the oldest goes).

    The writers append to the same file all the time. Where the file system can take blocks out of it (ext4, XFS) nothing
    is lost, and a line may begin in one file and end in the next; elsewhere what is written between the copy and the cut
    is the price. A disk without room for the copy leaves the log to grow.
    """
    size = log.stat().st_size if log.exists() else 0
    if size <= max_bytes or shutil.disk_usage(log.parent).free < 2 * size:
        return
    for number in range(keep - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    with log.open("r+b") as whole, log.with_name(f"{log.name}.1").open("wb") as moved:
        _move(whole, moved, size)


def _move(whole: BinaryIO, moved: BinaryIO, size: int) -> None:
    block = os.fstatvfs(whole.fileno()).f_bsize
    length = (size - 1) // block * block
    moved.write(whole.read(length))
    moved.flush()
    if take_out(whole, length):
        return
    shutil.copyfileobj(whole, moved)
    os.ftruncate(whole.fileno(), 0)


def take_out(file: BinaryIO, length: int) -> bool:
    """Takes the first ``length`` bytes (whole blocks, not all of it) out of a file in one step that no writer notices.

    False where the system or the file system cannot: fallocate(2), FALLOC_FL_COLLAPSE_RANGE.
    """
    if sys.platform != "linux" or length == 0:
        return False
    arguments = (ctypes.c_int(COLLAPSE_RANGE), ctypes.c_int64(0), ctypes.c_int64(length))
    return _LIBC.fallocate(file.fileno(), *arguments) == 0


def read_end(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_bytes()[-8000:].decode(errors="replace").splitlines()[-lines:])
    return ""
