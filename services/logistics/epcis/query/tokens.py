"""``nextPageToken``: a signed cursor that carries all there is to know of the next page, so that no server remembers it.

It holds for the company that was given it, for the same question and for ten minutes.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from services.logistics.epcis.query.ordering import Cursor

LIFETIME = timedelta(minutes=10)
LONGEST = 4_000
_SIGNATURE_BYTES = 18


class BadToken(Exception):
    """The text is none of our tokens, or it is for another question, another caller or another time."""


class _Inside(msgspec.Struct, frozen=True, array_like=True):
    cursor: Cursor
    digest: str
    party_id: str
    expires_at: int


def write_token(cursor: Cursor, *, digest: str, party_id: str, expires_at: datetime, secret: bytes) -> str:
    """The token of the page behind a cursor."""
    body = msgspec.json.encode(_Inside(cursor, digest, party_id, int(expires_at.timestamp())))
    return base64.urlsafe_b64encode(_sign(body, secret) + body).decode().rstrip("=")


def read_token(token: str, *, digest: str, party_id: str, now: datetime, secret: bytes) -> Cursor:
    """The cursor of a token. Raises BadToken."""
    inside = _open(token, secret)
    if inside.digest != digest or inside.party_id != party_id:
        raise BadToken("belongs to another question")
    if inside.expires_at <= now.timestamp():
        raise BadToken("is past its time")
    return inside.cursor


def read_end(token: str, *, party_id: str, secret: bytes) -> datetime:
    """When a token of the company's ends. Raises BadToken."""
    inside = _open(token, secret)
    if inside.party_id != party_id:
        raise BadToken("belongs to another company")
    return datetime.fromtimestamp(inside.expires_at, UTC)


def digest_token(token: str) -> str:
    """What an ended token is remembered by."""
    return sha256(token.encode()).hexdigest()


def _open(token: str, secret: bytes) -> _Inside:
    try:
        raw = base64.b64decode(token[:LONGEST] + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _sign(body, secret)):
            raise BadToken("is none of ours")
        return msgspec.json.decode(body, type=_Inside)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadToken("is none of ours") from error


def _sign(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, body, "sha256")[:_SIGNATURE_BYTES]
