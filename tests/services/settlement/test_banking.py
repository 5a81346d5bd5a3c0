"""Bank credits: who records them, whose they are, and what becomes of those that nobody knows."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from events.identity import BankAccount, PartyDescribed
from services.settlement.banking.commands import hear_of_party, record_credit
from services.settlement.banking.model import Slip
from services.settlement.parties.model import reference_of
from tests.services.settlement.stand import SYSTEM, Stand, cny

SUSPENSE = {"platform:suspense": 100_000, "platform:clearing_bank": -100_000}
CREDITED = {"buyer:available": 100_000, "platform:clearing_bank": -100_000}


@pytest.fixture
def known(stand: Stand) -> Stand:
    """The buyer and the mill are known with one bank account each."""
    stand.describe_party("buyer", "62220001")
    stand.describe_party("mill", "62220002")
    return stand


def test_a_credit_is_the_partys_by_its_reference_and_its_registered_account(known: Stand) -> None:
    view = known.credit("b-1").ok()
    assert (view["state"], view["party_id"], view["doubt"]) == ("credited", "buyer", None)
    assert known.balances() == CREDITED and known.broken() == {}


@pytest.mark.parametrize("write", [str.lower, lambda text: " ".join(text), lambda text: f"ORDER77{text}.pay-now"])
def test_the_reference_is_found_however_it_is_written(known: Stand, write: Any) -> None:
    assert known.credit("b-1", remittance=write(reference_of("buyer"))).ok()["state"] == "credited"


@pytest.mark.parametrize(
    ("changed", "doubt"),
    [
        ({"remittance": "for coils"}, "unknown_reference"),
        ({"remittance": ""}, "unknown_reference"),
        ({"remittance": reference_of("buyer")[:-1] + "A"}, "unknown_reference"),
        ({"remittance": reference_of("nobody")}, "unknown_reference"),
        ({"remittance": f"{reference_of('buyer')} {reference_of('mill')}"}, "several_references"),
        ({"payer_account": "99990000"}, "unregistered_payer"),
        ({"payer_account": "62220002"}, "unregistered_payer"),
        ({"amount": {"amount": 100_000, "currency": "EUR"}}, "unregistered_payer"),
    ],
)
def test_what_is_in_doubt_goes_to_suspense(known: Stand, changed: dict[str, Any], doubt: str) -> None:
    view = known.credit("b-1", **changed).ok()
    assert (view["state"], view["party_id"], view["doubt"]) == ("suspense", None, doubt)
    assert sum(amount for id, amount in known.balances().items() if "suspense" in id) == 100_000
    assert known.broken() == {}


def test_a_repeated_reference_changes_nothing(known: Stand) -> None:
    first = known.credit("b-1").ok()
    assert known.credit("b-1", payer_account="62 22 00 01").ok() == first
    answer = known.credit("b-1", amount={"amount": 1, "currency": "CNY"}, payer_name="other")
    assert (answer.status, answer.problem()) == (409, "bank_reference_reused")
    assert answer.body["differing"] == ["payer_name", "amount"]
    assert known.balances() == CREDITED and known.broken() == {}


def test_the_same_credit_fifty_times_at_once_is_credited_once(known: Stand) -> None:
    with ThreadPoolExecutor(25) as pool:
        views = list(pool.map(lambda _: known.credit("b-1").ok(), range(50)))
    assert all(view == views[0] for view in views)
    assert known.balances() == CREDITED and known.broken() == {}


def test_no_company_records_or_decides_a_credit(known: Stand) -> None:
    view = known.credit("b-1", remittance="").ok()
    body = {key: view[key] for key in ("value_date", "payer_account", "payer_name", "amount", "remittance")}
    for role in ("finance", "admin", "reader", "seller"):
        said = {"bank_reference": "b-2", **body}
        assert known.send("POST", "/v1/bank-credits", said, role=role).problem() == "missing_role"
        path = f"/v1/bank-credits/{view['id']}"
        assert known.send("POST", f"{path}/assign", {"party_id": "buyer"}, role=role).problem() == "missing_role"
        assert known.send("POST", f"{path}/return", role=role).problem() == "missing_role"
    assert known.send("POST", f"/v1/bank-credits/{view['id']}/return", role="bank_feed").problem() == "missing_role"
    assert known.balances() == SUSPENSE


@pytest.mark.parametrize("amount", [0, -1, 10**15 + 1])
def test_an_amount_that_cannot_be_is_refused(known: Stand, amount: int) -> None:
    answer = known.credit("b-1", amount={"amount": amount, "currency": "CNY"})
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "amount_refused", "$.amount")
    assert known.balances() == {} and known.rows("SELECT count(*) FROM bank_credit") == [(0,)]


def test_the_operator_assigns_what_is_in_suspense(known: Stand) -> None:
    path = f"/v1/bank-credits/{known.credit('b-1', remittance='').ok()['id']}"
    view = known.send("POST", f"{path}/assign", {"party_id": "buyer"}, role="operator").ok()
    assert (view["state"], view["party_id"], view["decided_by"]) == ("credited", "buyer", "user_platform_operator")
    assert known.balances() == CREDITED
    assert known.send("POST", f"{path}/return", role="operator").problem() == "illegal_move"
    assert known.send("POST", f"{path}/assign", {"party_id": "mill"}, role="operator").problem() == "illegal_move"
    assert known.balances() == CREDITED and known.broken() == {}


def test_the_operator_returns_what_is_in_suspense(known: Stand) -> None:
    path = f"/v1/bank-credits/{known.credit('b-1', remittance='').ok()['id']}"
    assert known.send("POST", f"{path}/return", role="operator").ok()["state"] == "returned"
    assert known.balances() == {} and known.broken() == {}
    assert known.send("POST", f"{path}/assign", {"party_id": "buyer"}, role="operator").problem() == "illegal_move"


def test_a_company_that_is_not_yet_known_is_not_assigned_to(known: Stand) -> None:
    path = f"/v1/bank-credits/{known.credit('b-1', remittance='').ok()['id']}"
    answer = known.send("POST", f"{path}/assign", {"party_id": "newcomer"}, role="operator")
    assert (answer.status, answer.problem()) == (503, "not_yet_known")
    assert known.balances() == SUSPENSE


def test_money_that_came_before_its_company_was_heard_of_is_credited_then(stand: Stand) -> None:
    stand.credit("b-1").ok()
    stand.credit("b-2", payer_account="777").ok()
    assert stand.balances() == {"platform:suspense": 200_000, "platform:clearing_bank": -200_000}
    stand.describe_party("buyer", "62220001")
    assert stand.balances()["buyer:available"] == 100_000
    credits = stand.get("/v1/bank-credits", role="operator").ok()["items"]
    assert [(each["state"], each["doubt"]) for each in credits] == [
        ("suspense", "unregistered_payer"), ("credited", "unknown_reference"),
    ]  # fmt: skip
    stand.describe_party("buyer", "62220001", "777", version=2)
    assert stand.balances()["platform:suspense"] == 100_000
    assert stand.broken() == {}


def test_an_older_word_about_a_company_changes_nothing(stand: Stand) -> None:
    stand.describe_party("buyer", "1", version=2)
    stand.describe_party("buyer", "62220001", version=1)
    assert stand.credit("b-1").ok()["doubt"] == "unregistered_payer"
    stand.describe_party("buyer", "62220001", version=3)
    assert stand.credit("b-2").ok()["state"] == "credited"


def test_the_operator_is_reminded_while_it_is_in_suspense(known: Stand) -> None:
    path = f"/v1/bank-credits/{known.credit('b-1', remittance='').ok()['id']}"
    assert known.advance(timedelta(hours=23)) == 0
    assert [known.advance(timedelta(days=1)) for _ in range(3)] == [1, 1, 1]
    assert known.get(path, role="operator").ok()["reminders"] == 3
    known.send("POST", f"{path}/return", role="operator").ok()
    assert known.advance(timedelta(days=9)) == 0 and known.broken() == {}


def test_a_company_sees_what_was_credited_to_it(known: Stand) -> None:
    mine, doubtful = known.credit("b-1").ok(), known.credit("b-2", remittance="").ok()
    assert [each["id"] for each in known.get("/v1/bank-credits").ok()["items"]] == [mine["id"]]
    assert known.get("/v1/bank-credits", party="mill").ok()["items"] == []
    assert known.get(f"/v1/bank-credits/{mine['id']}", party="mill").problem() == "not_found"
    assert known.get(f"/v1/bank-credits/{doubtful['id']}").problem() == "not_found"
    listed = known.get("/v1/bank-credits?state=suspense", role="bank_feed").ok()["items"]
    assert [each["id"] for each in listed] == [doubtful["id"]]


@pytest.mark.parametrize("first", ["credit", "party"])
def test_a_credit_and_its_company_at_the_same_moment_find_each_other(stand: Stand, first: str) -> None:
    """Two transactions that do not see each other's rows: whoever comes second waits, so nothing is left in suspense."""
    slip = Slip(
        bank_reference="b-1",
        value_date=date(2026, 3, 2),
        payer_account="62220001",
        payer_name="buyer",
        amount=cny(100_000),
        remittance=reference_of("buyer"),
    )
    account = BankAccount(id="acc", holder="buyer", number="62220001", bank="ICBC", currency="CNY")
    said = {"name": "buyer", "country": "CN", "state": "admitted", "identifiers": [], "bank_accounts": [account]}
    heard = PartyDescribed(party_id="buyer", version=1, **said)
    do = {
        "credit": lambda session: record_credit(session, SYSTEM, slip),
        "party": lambda session: hear_of_party(session, SYSTEM, heard),
    }
    second = "party" if first == "credit" else "credit"
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database "
        "WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
    )
    with ThreadPoolExecutor(1) as pool:

        def begin(session: Session) -> Future[Any]:
            do[first](session)
            other = pool.submit(stand.database.run, do[second])
            while not other.done() and stand.rows(waiting) == [(0,)]:
                pass
            return other

        stand.database.run(begin).result()
    assert stand.balances() == CREDITED and stand.broken() == {}
