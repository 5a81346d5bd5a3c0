"""How a subscriber knows that a push is from us: ``GS1-Signature``, HMAC-SHA-256 of the body under his own secret. Pure."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "GS1-Signature"


def sign(secret: str, body: bytes) -> str:
    """The header's value: ``sha256=`` and 64 hex digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signature(secret: str, body: bytes, value: str) -> bool:
    """Whether a value is that of a body; takes the same time either way."""
    return hmac.compare_digest(sign(secret, body), value)
