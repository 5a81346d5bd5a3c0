"""Looks certificates up: what they name, and the file of a piece for those who may have it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotFound
from services.catalog.base import among
from services.catalog.certificates.model import Certificate, PaidPieces
from services.catalog.documents.model import Scan, StoredFile
from services.catalog.documents.queries import read_file
from services.catalog.pieces.model import Piece


class NoCertificate(NotFound):
    """There is no certificate for the piece."""


def list_certificates(
    session: Session, caller: Caller, number: str | None, cursor: str | None, limit: int
) -> Page[Certificate]:
    """The caller's certificates, newest first, those that were replaced among them."""
    where = [Certificate.number == number] if number is not None else []
    return page(session, Certificate, caller, cursor, limit, *where)


def find_batches(session: Session, maker_id: str, numbers: Iterable[str]) -> dict[str, list[str]]:
    """The heats that a maker's certificates name, by their numbers; one that is not there or harmful is absent."""
    in_force = (
        select(Certificate.number, Certificate.heats)
        .join(StoredFile, StoredFile.id == Certificate.file_id)
        .where(
            Certificate.party_id == maker_id,
            Certificate.replaced_at.is_(None),
            StoredFile.state != Scan.BAD,
            among(Certificate.number, numbers),
        )
    )
    return {number: heats for number, heats in session.execute(in_force)}


def see_certificate(session: Session, caller: Caller, piece_id: str) -> tuple[Certificate, bytes]:
    """The certificate in force of a piece, and its file: for whoever may see the piece and the buyer who has paid for it.

    Raises NotFound, or NoCertificate.
    """
    paid = select(PaidPieces.deal_id).where(PaidPieces.visible_to(caller), PaidPieces.piece_ids.contains([piece_id]))
    has_paid = session.scalars(paid.limit(1)).first() is not None
    piece = see(session, Piece, piece_id, Caller.system("catalog") if has_paid else caller)
    in_force = select(Certificate).where(
        Certificate.party_id == piece.maker_id,
        Certificate.number == piece.certificate_no,
        Certificate.replaced_at.is_(None),
    )
    found = session.scalars(in_force).one_or_none()
    if found is None:
        raise NoCertificate("its maker has not sent one yet")
    return found, read_file(session, found.file_id)
