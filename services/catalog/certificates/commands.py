"""Takes certificates in, and keeps who has paid for which pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import project
from chassis.problems import Invalid
from events.orders import DealDescribed
from services.catalog.base import lock_uploads
from services.catalog.certificates.files import check_file
from services.catalog.certificates.model import Certificate, PaidPieces
from services.catalog.documents.storing import keep_file
from services.catalog.markets.queries import list_packs
from services.catalog.markets.texts import read_identifier
from services.catalog.pieces.moving import review_pieces

PAID_STATES = ("delivering", "settling", "completed")


class UnknownCertificateType(Invalid):
    """No market knows this type of certificate."""


class NotAnIdentifier(Invalid):
    """The number of a certificate or a heat cannot be one."""


def add_certificate(
    session: Session, caller: Caller, *, number: str, type: str, heats: Sequence[str], media_type: str, body: bytes
) -> Certificate:
    """Keep a certificate of the caller's company; one with the same number is replaced, the very same changes nothing.

    Its pieces are described again where this blocks or frees them. Raises UnknownCertificateType, NotAnIdentifier,
    NotACertificateFile or HeatNotInFile.
    """
    code = _find_type(session, type)
    _check_identifier("$.number", number)
    for i, heat in enumerate(heats):
        _check_identifier(f"$.heats[{i}]", heat)
    check_file(body, media_type, heats)
    lock_uploads(session, caller.party_id)
    file_id = hashlib.sha256(body).hexdigest()
    before = _find_in_force(session, caller, number)
    if before is not None and before.says(code, heats, file_id):
        return before
    keep_file(session, body)
    if before is not None:
        before.replaced_at = clock.now()
        session.flush()
    certificate = Certificate(
        id=clock.new_id("certificate"),
        party_id=caller.party_id,
        number=number,
        revision=1 if before is None else before.revision + 1,
        type=code,
        heats=list(dict.fromkeys(heats)),
        media_type=media_type,
        size=len(body),
        file_id=file_id,
        added_at=clock.now(),
    )
    session.add(certificate)
    session.flush()
    review_pieces(session, caller, caller.party_id, number)
    return certificate


def review_file(session: Session, caller: Caller, file_id: str) -> None:
    """Look again at the pieces whose certificate is a file that was found to be harmful."""
    query = select(Certificate.party_id, Certificate.number).where(
        Certificate.file_id == file_id, Certificate.replaced_at.is_(None)
    )
    for maker_id, number in session.execute(query.order_by(Certificate.id)).all():
        review_pieces(session, caller, maker_id, number)


def _find_in_force(session: Session, caller: Caller, number: str) -> Certificate | None:
    query = select(Certificate).where(
        Certificate.party_id == caller.party_id, Certificate.number == number, Certificate.replaced_at.is_(None)
    )
    return session.scalars(query).one_or_none()


def _find_type(session: Session, text: str) -> str:
    """The code of a type of certificate, by any name that a market has for it."""
    for pack in list_packs(session):
        if pack.certificate is not None:
            try:
                return pack.check(pack.by_name[pack.certificate.type], text)
            except ValueError:
                continue
    raise UnknownCertificateType(f"no type {text!r}", field="$.type")


def _check_identifier(field: str, text: str) -> None:
    try:
        read_identifier(text)
    except ValueError as error:
        raise NotAnIdentifier(str(error), field=field) from None


def note_deal(session: Session, event: DealDescribed) -> None:
    """Keep which pieces a buyer has paid for; an older version changes nothing.

    Of a deal that was broken those are the buyer's that were delivered: it sees them as their owner.
    """
    piece_ids = sorted(piece.piece_id for piece in event.pieces) if event.state in PAID_STATES else []
    project(
        session, PaidPieces, {"deal_id": event.deal_id}, event.version, buyer_id=event.buyer_id, piece_ids=piece_ids
    )
