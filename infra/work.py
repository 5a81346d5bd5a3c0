"""The worker process: the loops of one service or of all, and a small web server that tells of them where it has a
port.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from chassis import settings
from chassis.telemetry import configure_logging
from chassis.tracing import start_tracing
from chassis.worker import Worker
from gateway.app import make_gateway
from gateway.readiness import look_at
from infra.assembly import make_context
from infra.ports import name_taken


def run_worker(names: Sequence[str], *, address: tuple[str, int] | None = None) -> None:
    """Runs the loops until SIGTERM or SIGINT. With ``address`` it answers /health, /ready and /metrics there."""
    process = "worker" if len(names) > 1 else f"{names[0]}-worker"
    given = settings.read()
    configure_logging(process=process, level=given.log_level)
    if given.otlp_endpoint:
        start_tracing(endpoint=given.otlp_endpoint, process=process)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    contexts = [make_context(name) for name in names]
    if address:
        _serve(address, contexts)
    worker = Worker(contexts)
    worker.start()
    told.wait()
    worker.stop()


def _serve(address: tuple[str, int], contexts: Sequence) -> None:
    def look() -> list:
        return [look_at(context.service.name, context.database) for context in contexts]

    app = make_gateway([], look)
    try:
        server = make_server(*address, app, server_class=WSGIServer, handler_class=_Quiet)
    except OSError as error:
        raise name_taken(*address, error, option="--status-port") from None
    threading.Thread(target=server.serve_forever, name="status", daemon=True).start()


class _Quiet(WSGIRequestHandler):
    """Serves one request at a time and logs none."""

    timeout = 5

    def log_message(self, format: str, *args: object) -> None:
        pass
