"""Agreements over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, File, View, command, query
from services.orders.contracts import queries
from services.orders.contracts.documents import write_document
from services.orders.contracts.model import Agreement, State
from services.orders.deals.commands import sign_agreement

routes = Blueprint("agreements", __name__)
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}(?![\s\S])")]


class SignAgreement(Body):
    """The SHA-256 of the text that was read, in hex."""

    sha256: Sha256


class AgreementView(View):
    """The agreement of a deal: ``body`` is the very text whose UTF-8 bytes have the SHA-256."""

    deal_id: str
    state: State
    sha256: str
    body: str
    drawn_at: datetime
    buyer_signed_by: str | None
    buyer_signed_at: datetime | None
    seller_signed_by: str | None
    seller_signed_at: datetime | None

    @classmethod
    def of(cls, agreement: Agreement) -> AgreementView:
        own = {name: getattr(agreement, name) for name in cls.__struct_fields__ if name != "deal_id"}
        return cls(deal_id=agreement.id, **own)


@routes.get("/v1/agreements/<deal_id>")
@query()
def show_agreement(session: Session, caller: Caller, deal_id: str) -> AgreementView:
    """The agreement of a deal, from the moment the deal is effective."""
    return AgreementView.of(queries.find_agreement(session, caller, deal_id))


@routes.get("/v1/agreements/<deal_id>/document")
@query(gives=("application/pdf",))
def show_document(session: Session, caller: Caller, deal_id: str) -> File:
    """The agreement in Chinese and English as a PDF, with the SHA-256 of the text that is signed."""
    return write_document(queries.find_agreement(session, caller, deal_id))


@routes.post("/v1/agreements/<deal_id>/sign")
@command(role="signatory")
def sign(session: Session, caller: Caller, deal_id: str, body: SignAgreement) -> AgreementView:
    """Sign for your company; with the second signature the buyer is asked to pay."""
    return AgreementView.of(sign_agreement(session, caller, deal_id, body.sha256))
