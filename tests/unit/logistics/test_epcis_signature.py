"""Can a subscriber tell a push of ours from anybody else's?"""

from __future__ import annotations

import subprocess

from services.logistics.epcis.subscriptions.signature import is_signature, sign


def test_the_signature_is_that_of_rfc_4231() -> None:
    assert sign("Jefe", b"what do ya want for nothing?") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_it_is_what_openssl_makes() -> None:
    body = '{"type":"EPCISQueryDocument","name":"河"}'.encode()
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "secret token"], input=body, capture_output=True, check=True
    )
    assert sign("secret token", body) == "sha256=" + made.stdout.decode().split()[-1]


def test_another_secret_or_another_body_does_not_fit() -> None:
    value = sign("secret", b"body")
    assert is_signature("secret", b"body", value)
    assert not is_signature("secret", b"body ", value)
    assert not is_signature("Secret", b"body", value)
    assert not is_signature("secret", b"body", value.removeprefix("sha256="))
