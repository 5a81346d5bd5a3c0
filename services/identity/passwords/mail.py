"""The mail to somebody who forgot their password."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.settings import Settings
from services.identity.mail import send_mail
from services.identity.passwords.model import write_token
from services.identity.vault import open_vault

SUBJECT = "Haihe: a new password / 重设密码"
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
    vault = open_vault(settings.signing_key, settings.token_issuer)
    token = write_token(vault, payload["ticket_id"])
    url = settings.public_url.rstrip("/")
    text = WORDS.format(name=payload["name"], email=payload["email"], token=token, url=url)
    return send_mail(settings, id=payload["errand_id"], to=payload["email"], subject=SUBJECT, text=text)


def record_reset_mail(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Nothing is put down beside the errand itself."""
