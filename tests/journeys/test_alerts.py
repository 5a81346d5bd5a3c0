"""A saved search becomes a mail: something is listed, the catalog finds it, identity writes to who saved the search."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

from loadtests.api import Actor, session_of
from tests.journeys.town import Town


def user_of(town: Town, role: str, email: str) -> Actor:
    """A user of a company who has chosen a password and signed in."""
    invited = town.everybody[role].admin.post("/v1/users", {"email": email, "name": "Watcher", "roles": ["purchaser"]})
    said = {"token": invited["invitation"], "password": town.password}
    town.api.call("POST", "/v1/passwords", said, key=f"password-of-{role}-watcher")
    town.settle()
    return Actor(town.api, role, session_of(town.api, email, town.password))


def read_mails(town: Town, email: str) -> list[str]:
    """The texts of the mails to somebody."""
    folder = Path(town.world.settings("identity").mail_folder)
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]
    return [mail.get_content() for mail in mails if mail["To"] == email]


def test_who_saved_a_search_is_mailed_what_is_listed_after(town: Town) -> None:
    email = "watcher@sample.haihe.example"
    watcher = user_of(town, "buyer", email)
    wanted = {"market": "steel", "kinds": ["offer"], "seller_id": town.mill.party_id}
    watcher.post("/v1/saved-searches", {"name": "Coils of the mill", "wanted": wanted})
    town.let_pass(minutes=2)
    assert read_mails(town, email) == []
    offers = [town.offer_coils(8_000), town.offer_coils(8_100)]
    town.let_pass(minutes=2)
    [text] = read_mails(town, email)
    found = [line for line in text.splitlines() if line.startswith("- Coils of the mill: ")]
    assert len(found) == 2 and all(any(offer["id"] in line for line in found) for offer in offers)
    town.let_pass(minutes=5)
    assert len(read_mails(town, email)) == 1
    for offer in offers:
        town.mill.desk.post(f"/v1/offers/{offer['id']}/withdraw")
