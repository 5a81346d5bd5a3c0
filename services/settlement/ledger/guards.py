"""What the database itself holds against the service: run by the migrations, over ``post_journals.sql``.

The application may read the ledger's tables and call ``post_journal`` and ``post_journals``; it writes none of them in
another way, and what is written stays, for their owner too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

POST_JOURNALS = Path(__file__).with_name("post_journals.sql")
LEDGER = ("account", "journal", "posting")
APPEND_ONLY = ("journal", "posting", "statement", "statement_line")
APP = "settlement_app"


def guard_ledger(append_only: tuple[str, ...]) -> Iterator[str]:
    """The statements that guard the tables once they and the functions are there."""
    for table in append_only:
        yield from keep_rows(table)
    yield (
        "CREATE CONSTRAINT TRIGGER posting_balanced AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION check_journal_balances()"
    )
    yield f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {', '.join(LEDGER)} FROM {APP}"
    yield from let_post()


def let_post() -> Iterator[str]:
    """The statements that let the application, and nobody else, call the functions that post."""
    yield "REVOKE EXECUTE ON FUNCTION post_journal, post_journals, open_accounts FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION post_journal, post_journals TO {APP}"


def keep_rows(table: str) -> Iterator[str]:
    """The statements that let what is written into a table stay as it is."""
    yield (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    yield f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP}"
