"""Sends a mail: by SMTP, or as a file into a folder when there is no server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from chassis.settings import Settings

TIMEOUT_S = 20


def send_mail(settings: Settings, *, id: str, to: str, subject: str, text: str) -> dict[str, Any]:
    """Send a mail, and say how it went out. ``id`` names it, however often it is sent. Raises OSError or SMTPException."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{id}@haihe>"
    message.set_content(text)
    if settings.smtp:
        _send(settings.smtp, message)
        return {"sent": "smtp"}
    folder = Path(settings.mail_folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{id}.eml").write_bytes(bytes(message))
    return {"sent": "folder"}


def _send(address: str, message: EmailMessage) -> None:
    """``smtp://user:password@host:port`` (STARTTLS when it is offered) or ``smtps://…``; the certificate must be one that the
    system trusts for the host.
    """
    where, trusted = urlsplit(address), ssl.create_default_context()
    with _connect(where, trusted) as server:
        server.ehlo()
        if where.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=trusted)
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(message)


def _connect(where: SplitResult, trusted: ssl.SSLContext) -> smtplib.SMTP:
    host, port = where.hostname or "localhost", where.port or 0
    if where.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=trusted)
    return smtplib.SMTP(host, port, timeout=TIMEOUT_S)
