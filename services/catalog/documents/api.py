"""Documents and pictures over HTTP: of products, of their lots, and of single pieces."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import File, Headers, Instant, Paging, Params, View, command, query
from chassis.values import ShortText
from services.catalog.documents import commands, showing
from services.catalog.documents.commands import OTHER, Statement
from services.catalog.documents.files import (
    ALL_TYPES,
    DOCUMENT_TYPES,
    EXTENSIONS,
    MAX_BYTES,
    MAX_VIDEO_BYTES,
    MEDIA_TYPES,
)
from services.catalog.documents.model import Document, Subject, Use
from services.catalog.documents.showing import Filed
from services.catalog.markets.words import Name

routes = Blueprint("documents", __name__)

Language = Literal["zh", "en"]
Role = Literal["picture", "drawing", "video"]


class AddDocument(Params):
    """Which document the file in the body is: ``rule`` is the market's name for it, if the market asks for it.

    One with the same ``number`` replaces what is there; ``type`` is one of the market's, where it has a list of them.
    """

    rule: Name = OTHER
    number: ShortText | None = None
    type: ShortText | None = None
    languages: Annotated[list[Language], Meta(max_length=2)] = []
    issued_on: date | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    name: ShortText | None = None


class AddMedia(Params):
    """What the picture or the film in the body shows; one with the same ``number`` replaces what is there."""

    role: Role = "picture"
    number: ShortText | None = None
    name: ShortText | None = None


class DocumentView(View):
    """A document or a picture; ``replaced_at`` is null while it is in force.

    ``scan`` says what a scanner for viruses has found in the file: unscanned, clean, or bad; a bad one is given to nobody.
    """

    id: str
    subject: str
    subject_id: str
    use: str
    rule: str
    number: str
    revision: int
    type: str | None
    languages: list[str]
    issued_on: date | None
    valid_from: datetime | None
    valid_until: datetime | None
    name: str
    media_type: str
    size: int
    sha256: str
    scan: str
    added_at: datetime
    replaced_at: datetime | None

    @classmethod
    def of(cls, filed: Filed) -> DocumentView:
        """The view of a document."""
        document, scan = filed
        return cls(
            id=document.id,
            subject=document.subject,
            subject_id=document.subject_id,
            use=document.use,
            rule=document.rule,
            number=document.number,
            revision=document.revision,
            type=document.type,
            languages=document.languages,
            issued_on=document.issued_on,
            valid_from=document.valid_from,
            valid_until=document.valid_until,
            name=document.name,
            media_type=document.media_type,
            size=document.size,
            sha256=document.file_id,
            scan=scan,
            added_at=document.added_at,
            replaced_at=document.replaced_at,
        )


@routes.post("/v1/products/<product_id>/documents")
@command(role="seller", accept=DOCUMENT_TYPES, max_bytes=MAX_BYTES, status=201)
def add_product_document(
    session: Session, caller: Caller, product_id: str, headers: Headers, params: AddDocument, body: bytes
) -> DocumentView:
    """Add a document to a product of the caller's company: PDF, JPEG, PNG or WebP, at most 10 MiB."""
    return _add(session, caller, "product", product_id, headers, params, body)


@routes.post("/v1/lots/<lot_id>/documents")
@command(role="seller", accept=DOCUMENT_TYPES, max_bytes=MAX_BYTES, status=201)
def add_lot_document(
    session: Session, caller: Caller, lot_id: str, headers: Headers, params: AddDocument, body: bytes
) -> DocumentView:
    """Add a document to a lot of a product of the caller's company: PDF, JPEG, PNG or WebP, at most 10 MiB."""
    return _add(session, caller, "lot", lot_id, headers, params, body)


@routes.post("/v1/pieces/<piece_id>/documents")
@command(role="seller", accept=DOCUMENT_TYPES, max_bytes=MAX_BYTES, status=201)
def add_piece_document(
    session: Session, caller: Caller, piece_id: str, headers: Headers, params: AddDocument, body: bytes
) -> DocumentView:
    """Add a document to a piece that the caller's company owns: PDF, JPEG, PNG or WebP, at most 10 MiB."""
    return _add(session, caller, "piece", piece_id, headers, params, body)


