"""Publications over HTTP, and the public pages and link sets behind Digital Links."""

from __future__ import annotations

import io
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import segno
from flask import Blueprint, current_app
from msgspec import Meta
from sqlalchemy.orm import Session
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Dialect, File, Headers, Paging, Params, Reply, View, command, query
from chassis.values import LongText, ShortText
from chassis.wire import write_json
from services.logistics.epcis.digital_links import HOST
from services.logistics.publishing import commands, queries
from services.logistics.publishing.links import write_linkset
from services.logistics.publishing.model import Precision, Publication
from services.logistics.publishing.pages import POLICY, choose_language, write_page
from services.logistics.trace.naming import ThingName

PREFIX = "/dl"
KEPT_S = 300
"""So long may a page be kept by whoever passes it on; what is withdrawn is gone that much later."""
MOST_PATH = 200
HTML, LINKSET, JSON = "text/html", "application/linkset+json", "application/json"
routes = Blueprint("publications", __name__)
pages = Blueprint("pages", __name__, url_prefix=PREFIX)
pages.dialect = Dialect(prefix=PREFIX, gives=(HTML, LINKSET, JSON), is_id=lambda text: 0 < len(text) <= MOST_PATH)  # type: ignore[attr-defined]

Step = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.:/#\-]+(?![\s\S])")]
Link = Annotated[
    str,
    Meta(
        min_length=9, max_length=500, pattern=r"^https://[A-Za-z0-9.\-]+[^\s\u0000-\u0020\"'<>\\^`{|}\u007f]*(?![\s\S])"
    ),
]


class Wording(Body):
    """What a page says in one language."""

    title: ShortText
    text: LongText = ""


class Texts(Body):
    """The wording of a page in Chinese and English; one of them will do."""

    zh: Wording | None = None
    en: Wording | None = None


class DocumentTitles(Body):
    """What a document is called."""

    zh: ShortText | None = None
    en: ShortText | None = None


class ShownDocument(Body):
    """A document on the web; ``kind`` is a link type of GS1's vocabulary."""

    url: Link
    titles: DocumentTitles
    kind: Literal["certificationInfo", "pip", "instructions", "safetyInfo", "recipeInfo", "sustainabilityInfo"] = "pip"


class Publish(Body):
    """What everybody may see of a product, a lot, an item, a logistic unit or an asset: which business steps of the caller's
    own events, places how exactly, which words and documents.
    """

    id: ThingName
    steps: Annotated[list[Step], Meta(max_length=30)] = []
    precision: Precision = Precision.NONE
    texts: Texts
    documents: Annotated[list[ShownDocument], Meta(max_length=20)] = []


class PublicationView(View):
    """A publication; ``url`` is the address of its page, which the QR code carries."""

    id: str
    key: str
    state: str
    url: str
    steps: list[str]
    precision: str
    texts: dict[str, dict[str, str]]
    documents: list[dict[str, Any]]
    changed_at: datetime

    @classmethod
    def of(cls, one: Publication) -> PublicationView:
        return cls(
            id=one.id,
            key=one.key,
            state=one.state,
            url=_url(one),
            steps=one.steps,
            precision=one.precision,
            texts=one.texts,
            documents=one.documents,
            changed_at=one.changed_at,
        )


def _base() -> str:
    return current_app.extensions["settings"].public_url.rstrip("/")


def _url(publication: Publication) -> str:
    return f"{_base()}{PREFIX}{publication.key.removeprefix(HOST)}"


def _write_texts(texts: Texts) -> dict[str, dict[str, str]]:
    told = {"zh": texts.zh, "en": texts.en}
    return {name: {"title": one.title, "text": one.text} for name, one in told.items() if one is not None}


def _write_document(one: ShownDocument) -> dict[str, Any]:
    titles = {name: title for name, title in (("zh", one.titles.zh), ("en", one.titles.en)) if title}
    return {"url": one.url, "kind": one.kind, "titles": titles or {"en": one.kind}}


@routes.post("/v1/publications")
@command(role=("seller", "admin"))
def publish(session: Session, caller: Caller, body: Publish) -> PublicationView:
    """Show everybody what there is to know of a product, a lot or a thing that the caller's company has made."""
    publication = commands.publish(
        session,
        caller,
        name=body.id,
        steps=body.steps,
        precision=body.precision,
        texts=_write_texts(body.texts),
        documents=[_write_document(one) for one in body.documents],
    )
    return PublicationView.of(publication)


@routes.get("/v1/publications")
@query()
def list_publications(session: Session, caller: Caller, params: Paging) -> Page[PublicationView]:
    """The publications of the caller's company, newest first."""
    return queries.list_publications(session, caller, params.cursor, params.limit).map(PublicationView.of)


@routes.get("/v1/publications/<publication_id>")
@query()
def show_publication(session: Session, caller: Caller, publication_id: str) -> PublicationView:
    """One publication."""
    return PublicationView.of(queries.see_publication(session, publication_id, caller))


@routes.post("/v1/publications/<publication_id>/withdraw")
@command(role=("seller", "admin", "operator"))
def withdraw(session: Session, caller: Caller, publication_id: str) -> PublicationView:
    """Take a page off the web."""
    return PublicationView.of(commands.move_publication(session, caller, publication_id, "withdraw"))


@routes.post("/v1/publications/<publication_id>/show")
@command(role=("seller", "admin"))
def show_again(session: Session, caller: Caller, publication_id: str) -> PublicationView:
    """Show a page again as it was."""
    return PublicationView.of(commands.move_publication(session, caller, publication_id, "show"))


@routes.get("/v1/publications/<publication_id>/qr")
@query(gives=("image/svg+xml",))
def draw_code(session: Session, caller: Caller, publication_id: str) -> File:
    """The QR code of the page's address as SVG, at error correction level M, with its quiet zone (ISO/IEC 18004)."""
    url = _url(queries.see_publication(session, publication_id, caller))
    drawn = io.BytesIO()
    segno.make_qr(url, error="m").save(drawn, kind="svg", scale=8, border=4, title=url, xmldecl=False)
    return File("image/svg+xml", "qr.svg", drawn.getvalue())


class AskPage(Params):
    """The language of the page; what else GS1 resolvers are asked is understood and makes no difference here."""

    lang: Literal["zh", "en"] | None = None
    linkType: ShortText | None = None  # noqa: N815 - as GS1 names it
    context: ShortText | None = None


@pages.get("/<path:name>")
@query(public=True)
def show_page(session: Session, headers: Headers, params: AskPage, name: str) -> Reply:
    """What the maker publishes of the thing in a GS1 Digital Link: a page for people, a link set for machines."""
    shown = queries.show_page(session, name, _base())
    wanted = parse_accept_header(headers.get("Accept", ""), MIMEAccept).best_match((HTML, LINKSET, JSON), HTML)
    if wanted == HTML:
        body = write_page(shown, params.lang or choose_language(headers.get("Accept-Language", ""), shown.texts))
    else:
        body = write_json(write_linkset(shown.anchor, shown.title("en"), shown.documents, sorted(shown.texts)))
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    told = [
        ("Content-Type", f"{HTML}; charset=utf-8" if wanted == HTML else wanted),
        ("Cache-Control", f"public, max-age={KEPT_S}"),
        ("ETag", tag),
        ("Vary", "Accept, Accept-Language"),
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Access-Control-Allow-Origin", "*"),
    ]
    if tag in headers.get("If-None-Match", ""):  # one of several, or weak where it was compressed on the way
        return Reply(304, told[1:], b"")
    return Reply(200, told, body)
