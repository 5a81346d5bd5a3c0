"""Each invariant of identity sees its own violation, planted past every rule, and names it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.identity import SERVICE
from tests.services.identity.conftest import PASSWORD, Stand
from tests.services.identity.test_licences import licence

PLANTED = {
    "leavers_are_signed_out": (
        "UPDATE user_account SET state = 'deactivated' WHERE id = :user",
        "SELECT id FROM refresh_family WHERE user_id = :user",
    ),
    "companies_are_identified": ("DELETE FROM party_identifier WHERE party_id = :party", "SELECT :party"),
    "users_belong_to_companies": ("UPDATE user_account SET party_id = 'party_x' WHERE id = :user", "SELECT :user"),
    "licences_wait": ("UPDATE licence SET due_at = NULL WHERE party_id = :party", "SELECT id FROM licence"),
    "licences_have_a_record": (
        "UPDATE licence SET state = 'revoked', due_at = NULL WHERE party_id = :party",
        "SELECT id FROM licence",
    ),
    "alerts_have_lines": (
        "INSERT INTO alert (id, due_at, lines, more) VALUES (:user, now(), '[]', 0)",
        "SELECT :user",
    ),
    "active_users_have_passwords": ("UPDATE user_account SET password_hash = NULL WHERE id = :user", "SELECT :user"),
}


def test_every_invariant_is_here() -> None:
    assert set(PLANTED) == {invariant.name for invariant in SERVICE.invariants}


@pytest.mark.parametrize("name", PLANTED)
def test_a_violation_is_named(stand: Stand, name: str) -> None:
    admin = stand.admin_of()
    admin.post("/v1/licences", licence()).ok()
    assert stand.broken() == {}
    plant, expected = PLANTED[name]
    ids = {"user": admin.user_id, "party": admin.party_id}

    def break_it(session) -> None:
        session.execute(text(plant), {key: value for key, value in ids.items() if f":{key}" in plant})

    stand.database.run(break_it)
    (row,) = stand.rows(expected, **{key: value for key, value in ids.items() if f":{key}" in expected})
    assert stand.broken() == {name: [row[0]]}
    stand.empty()
    assert stand.public.post("/v1/sessions", {"email": "admin@mill.example", "password": PASSWORD}).status == 401
