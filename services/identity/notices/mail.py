"""The mail that tells a company of recalled goods that it holds, in English and Chinese."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.settings import Settings
from services.identity.mail import send_mail

SUBJECT = "Haihe: recall of goods that you hold (class {grade}) / 召回通知（{grade} 级）"
WORDS = """\
{name},

goods that your company holds are recalled by their maker.
贵公司持有的货物已被生产企业召回。

What / 货物: {thing}
How many / 数量: {held}
Why / 原因: {reason}
To do / 处理: {instruction}
Answer by / 回复期限: {due_at}

See what it is and answer / 查看并回复: {url}/v1/recall-notices/{notice_id}
"""


def send_notice_mail(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Send the mail of one errand. Raises OSError or SMTPException."""
    text = WORDS.format(**{**payload, "url": settings.public_url.rstrip("/")})
    subject = SUBJECT.format(grade=payload["grade"])
    return send_mail(settings, id=payload["errand_id"], to=payload["email"], subject=subject, text=text)


def record_notice_mail(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Nothing is put down beside the errand itself."""
