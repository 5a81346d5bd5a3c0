"""What identity's routes take from their app and the request: the vault of its settings, and where the caller is."""

from __future__ import annotations

from flask import current_app, request

from services.identity.vault import Vault, open_vault


def vault_of_app() -> Vault:
    """The vault of the app that is answering. Raises BadSetting."""
    settings = current_app.extensions["settings"]
    return open_vault(settings.signing_key, settings.token_issuer)


def address_of_caller() -> str | None:
    """The address that the proxy in front saw the request come from; None where no proxy is trusted to say it."""
    header = current_app.extensions["settings"].address_header
    return request.headers.get(header, "").rpartition(",")[2].strip() or None if header else None
