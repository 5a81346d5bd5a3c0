"""Mails of what saved searches found: to whom, how many, and what stands in them."""

from __future__ import annotations

import email
from datetime import timedelta
from email import policy

from chassis import clock
from chassis.auth import Caller
from chassis.brokers import Message
from chassis.consumer import Facts
from chassis.envelope import Envelope
from chassis.errands import Errands
from events.catalog import SearchMatched
from services.identity import SERVICE
from tests.services.identity.conftest import BUYER, Somebody, Stand

SYSTEM = Caller.system("identity")
MINUTE = timedelta(minutes=1)


def match(user: Somebody, number: int = 1, **changed: str) -> SearchMatched:
    """A search of a user has found an offer."""
    said = {"name": "Coils near Tianjin", "kind": "offer", "title": f"Hot rolled coil Q235B · 热轧卷 no. {number}"}
    ids = {"saved_search_id": "search_1", "party_id": user.party_id, "user_id": user.user_id}
    return SearchMatched(**{**ids, "thing_id": f"offer_{number}", **said, **changed})


def hear(stand: Stand, *events: SearchMatched) -> None:
    """Let news come in together, as a consumer does."""
    handler = SERVICE.handlers[SearchMatched]
    stand.database.run(lambda session: handler.take_in(session, SYSTEM, list(events)))


def read(mails: list[str]) -> list[tuple[str, str, str]]:
    """Whom each mail is to, its subject and its text."""
    parsed = [email.message_from_string(mail, policy=policy.default) for mail in mails]
    return [(mail["To"], mail["Subject"], mail.get_content()) for mail in parsed]


def test_who_saved_a_search_is_told_what_it_found_in_both_languages(stand: Stand) -> None:
    admin = stand.admin_of()
    hear(stand, match(admin))
    assert stand.send_mail() == [] and stand.advance(MINUTE) == 1
    assert read(stand.send_mail()) == [
        (
            "admin@mill.example",
            "Haihe: 1 new for your saved searches / 您保存的搜索有 1 条新结果",
            "Mill admin,\n\n"
            "this is new for your saved searches:\n您保存的搜索有以下新结果：\n\n"
            "- Coils near Tianjin: Hot rolled coil Q235B · 热轧卷 no. 1 (offer / 挂牌, offer_1)\n\n"
            f"Look / 查看: {stand.settings.public_url}/v1/search\n"
            f"Your saved searches / 管理已保存的搜索: {stand.settings.public_url}/v1/saved-searches\n\n"
            "Delete a saved search to get no more of these mails. 删除已保存的搜索后将不再收到此类邮件。\n",
        )
    ]
    assert stand.rows("SELECT state, kind, attempt FROM errand") == [("done", "alert_mail", 1)]
    assert stand.rows("SELECT id FROM alert") == [] and stand.advance(MINUTE) == 0 and len(stand.send_mail()) == 1


def test_what_is_found_within_a_minute_goes_into_one_mail(stand: Stand) -> None:
    admin = stand.admin_of()
    hear(stand, match(admin, 1))
    stand.advance(timedelta(seconds=40))
    hear(stand, match(admin, 2), match(admin, 3, name="华北热轧", kind="tender"))
    stand.advance(timedelta(seconds=19))
    assert stand.send_mail() == []
    stand.advance(timedelta(seconds=1))
    [(_, subject, text)] = read(stand.send_mail())
    assert subject.startswith("Haihe: 3 new")
    assert [line for line in text.splitlines() if line.startswith("- ")] == [
        "- Coils near Tianjin: Hot rolled coil Q235B · 热轧卷 no. 1 (offer / 挂牌, offer_1)",
        "- Coils near Tianjin: Hot rolled coil Q235B · 热轧卷 no. 2 (offer / 挂牌, offer_2)",
        "- 华北热轧: Hot rolled coil Q235B · 热轧卷 no. 3 (tender / 招标, offer_3)",
    ]
    hear(stand, match(admin, 4))
    stand.advance(timedelta(seconds=59))
    assert len(stand.send_mail()) == 1
    stand.advance(timedelta(seconds=1))
    assert len(stand.send_mail()) == 2


