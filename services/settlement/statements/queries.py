"""Looks at settlement statements."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.wire import File
from services.settlement.parties.queries import name_parties
from services.settlement.statements.model import Statement, StatementLine
from services.settlement.statements.paper import write_statement

Written = tuple[Statement, list[StatementLine]]


def list_statements(
    session: Session, caller: Caller, deal_id: str | None, cursor: str | None, limit: int
) -> Page[Written]:
    """The statements of the caller's deals with their lines, newest first."""
    where = [] if deal_id is None else [Statement.deal_id == deal_id]
    found = page(session, Statement, caller, cursor, limit, *where)
    lines = _lines_of(session, found.items)
    return found.map(lambda statement: (statement, lines[statement.id]))


def show_statement(session: Session, caller: Caller, statement_id: str) -> Written:
    """One statement with its lines. Raises NotFound."""
    statement = see(session, Statement, statement_id, caller)
    return statement, _lines_of(session, [statement])[statement.id]


def print_statement(session: Session, caller: Caller, statement_id: str) -> File:
    """One statement as a document. Raises NotFound."""
    statement, lines = show_statement(session, caller, statement_id)
    return write_statement(statement, lines, name_parties(session, (statement.buyer_id, statement.seller_id)))


def find_line(session: Session, line_id: str) -> StatementLine:
    """A line of a statement by its id."""
    return session.scalars(select(StatementLine).where(StatementLine.id == line_id)).one()


def _lines_of(session: Session, statements: list[Statement]) -> dict[str, list[StatementLine]]:
    of_these = StatementLine.statement_id.in_([statement.id for statement in statements])
    lines: dict[str, list[StatementLine]] = defaultdict(list)
    for line in session.scalars(select(StatementLine).where(of_these).order_by(StatementLine.number)):
        lines[line.statement_id].append(line)
    return lines
