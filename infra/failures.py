"""How the operator's side says that something cannot be done: a message that names the cause and the remedy."""

from __future__ import annotations


class Failure(Exception):
    """The command cannot go on; the text says what is wrong and what to do. ``code`` is the process's exit status."""

    code = 1


class PortTaken(Failure):
    """Another program listens on the port."""

    code = 3


class DatabaseUnreachable(Failure):
    """PostgreSQL does not answer or does not start."""

    code = 4


class HalfMigrated(Failure):
    """A database's schema is not the one that this version needs."""

    code = 5


class DiskFull(Failure):
    """There is not enough room for the data."""

    code = 6


class AlreadyRunning(Failure):
    """Another ``haihe up`` holds the same data folder."""

    code = 7


class NotRunning(Failure):
    """Nothing runs on this data folder."""

    code = 8
