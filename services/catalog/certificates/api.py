"""Certificates over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import File, Headers, Paging, Params, View, command, query
from chassis.values import ShortText
from services.catalog.certificates import commands, queries
from services.catalog.certificates.files import EXTENSIONS, MAX_BYTES, MEDIA_TYPES
from services.catalog.certificates.model import Certificate

routes = Blueprint("certificates", __name__)


class AddCertificate(Params):
    """What the file in the body certifies: ``type`` as EN 10204 has it, and the heats that it names."""

    number: ShortText
    type: ShortText
    heats: Annotated[list[ShortText], Meta(min_length=1, max_length=200)]


class ListCertificates(Paging):
    """Which certificates to list."""

    number: ShortText | None = None


class CertificateView(View):
    """A certificate; ``replaced_at`` is null while it is in force."""

    id: str
    number: str
    revision: int
    type: str
    heats: list[str]
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    replaced_at: datetime | None

    @classmethod
    def of(cls, certificate: Certificate) -> CertificateView:
        """The view of a certificate."""
        return cls(
            id=certificate.id,
            number=certificate.number,
            revision=certificate.revision,
            type=certificate.type,
            heats=certificate.heats,
            media_type=certificate.media_type,
            size=certificate.size,
            sha256=certificate.file_id,
            added_at=certificate.added_at,
            replaced_at=certificate.replaced_at,
        )


@routes.post("/v1/certificates")
@command(role="seller", accept=MEDIA_TYPES, max_bytes=MAX_BYTES, status=201)
def add_certificate(
    session: Session, caller: Caller, headers: Headers, params: AddCertificate, body: bytes
) -> CertificateView:
    """Attach the file of a certificate to its heats: PDF, JPEG or PNG, at most 10 MiB.

    The same number again replaces it. A PDF with text in it must name each heat.
    """
    certificate = commands.add_certificate(
        session,
        caller,
        number=params.number,
        type=params.type,
        heats=params.heats,
        media_type=headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        body=body,
    )
    return CertificateView.of(certificate)


@routes.get("/v1/certificates")
@query()
def list_certificates(session: Session, caller: Caller, params: ListCertificates) -> Page[CertificateView]:
    """The certificates of the caller's company, newest first, with those that were replaced."""
    found = queries.list_certificates(session, caller, params.number, params.cursor, params.limit)
    return found.map(CertificateView.of)


@routes.get("/v1/pieces/<piece_id>/certificate")
@query(gives=MEDIA_TYPES)
def see_certificate(session: Session, caller: Caller, piece_id: str) -> File:
    """The certificate of a piece as a file: for its owner, maker and warehouse, and the buyer who has paid for it."""
    certificate, body = queries.see_certificate(session, caller, piece_id)
    return File(certificate.media_type, f"{certificate.number}.{EXTENSIONS[certificate.media_type]}", body)
