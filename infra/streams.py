"""The process of streams: what it is made of, its listening socket, and its end."""

from __future__ import annotations

import asyncio
import signal
import socket

from chassis import settings
from chassis.access import make_verifier
from chassis.brokers.opening import open_broker
from chassis.telemetry import configure_logging
from chassis.tracing import start_tracing
from gateway.streams.app import SERVICE, Streams, serve
from gateway.streams.entrance import redeem_at
from gateway.streams.limits import Limits
from infra.assembly import open_database
from infra.ports import name_taken

BACKLOG = 512


def run_streams(listener: socket.socket) -> None:
    """Serves streams on a socket that listens until SIGTERM or SIGINT."""
    given = settings.read("logistics")
    configure_logging(process=SERVICE, level=given.log_level)
    if given.otlp_endpoint:
        start_tracing(endpoint=given.otlp_endpoint, process=SERVICE)
    database = open_database(given, SERVICE)
    broker = open_broker(given.broker)
    streams = Streams(
        broker,
        database,
        make_verifier(database, given),
        redeem_at((given.identity_url or given.public_url).rstrip("/")),
        Limits.of(given),
        f"{SERVICE}@{given.member or socket.gethostname()}",
    )
    try:
        asyncio.run(_serve_until_told(streams, listener))
    finally:
        broker.close()
        database.close()


async def _serve_until_told(streams: Streams, listener: socket.socket) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await serve(streams, listener, told)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises PortTaken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise name_taken(host, port, error, option="--port") from None
    listener.listen(BACKLOG)
    return listener
