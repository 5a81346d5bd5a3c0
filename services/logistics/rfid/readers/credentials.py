"""Passwords of MQTT readers: made here, shown once, kept as Mosquitto keeps them (``$7$iterations$salt$hash``, PBKDF2-SHA512)."""

from __future__ import annotations

import base64
import hashlib
import secrets

ITERATIONS = 101
"""Mosquitto's own number; the secret has 256 random bits and needs no slow hash."""
SALT_BYTES, SECRET_BYTES = 12, 32


def make_password() -> str:
    """A fresh password of 43 characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_password(password: str, salt: bytes | None = None) -> str:
    """What stands behind the name in Mosquitto's password file."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"
