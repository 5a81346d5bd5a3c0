"""The only reader of the environment: every setting, its default and what it is for.

A setting ``database`` of service ``orders`` is ``HAIHE_ORDERS_DATABASE``; a secret may be given as a file instead
(``HAIHE_ORDERS_DATABASE_FILE``), which is how the compose stack does it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "HAIHE_"


class BadSetting(Exception):
    """A setting is missing or cannot be read; the message names it."""


def setting(sentence: str, default: Any = MISSING, *, secret: bool = False, each_service: bool = False) -> Any:
    """A field of Settings: its sentence is its row in ``docs/settings.md``."""
    return field(default=default, metadata={"sentence": sentence, "secret": secret, "each_service": each_service})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one service of one process is told from outside."""

    service: str = ""
    database: str = setting(
        "SQLAlchemy URL of the service's database for the application role.", "", secret=True, each_service=True
    )
    database_owner: str = setting("SQLAlchemy URL for the role that migrates.", "", secret=True, each_service=True)
    pool_size: int = setting("Database connections a process and service.", 8, each_service=True)
    poke: str = setting(
        "host:port (UDP) where the worker waits to be told that there is something to send.", "", each_service=True
    )
    broker: str = setting(
        "Where events go: kafka://host:port,… , a postgresql URL, or memory:.", "memory:", secret=True
    )
    search: str = setting("The search engine: tantivy:FOLDER or the URL of Elasticsearch.", "tantivy:")
    signing_key: str = setting("PEM of the first Ed25519 key that identity signs tokens with.", "", secret=True)
    verify_key: str = setting(
        "PEM of the first public key that tokens are checked with; the signing key's when it is not set.", ""
    )
    token_issuer: str = setting("The iss of tokens.", "haihe")
    stripe_url: str = setting("Base address of Stripe's API, or of a stand-in.", "https://api.stripe.com")
    stripe_key: str = setting("Secret key for Stripe's API; card payments are off without it.", "", secret=True)
    stripe_webhook_secret: str = setting("Secret that Stripe signs webhooks with.", "", secret=True)
    reconcile_hour: int = setting(
        "Hour of the day (UTC) at which card payments are reconciled with Stripe, 0 to 23.", 3
    )
    smtp: str = setting(
        "smtp://user:password@host:port for mail; without it mail is written to the mail folder.", "", secret=True
    )
    mail_folder: str = setting("Folder that mail is written to when there is no SMTP server.", "mail")
    mail_from: str = setting("Sender of mail.", "haihe@localhost")
    public_url: str = setting("The address that people reach the platform by.", "http://127.0.0.1:8080")
    address_header: str = setting(
        "Header by which a proxy in front tells the caller's address (its last entry counts), such as X-Forwarded-For; "
        "only where every request comes through that proxy. Without it tries to sign in are counted by user alone.",
        "",
    )
    scanner: str = setting(
        "Who looks for viruses in documents: clamd://host:port, or an HTTP address that takes the bytes and answers JSON "
        "with what it has `found`; without one documents are shown as unscanned.",
        "",
    )
    identity_url: str = setting(
        "Where the streams process takes tickets to: identity's web; the public address when it is not set.", ""
    )
    streams_url: str = setting(
        "Where streams are served when no proxy in front leads there; the web sends who asks it for one to that address.",
        "",
    )
    streams_connections: int = setting("Streams that one process of streams serves at a time.", 1_000)
    streams_connections_party: int = setting("Streams that a company may have open with one process of streams.", 50)
    streams_queue: int = setting("Messages that may wait for one listener before it is dropped as too slow.", 500)
    webhooks_private: bool = setting(
        "Whether webhooks may go to private, loopback and link-local addresses, and without TLS: for tests and intranets.",
        False,
    )
    mqtt: str = setting(
        "mqtt://user:password@host:port, or mqtts://, of the broker that readers publish to; without it none is heard.",
        "",
        secret=True,
    )
    reader_networks: str = setting(
        "Networks that LLRP readers may be in, with commas; a platform for many companies names those of the readers only.",
        "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8,fc00::/7,::1/128",
    )
    log_level: str = setting("DEBUG, INFO, WARNING or ERROR.", "INFO")
    otlp_endpoint: str = setting("Where traces are sent (OTLP over HTTP); none are made without it.", "")
    member: str = setting("Name of this worker in its consumer groups; made up when not set.", "")
    sample_data: bool = setting(
        "Whether sample users and secrets may be used: only `make run` and `haihe demo` say so.", False
    )


def read(service: str = "", environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of a service (or of a process without one) from the environment. Raises BadSetting."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {"service": service}
    for each in fields(Settings):
        if each.name == "service":
            continue
        names = [f"{PREFIX}{each.name.upper()}"]
        if each.metadata["each_service"] and service:
            names.insert(0, f"{PREFIX}{service.upper()}_{each.name.upper()}")
        for name in names:
            if (text := _text(name, environ)) is not None:
                values[each.name] = _convert(name, text, each.default)
                break
    return Settings(**values)


def _text(name: str, environ: Mapping[str, str]) -> str | None:
    if (value := environ.get(name)) is not None:
        return value
    if (path := environ.get(f"{name}_FILE")) is None:
        return None
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise BadSetting(f"{name}_FILE: cannot read {path}: {error.strerror}") from error


def _convert(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return text.strip().lower() in ("1", "true", "yes")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise BadSetting(f"{name} must be a whole number, not {text!r}") from None
    return text
