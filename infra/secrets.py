"""Secrets as files: one value a file, readable by their owner only, made at random on first use."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def read_or_make_secret(folder: Path, name: str) -> str:
    """The secret of that name, made (32 random bytes, URL-safe) when the folder has none; safe against a parallel
    maker.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def write_secret(path: Path, value: str) -> None:
    """Writes the value whole or not at all, mode 0600; a file that is already there stays as it is."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(part, path)
    part.unlink()
