"""Mail by SMTP: what goes over the wire to a server, and what becomes of the errand when there is none."""

from __future__ import annotations

import smtplib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errands import Errands
from chassis.settings import Settings
from services.identity import SERVICE
from services.identity.mail import send_mail
from tests.services.identity.conftest import Stand


class Server(socketserver.TCPServer):
    """An SMTP server that takes every mail."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.mails: list[str] = []


class Talk(socketserver.StreamRequestHandler):
    """One conversation (RFC 5321)."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(self._read_mail())
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return

    def _read_mail(self) -> str:
        lines = []
        while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
            lines.append(line.decode())
        return "".join(lines)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def forget(stand: Stand) -> None:
    stand.admin_of()
    stand.public.post("/v1/passwords/forgotten", {"email": "admin@mill.example"})


def test_a_mail_goes_to_the_server(stand: Stand, server: Server) -> None:
    forget(stand)
    settings = replace(
        stand.settings, smtp=f"smtp://127.0.0.1:{server.server_address[1]}", mail_from="haihe@haihe.example"
    )
    assert Errands(SERVICE, stand.database, settings).step() == 1
    (mail,) = server.mails
    assert "To: admin@mill.example" in mail and "From: haihe@haihe.example" in mail
    assert stand.rows("SELECT state, attempt FROM errand") == [("done", 1)]
    assert Errands(SERVICE, stand.database, settings).step() == 0


def test_a_server_that_is_down_is_tried_again(stand: Stand, server: Server) -> None:
    forget(stand)
    down = replace(stand.settings, smtp="smtp://127.0.0.1:1")
    assert Errands(SERVICE, stand.database, down).step() == 1
    assert stand.rows("SELECT state, attempt FROM errand") == [("owed", 1)]
    stand.frozen.advance(timedelta(minutes=1))
    up = replace(stand.settings, smtp=f"smtp://127.0.0.1:{server.server_address[1]}")
    assert Errands(SERVICE, stand.database, up).step() == 1
    assert len(server.mails) == 1


def test_a_server_is_asked_for_a_certificate_that_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[ssl.VerifyMode, bool]] = []

    def refuse(host: str, port: int, *, timeout: float, context: ssl.SSLContext) -> None:
        asked.append((context.verify_mode, context.check_hostname))
        raise OSError("away")

    monkeypatch.setattr(smtplib, "SMTP_SSL", refuse)
    with pytest.raises(OSError, match="away"):
        send_mail(Settings(smtp="smtps://mail.example"), id="errand_1", to="li@mill.example", subject="s", text="t")
    assert asked == [(ssl.CERT_REQUIRED, True)]
