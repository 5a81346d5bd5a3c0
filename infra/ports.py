"""Listening sockets of 127.0.0.1 that the supervisor holds, so that callers wait while a process is started again."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from infra.failures import PortTaken

BACKLOG = 1024
LAST_PORT = 65_535


@contextlib.contextmanager
def listening(port: int, *, option: str) -> Iterator[socket.socket]:
    """A socket that listens on a port for as long as the context lasts. Raises PortTaken, which names the option."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise name_taken("127.0.0.1", port, error, option=option) from None
        listener.listen(BACKLOG)
        yield listener


def name_taken(host: str, port: int, error: OSError, *, option: str) -> PortTaken:
    """The failure to listen on a port, with what to do about it."""
    return PortTaken(
        f"Port {port} of {host} cannot be used ({error.strerror}). Stop the program that has it "
        f"(`ss -ltnp` names it), or choose another with {option}."
    )


@contextlib.contextmanager
def listening_near(port: int) -> Iterator[socket.socket]:
    """A socket that listens on a port, or on any that is free where somebody has that one."""
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(listening(min(port, LAST_PORT), option=""))
        except PortTaken:
            listener = stack.enter_context(listening(0, option=""))
        yield listener
