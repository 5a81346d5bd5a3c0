"""Sends one push: outside of any transaction, to an address that was checked, within a time, and reading little of the answer."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

from chassis.errands import Errands
from chassis.settings import Settings
from chassis.worker import Context
from services.logistics.epcis.subscriptions.targets import Target, TargetRefused, find_address, read_target

LOOKED_UP_WITHIN_S = 5.0
CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 15.0
MOST_REDIRECTS = 3
MOST_READ_BYTES = 4_096
_AGAIN = (307, 308)
"""The redirects that say: send the same again over there."""


def send_push(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """The outcome of one push: ``status`` is what the receiver answered, 0 when nobody did, with the reason in ``error``.

    It never raises: what is to be done about a failure is the subscription's to say. It takes half a minute at most, as a worker
    ends when one of its loops stands still for a whole one. Where the events are still to be chosen, there is nothing to send.
    """
    if "body" not in payload:
        return {"status": 0, "error": ""}
    body, url = payload["body"].encode(), payload["dest"]
    until = time.monotonic() + ANSWER_WITHIN_S
    try:
        for _ in range(MOST_REDIRECTS + 1):
            target = read_target(url, private=settings.webhooks_private)
            if (left_s := until - time.monotonic()) <= 0:
                raise TimeoutError("did not answer in time")
            status, location = _post(
                target, payload["headers"], body, within_s=left_s, private=settings.webhooks_private
            )
            if status not in _AGAIN or not location:
                return {"status": status, "error": "" if 200 <= status < 300 else f"answered {status}"}
            url = urljoin(url, location)
        return {"status": 0, "error": f"was sent on more than {MOST_REDIRECTS} times"}
    except TargetRefused as refused:
        return {"status": 0, "error": str(refused)}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": 0, "error": f"{type(error).__name__}: {error}"[:300]}


def _post(
    target: Target, headers: dict[str, str], body: bytes, *, within_s: float, private: bool
) -> tuple[int, str | None]:
    connection = _Pinned(target, _look_up(target, private=private))
    # Waits end one by one, so that a receiver of single bytes could hold us for ever: all of them end together here.
    watch = threading.Timer(within_s, connection.cut)
    watch.start()
    try:
        connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": target.authority, "Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.read(MOST_READ_BYTES)
        if connection.is_cut:
            raise TimeoutError("did not answer in time")
        return answer.status, answer.headers.get("Location")
    finally:
        watch.cancel()
        connection.close()


def _look_up(target: Target, *, private: bool) -> str:
    """As ``find_address``, which nothing can end: a host's own servers may keep the answer back for minutes."""
    found: Future[str] = Future()

    def look() -> None:
        try:
            found.set_result(find_address(target, private=private))
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=look, name="look-up", daemon=True).start()
    return found.result(LOOKED_UP_WITHIN_S)


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, with the certificate of the host that was named."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._address = address
        self.is_cut = False

    def connect(self) -> None:
        """Connect, and shake hands where it is https. Raises TimeoutError when it was cut before there was anything to end."""
        self.sock = socket.create_connection((self._address, self._target.port), CONNECT_WITHIN_S)
        if self._target.scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._target.host)
        self.sock.settimeout(ANSWER_WITHIN_S)
        if self.is_cut:
            raise TimeoutError("did not answer in time")

    def cut(self) -> None:
        """End every wait at once, from another thread."""
        self.is_cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def open_push_loop(context: Context) -> Errands:
    """One more loop that makes calls, so that a receiver that is slow to answer keeps few others waiting."""
    return Errands(context.service, context.database, context.settings)
