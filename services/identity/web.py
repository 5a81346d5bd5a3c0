"""What identity's routes take from their app: the vault of its settings."""

from __future__ import annotations

from flask import current_app

from services.identity.vault import Vault, open_vault


def vault_of_app() -> Vault:
    """The vault of the app that is answering. Raises BadSetting."""
    settings = current_app.extensions["settings"]
    return open_vault(settings.signing_key, settings.token_issuer)
