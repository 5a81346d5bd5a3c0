"""The mail to somebody who forgot their password: by SMTP, or as a file in a folder when there is no server."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.settings import Settings
from services.identity.passwords.model import write_token
from services.identity.vault import open_vault

TIMEOUT_S = 20
WORDS = """\
{name},

somebody asked for a new password for {email}. If it was you, choose one within an hour with this one-time token:

    {token}

POST {url}/v1/passwords  {{"token": "…", "password": "…"}}

If it was not you, there is nothing to do: your password stays as it is.

有人为 {email} 申请重设密码。如果是您本人，请在一小时内使用上面的一次性令牌设置新密码；否则请忽略此邮件。
"""


def send_reset_mail(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Send the mail of one errand. The token is made here: no database holds it. Raises OSError or SMTPException."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = payload["email"]
    message["Subject"] = "Haihe: a new password / 重设密码"
    message["Message-ID"] = f"<{payload['errand_id']}@haihe>"
    vault = open_vault(settings.signing_key, settings.token_issuer)
    token = write_token(vault, payload["ticket_id"])
    url = settings.public_url.rstrip("/")
    message.set_content(WORDS.format(name=payload["name"], email=payload["email"], token=token, url=url))
    if settings.smtp:
        _send(settings.smtp, message)
        return {"sent": "smtp"}
    folder = Path(settings.mail_folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{payload['errand_id']}.eml").write_bytes(bytes(message))
    return {"sent": "folder"}


def _send(address: str, message: EmailMessage) -> None:
    """``smtp://user:password@host:port`` (STARTTLS when it is offered) or ``smtps://…``."""
    where = urlsplit(address)
    kind = smtplib.SMTP_SSL if where.scheme == "smtps" else smtplib.SMTP
    with kind(where.hostname or "localhost", where.port or 0, timeout=TIMEOUT_S) as server:
        server.ehlo()
        if where.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(message)


def record_reset_mail(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Nothing is put down beside the errand itself."""
