"""What identity derives from its one secret, the first signing key: names that cannot be guessed, and sealed private
keys.

Refresh tokens and one-time tokens are a row's id and an HMAC over it, so that no database ever holds what lets
somebody in.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chassis.access import write_key
from chassis.settings import BadSetting

_NONCE_BYTES = 12


class Vault:
    """Keys of our own, one a purpose, derived by HKDF-SHA-256 (RFC 5869); ``issuer`` is the iss of our tokens."""

    def __init__(self, first_key: Ed25519PrivateKey, issuer: str) -> None:
        self.first_key = first_key
        self.issuer = issuer
        self._naming = _derive(first_key, b"haihe identity tokens")
        self._sealing = AESGCM(_derive(first_key, b"haihe identity private keys"))

    def name(self, purpose: str, *parts: str) -> str:
        """The part of a token that only we can make: HMAC-SHA-256 in base64url, 43 characters."""
        text = "\n".join((purpose, *parts))
        return write_key(hmac.digest(self._naming, text.encode(), hashlib.sha256))

    def is_name(self, given: str, purpose: str, *parts: str) -> bool:
        """Whether we made it; takes the same time either way."""
        return hmac.compare_digest(given.encode(), self.name(purpose, *parts).encode())

    def seal(self, private_key: Ed25519PrivateKey) -> bytes:
        """A private key as it may lie in a database: nonce and AES-256-GCM."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, private_key.private_bytes_raw(), None)

    def open(self, sealed: bytes) -> Ed25519PrivateKey:
        """The private key again. Raises BadSetting when it was sealed under another first key."""
        try:
            raw = self._sealing.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag:
            raise BadSetting("HAIHE_SIGNING_KEY is not the key that identity's keys were sealed under") from None
        return Ed25519PrivateKey.from_private_bytes(raw)


def _derive(key: Ed25519PrivateKey, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=purpose).derive(key.private_bytes_raw())


@lru_cache(4)
def open_vault(signing_key: str, issuer: str) -> Vault:
    """The vault of a first signing key, given as PEM, and of whoever issues its tokens. Raises BadSetting."""
    try:
        key = serialization.load_pem_private_key(signing_key.encode(), password=None)
    except ValueError as error:
        raise BadSetting(f"HAIHE_SIGNING_KEY is no PEM of an Ed25519 key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSetting("HAIHE_SIGNING_KEY is a key of another kind than Ed25519")
    return Vault(key, issuer)
