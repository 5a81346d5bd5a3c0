"""How the sandbox runs: a small threaded server and one thread that sends webhooks, over one file.

``python -m infra.stripe_sandbox --data FILE --port N --key-file F --webhook-url URL --webhook-secret-file F``
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from infra.stripe_sandbox.admin import pass_time
from infra.stripe_sandbox.app import create_app
from infra.stripe_sandbox.store import Store
from infra.stripe_sandbox.webhooks import Post, deliver_next

log = logging.getLogger("stripe_sandbox")
LOOK_EVERY_S = 1.0
PASS_TIME_EVERY_S = 60.0


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.debug("%s %s %s", self.command, self.path, code)


class Sandbox:
    """A running sandbox. ``post`` None: webhooks stay owed until ``deliver_all`` is called with a way to send them."""

    def __init__(
        self, path: Path, *, api_key: str, webhook_secret: str, post: Post | None = None, port: int = 0
    ) -> None:
        self.store = Store(path)
        self._secret = webhook_secret
        self._post = post
        self._stopping = threading.Event()
        self._server = make_server(
            "127.0.0.1", port, create_app(self.store, api_key=api_key), threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        loops: list[Callable[[], None]] = [self._serve, *([self._send] if post else [])]
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in loops]

    def start(self) -> "Sandbox":
        for thread in self._threads:
            thread.start()
        return self

    def deliver_all(self, post: Post) -> int:
        """Send each delivery that is due now, once each; returns how many were sent."""
        sent = 0
        while deliver_next(self.store, secret=self._secret, post=post):
            sent += 1
        return sent

    def stop(self) -> None:
        """Finish what is being answered, then close the file."""
        self._stopping.set()
        self.store.changed.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self.store.close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)

    def _send(self) -> None:
        passed_at = float("-inf")
        while not self._stopping.is_set():
            self.store.changed.wait(LOOK_EVERY_S)
            self.store.changed.clear()
            try:
                if time.monotonic() - passed_at > PASS_TIME_EVERY_S:
                    self._pass_time()
                    passed_at = time.monotonic()
                self._send_due()
            except Exception:
                log.exception("the sandbox could not send its webhooks")

    def _pass_time(self) -> None:
        with self.store.transaction():
            pass_time(self.store)

    def _send_due(self) -> None:
        while not self._stopping.is_set() and deliver_next(self.store, secret=self._secret, post=self._post):
            pass
