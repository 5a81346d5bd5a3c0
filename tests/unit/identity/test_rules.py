"""Numbers of companies and accounts, machines of states, roles, passwords, and what the vault makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from chassis.settings import BadSetting
from chassis.states import IllegalMove
from services.identity.api_keys.model import ApiKey
from services.identity.parties.identifiers import (
    AccountNumberInvalid,
    CountryUnknown,
    IdentifierInvalid,
    read_account_number,
    read_country,
    read_identifier,
)
from services.identity.passwords.model import State as TicketState
from services.identity.passwords.model import Ticket, TicketInvalid, read_token
from services.identity.sessions.model import Family, RefreshInvalid, read_refresh_token
from services.identity.sessions.model import State as FamilyState
from services.identity.users.model import EmailInvalid, RolesInvalid, State, User, check_password, read_email
from services.identity.vault import Vault, open_vault

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scheme", "text", "compact"),
    [
        ("uscc", "9111 0000 6000 3734 1L", "91110000600037341L"),
        ("uscc", "91110000600037341l", "91110000600037341L"),
        ("lei", "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"),
        ("eu_vat", "DE 136 695 976", "DE136695976"),
        ("eu_vat", "ATU13585627", "ATU13585627"),
        ("eu_vat", "BE0411905847", "BE0411905847"),
        ("gln", "0614141 00000 5", "0614141000005"),
        ("gs1_prefix", "0614 141", "0614141"),
    ],
)
def test_identifiers_are_made_compact(scheme: str, text: str, compact: str) -> None:
    assert read_identifier(scheme, text, field="$") == compact


@given(st.sampled_from(["uscc", "lei", "eu_vat", "gln", "gs1_prefix"]), st.text(max_size=40))
def test_no_text_breaks_the_check_of_an_identifier(scheme: str, text: str) -> None:
    try:
        assert read_identifier(scheme, text, field="$")
    except IdentifierInvalid as problem:
        assert problem.members == {"field": "$"}


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_is_seen(place: int, character: str) -> None:
    good = "91110000600037341L"
    changed = good[:place] + character + good[place + 1 :]
    if changed != good:
        with pytest.raises(IdentifierInvalid):
            read_identifier("uscc", changed, field="$")


@pytest.mark.parametrize(
    ("text", "compact"),
    [
        ("de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("6222 0202 0001 2345 678", "6222020200012345678"),
        ("110-060-149", "110-060-149"),
        ("XX12ABCDEFGH", "XX12ABCDEFGH"),
    ],
)
def test_account_numbers(text: str, compact: str) -> None:
    assert read_account_number(text, field="$") == compact


@pytest.mark.parametrize("text", ["DE88370400440532013000", "GB82WEST12345698765433", "123", "1" * 35, "12.34"])
def test_account_numbers_that_are_none(text: str) -> None:
    with pytest.raises(AccountNumberInvalid):
        read_account_number(text, field="$")


def test_countries() -> None:
    assert [read_country(code, field="$") for code in ("CN", "DE", "GR")] == ["CN", "DE", "GR"]
    for code in ("XX", "EU", "cn", "CHN", ""):
        with pytest.raises(CountryUnknown):
            read_country(code, field="$")


def make_user(party_id: str = "party_1", **known: object) -> User:
    return User(id="user_1", version=1, party_id=party_id, email="a@b.example", state=State.INVITED, **known)


def test_roles_belong_to_the_party() -> None:
    user = make_user()
    user.give_roles(["seller", "admin", "seller"])
    assert user.roles == ["admin", "seller"]
    for roles in ([], ["operator"], ["seller", "boss"]):
        with pytest.raises(RolesInvalid):
            user.give_roles(roles)
    assert user.roles == ["admin", "seller"]
    operator = make_user("platform")
    operator.give_roles(["operator"])
    with pytest.raises(RolesInvalid):
        operator.give_roles(["seller"])
    assert (user.kind, operator.kind) == ("user", "operator")


def test_passwords() -> None:
    user = make_user()
    assert not check_password(user.password_hash, "anything at all")
    user.set_password("correct horse battery")
    assert user.state is State.ACTIVE and "correct" not in user.password_hash
    assert check_password(user.password_hash, "correct horse battery")
    assert not check_password(user.password_hash, "Correct horse battery")
    assert not check_password(None, "nobody's password")
    user.move("deactivate")
    before = user.password_hash
    with pytest.raises(IllegalMove):
        user.set_password("another password")
    assert (user.password_hash, user.state) == (before, State.DEACTIVATED)


@pytest.mark.parametrize("text", ["a@b", "WEI.li+x@Mill.example", "o'neill@b-c.example"])
def test_email_addresses(text: str) -> None:
    assert read_email(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["", "a", "@b", "a@", "a@b@c", "a b@c", "a,b@c", "a@b\n", "<a@b>", "a@-b", "a@b." + "c" * 260]
)
def test_what_is_no_email_address(text: str) -> None:
    with pytest.raises(EmailInvalid):
        read_email(text)


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault(Ed25519PrivateKey.generate(), "haihe")


def test_a_ticket_works_once_before_its_end(vault: Vault) -> None:
    with clock.frozen(AT) as frozen:
        ticket = Ticket(id="ticket_1", user_id="user_1", state=TicketState.OPEN, due_at=AT + timedelta(hours=1))
        assert read_token(vault, ticket.token(vault)) == "ticket_1"
        frozen.advance(timedelta(hours=1))
        with pytest.raises(TicketInvalid):
            ticket.use()
        assert ticket.state is TicketState.OPEN
        ticket.due_at = AT + timedelta(hours=2)
        ticket.use()
        with pytest.raises(TicketInvalid):
            ticket.use()


def test_a_family_is_named_by_its_generation(vault: Vault) -> None:
    family = Family(id="session_1", generation=3, state=FamilyState.OPEN, due_at=AT)
    assert read_refresh_token(vault, family.token(vault)) == ("session_1", 3)
    for forged in ("", "session_1", "session_1.3", "session_1.3.", family.token(vault).replace(".3.", ".4.")):
        with pytest.raises(RefreshInvalid):
            read_refresh_token(vault, forged)
    other = Vault(Ed25519PrivateKey.generate(), "haihe")
    with pytest.raises(RefreshInvalid):
        read_refresh_token(other, family.token(vault))


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_is_a_name_that_we_did_not_make(token: str, generation: str) -> None:
    vault = Vault(Ed25519PrivateKey.from_private_bytes(bytes(32)), "haihe")
    for read, problem in ((read_token, TicketInvalid), (read_refresh_token, RefreshInvalid)):
        with pytest.raises(problem):
            read(vault, f"{token}.{generation}")


def test_private_keys_are_sealed(vault: Vault) -> None:
    key = Ed25519PrivateKey.generate()
    sealed = vault.seal(key)
    assert key.private_bytes_raw() not in sealed and sealed != vault.seal(key)
    assert vault.open(sealed).private_bytes_raw() == key.private_bytes_raw()
    with pytest.raises(BadSetting):
        Vault(Ed25519PrivateKey.generate(), "haihe").open(sealed)
    with pytest.raises(BadSetting):
        open_vault("no key", "haihe")


def test_a_machines_secret_is_known_by_its_hash() -> None:
    key = ApiKey(id="key_1")
    token = key.make_secret()
    secret = token.removeprefix("key_1.")
    assert key.is_secret(secret) and not key.is_secret(secret[:-1]) and not key.is_secret("")
    assert secret.startswith(key.prefix) and len(secret) == 43
    assert secret.encode() not in key.secret_hash
