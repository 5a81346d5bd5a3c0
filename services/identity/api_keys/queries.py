"""Looking API keys up."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.identity.api_keys.model import ApiKey


def see_key(session: Session, caller: Caller, key_id: str) -> ApiKey:
    """One key that the caller may see. Raises NotFound."""
    return see(session, ApiKey, key_id, caller)


def list_keys(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[ApiKey]:
    """The keys that the caller may see, newest first."""
    return page(session, ApiKey, caller, cursor, limit)
