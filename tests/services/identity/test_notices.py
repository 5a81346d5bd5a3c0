"""Mails of recalls: to whom of a company, and what stands in them."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis.auth import Caller
from events.logistics import RecallNoticeSent
from services.identity import SERVICE
from tests.services.identity.conftest import Stand
from tests.services.identity.test_alerts import read

SYSTEM = Caller.system("identity")


def hear(stand: Stand, party_id: str) -> None:
    said = {
        "notice_id": "notice_1",
        "recall_id": "lotrecall_1",
        "thing": "https://id.gs1.org/01/09506000134352/10/L1",
        "grade": "I",
        "reason": "glass {found}",
        "instruction": "Stop selling.",
        "held": 12,
        "due_at": datetime(2026, 3, 4, tzinfo=UTC),
    }
    event = RecallNoticeSent(party_id=party_id, **said)
    stand.database.run(lambda session: SERVICE.handlers[RecallNoticeSent](session, SYSTEM, event))


def test_those_who_answer_for_goods_are_mailed_and_nobody_else(stand: Stand) -> None:
    admin = stand.admin_of()
    hear(stand, admin.party_id)
    hear(stand, "party_of_nobody")
    assert read(stand.send_mail()) == [
        (
            "admin@mill.example",
            "Haihe: recall of goods that you hold (class I) / 召回通知（I 级）",
            "Mill admin,\n\n"
            "goods that your company holds are recalled by their maker.\n贵公司持有的货物已被生产企业召回。\n\n"
            "What / 货物: https://id.gs1.org/01/09506000134352/10/L1\nHow many / 数量: 12\nWhy / 原因: glass {found}\n"
            "To do / 处理: Stop selling.\nAnswer by / 回复期限: 2026-03-04T00:00:00+00:00\n\n"
            f"See what it is and answer / 查看并回复: {stand.settings.public_url}/v1/recall-notices/notice_1\n",
        )
    ]
