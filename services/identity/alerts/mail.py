"""The mail that names what saved searches found, in English and Chinese."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.settings import Settings
from services.identity.mail import send_mail

SUBJECT = "Haihe: {count} new for your saved searches / 您保存的搜索有 {count} 条新结果"
WORDS = """\
{name},

this is new for your saved searches:
您保存的搜索有以下新结果：

{lines}

Look / 查看: {url}/v1/search
Your saved searches / 管理已保存的搜索: {url}/v1/saved-searches

Delete a saved search to get no more of these mails. 删除已保存的搜索后将不再收到此类邮件。
"""
MORE = "… and {more} more / 另有 {more} 条"
KINDS = {
    "offer": "offer / 挂牌",
    "product": "product / 产品",
    "inquiry": "request for quotation / 询价",
    "tender": "tender / 招标",
    "auction": "auction / 拍卖",
    "capacity": "capacity / 运力",
    "booking": "booking / 预订",
}


def send_alert_mail(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Send the mail of one errand. Raises OSError or SMTPException."""
    lines, more = payload["lines"], payload["more"]
    text = WORDS.format(
        name=payload["name"], lines="\n".join(_write_lines(lines, more)), url=settings.public_url.rstrip("/")
    )
    subject = SUBJECT.format(count=len(lines) + more)
    return send_mail(settings, id=payload["errand_id"], to=payload["email"], subject=subject, text=text)


def _write_lines(lines: list[dict[str, Any]], more: int) -> list[str]:
    said = [
        f"- {line['search']}: {line['title']} ({KINDS.get(line['kind'], line['kind'])}, {line['thing_id']})"
        for line in lines
    ]
    return [*said, MORE.format(more=more)] if more else said


def record_alert_mail(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Nothing is put down beside the errand itself."""
