"""Who is trusted to be a reader that is reached over TLS: who shows the certificate that was registered, or one that it signed."""

from __future__ import annotations

import ssl

from services.logistics.rfid.readers.model import ReaderInvalid


def make_trust(certificate: str) -> ssl.SSLContext:
    """A context that trusts nothing but a certificate, in PEM. Raises ReaderInvalid.

    Readers are reached by their addresses, which certificates of readers seldom name: it is the certificate that counts.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=certificate)
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise ReaderInvalid(f"this is no certificate in PEM: {error}", field="certificate") from None
    return context