def test_a_flood_is_one_mail_of_fifty_lines_and_a_count(stand: Stand) -> None:
    admin = stand.admin_of()
    hear(stand, *(match(admin, number) for number in range(30)))
    hear(stand, *(match(admin, number) for number in range(30, 500)))
    assert stand.broken() == {}
    stand.advance(MINUTE)
    [(_, subject, text)] = read(stand.send_mail())
    found = [line for line in text.splitlines() if line.startswith("- ")]
    assert subject.startswith("Haihe: 500 new") and len(found) == 50 and "no. 49" in found[-1]
    assert "… and 450 more / 另有 450 条" in text


def test_one_event_is_told_once_however_often_it_arrives(stand: Stand) -> None:
    event = match(stand.admin_of())
    envelope = Envelope(
        id=clock.new_id("event"), type=event.type, source="catalog", time=clock.now(), subject=event.subject
    )
    message = Message("catalog", event.saved_search_id, event.encode(), envelope.headers())
    for batch in ([message, message], [message]):
        stand.database.run(lambda session, batch=batch: Facts(SERVICE).take_in(session, batch))
        stand.advance(MINUTE)
    [(_, subject, _)] = read(stand.send_mail())
    assert subject.startswith("Haihe: 1 new")


def test_everybody_gets_their_own(stand: Stand) -> None:
    mill, buyer = stand.admin_of(), stand.admin_of("Buyer", BUYER)
    hear(stand, match(buyer, 2), match(mill, 1), match(buyer, 3))
    assert stand.advance(MINUTE) == 2
    for _ in range(2):
        mails = read(stand.send_mail())
    texts = {to: text for to, _, text in mails}
    assert texts.keys() == {"admin@mill.example", "admin@buyer.example"}
    assert "offer_1" in texts["admin@mill.example"] and "offer_2" not in texts["admin@mill.example"]
    assert "offer_2" in texts["admin@buyer.example"] and "offer_1" not in texts["admin@buyer.example"]


def test_who_cannot_sign_in_gets_no_mail(stand: Stand) -> None:
    admin = stand.admin_of()
    left = stand.user_of(admin, "left@mill.example", "purchaser")
    admin.post(f"/v1/users/{left.user_id}/deactivate").ok()
    invited = admin.post("/v1/users", {"email": "new@mill.example", "name": "New", "roles": ["reader"]}).ok()
    machine = Somebody(stand.app, user_id="key_of_a_machine", party_id=admin.party_id)
    waiting = Somebody(stand.app, user_id=invited["id"], party_id=admin.party_id)
    before = stand.snapshot()
    hear(stand, match(left), match(machine), match(waiting))
    assert stand.snapshot() == before and stand.advance(MINUTE) == 0 and stand.send_mail() == []


def test_who_leaves_before_the_mail_is_due_gets_none(stand: Stand) -> None:
    admin = stand.admin_of()
    leaver = stand.user_of(admin, "leaver@mill.example", "purchaser")
    hear(stand, match(leaver), match(admin))
    admin.post(f"/v1/users/{leaver.user_id}/deactivate").ok()
    stand.advance(MINUTE)
    assert [to for to, _, _ in read(stand.send_mail())] == ["admin@mill.example"]
    assert stand.rows("SELECT id FROM alert") == [] and Errands(SERVICE, stand.database, stand.settings).step() == 0


def test_a_title_or_a_name_cannot_forge_lines_or_headers(stand: Stand) -> None:
    admin = stand.admin_of()
    hostile = "Coils\r\nBcc: everybody@mill.example\r\n\r\n- {token} Sign in at evil.example\u2028\u202e" + "x" * 500
    hear(stand, match(admin, title=hostile, name=hostile, kind="\nkind", thing_id="offer_1"))
    stand.advance(MINUTE)
    [mail] = stand.send_mail()
    [(to, _, text)] = read([mail])
    assert to == "admin@mill.example" and "Bcc" not in email.message_from_string(mail)
    [line] = [line for line in text.splitlines() if "evil" in line or line.startswith("- ")]
    assert "kind" in line and line.endswith("offer_1)")
    assert line.startswith("- Coils Bcc: everybody@mill.example - {token} Sign in") and len(line) < 300
