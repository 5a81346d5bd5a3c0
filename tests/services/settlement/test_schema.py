"""The migrated schema is what the models say, and the ledger's accounts know every kind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine

from chassis import migrate
from services.settlement.ledger.model import PARTY_KINDS, UNFLOORED, Kind


def test_migrations_and_models_agree(settlement_address: Any) -> None:
    engine = create_engine(settlement_address.owner)
    with engine.connect() as connection:
        assert migrate.differences("settlement", connection) == []
    engine.dispose()


def test_the_checks_and_the_functions_know_the_kinds_that_the_rules_know(settlement_address: Any) -> None:
    """Alembic does not compare checks: a kind that is added needs a migration of them, and of the functions."""
    engine = create_engine(settlement_address.owner)
    with engine.connect() as connection:
        asked = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'account'::regclass"
        checks = dict(list(connection.exec_driver_sql(asked)))
        asked = "SELECT prosrc FROM pg_proc WHERE proname IN ('post_journal', 'post_journals')"
        one, many = connection.exec_driver_sql(asked).scalars()
    engine.dispose()

    def named(text: str) -> set[Kind]:
        return {kind for kind in Kind if f"'{kind}'" in text}

    assert named(checks["ck_account_kind"]) == set(Kind)
    assert named(checks["ck_account_owner"]) == PARTY_KINDS
    assert named(checks["ck_account_floor"]) == UNFLOORED == named(one) == named(many)
