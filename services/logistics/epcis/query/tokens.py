"""``nextPageToken``: a sealed cursor that carries all there is to know of the next page, so that no server remembers it.

It holds for the company that was given it, for the same question and for ten minutes. It is encrypted: where an event stands
among those of all companies tells how many others have captured.
"""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.logistics.epcis.query.ordering import Cursor

LIFETIME = timedelta(minutes=10)
LONGEST = 4_000
_NONCE_BYTES = 12


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
    nonce = os.urandom(_NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + _cipher(secret).encrypt(nonce, body, None)).decode().rstrip("=")


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
        nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        return msgspec.json.decode(_cipher(secret).decrypt(nonce, sealed, None), type=_Inside)
    except (ValueError, InvalidTag, msgspec.MsgspecError) as error:
        raise BadToken("is none of ours") from error


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(sha256(secret).digest())