@routes.post("/v1/products/<product_id>/media")
@command(role="seller", accept=MEDIA_TYPES, max_bytes=MAX_VIDEO_BYTES, status=201)
def add_media(
    session: Session, caller: Caller, product_id: str, headers: Headers, params: AddMedia, body: bytes
) -> DocumentView:
    """Add a picture (JPEG, PNG or WebP, at most 10 MiB) or a film (MP4, at most 15 MiB) to a product of the caller's."""
    said = Statement(rule=params.role, number=params.number, name=params.name)
    added = commands.add_document(
        session, caller, "product", product_id, said, use="media", media_type=_media_type(headers), body=body
    )
    return _view(session, caller, added)


@routes.get("/v1/products/<product_id>/documents")
@query(shared=True)
def list_product_documents(session: Session, caller: Caller, product_id: str, params: Paging) -> Page[DocumentView]:
    """The documents of a product that the caller may see, newest first."""
    return _list(session, caller, "product", product_id, "document", params)


@routes.get("/v1/products/<product_id>/media")
@query(shared=True)
def list_media(session: Session, caller: Caller, product_id: str, params: Paging) -> Page[DocumentView]:
    """The pictures and films of a product that the caller may see, newest first."""
    return _list(session, caller, "product", product_id, "media", params)


@routes.get("/v1/lots/<lot_id>/documents")
@query(shared=True)
def list_lot_documents(session: Session, caller: Caller, lot_id: str, params: Paging) -> Page[DocumentView]:
    """The documents of a lot that the caller may see, newest first."""
    return _list(session, caller, "lot", lot_id, "document", params)


@routes.get("/v1/pieces/<piece_id>/documents")
@query()
def list_piece_documents(session: Session, caller: Caller, piece_id: str, params: Paging) -> Page[DocumentView]:
    """The documents of a piece that the caller's company owns, made or keeps, newest first."""
    return _list(session, caller, "piece", piece_id, "document", params)


@routes.get("/v1/documents/<document_id>")
@query(shared=True)
def see_document(session: Session, caller: Caller, document_id: str) -> DocumentView:
    """A document or a picture of something that the caller may see."""
    return DocumentView.of(showing.see_document(session, caller, document_id))


@routes.get("/v1/documents/<document_id>/file")
@query(shared=True, gives=ALL_TYPES)
def see_file(session: Session, caller: Caller, document_id: str) -> File:
    """The file of a document or a picture of something that the caller may see; never one that a scanner found bad."""
    document, body = showing.see_file(session, caller, document_id)
    return File(document.media_type, f"{document.name}.{EXTENSIONS[document.media_type]}", body)


@routes.post("/v1/documents/<document_id>/withdraw")
@command(role="seller")
def withdraw_document(session: Session, caller: Caller, document_id: str) -> DocumentView:
    """Take back a document that the caller's company has added."""
    return _view(session, caller, commands.withdraw_document(session, caller, document_id))


def _add(
    session: Session, caller: Caller, subject: Subject, id: str, headers: Headers, params: AddDocument, body: bytes
) -> DocumentView:
    said = Statement(
        rule=params.rule,
        number=params.number,
        type=params.type,
        languages=list(params.languages),
        issued_on=params.issued_on,
        valid_from=params.valid_from,
        valid_until=params.valid_until,
        name=params.name,
    )
    added = commands.add_document(
        session, caller, subject, id, said, use="document", media_type=_media_type(headers), body=body
    )
    return _view(session, caller, added)


def _list(session: Session, caller: Caller, subject: Subject, id: str, use: Use, params: Paging) -> Page[DocumentView]:
    found = showing.list_documents(session, caller, subject, id, use=use, cursor=params.cursor, limit=params.limit)
    return found.map(DocumentView.of)


def _view(session: Session, caller: Caller, document: Document) -> DocumentView:
    return DocumentView.of(showing.see_document(session, caller, document.id))


def _media_type(headers: Headers) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()
