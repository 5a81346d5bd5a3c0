"""Puts services together with what they run on: settings, database, broker, keys."""

from __future__ import annotations

import contextlib
import importlib
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from chassis import settings
from chassis.brokers.opening import open_broker
from chassis.database import Database
from chassis.migrate import SERVICES
from chassis.service import Service
from chassis.settings import Settings
from chassis.worker import Context
from events.access import with_access
from events.schema import all_events
from infra.failures import Failure

SAMPLE = "_sample_"
Environ = Mapping[str, str] | None
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class SampleSecret(Failure):
    """A secret that everybody may know is used in earnest."""

    code = 12


def load_service(name: str) -> Service:
    """The service of that name, hearing also what it needs to check tokens by itself."""
    service: Service = importlib.import_module(f"services.{name}").SERVICE
    return replace(service, handlers=with_access(service.handlers))


def load_services() -> list[Service]:
    """Every service."""
    return [load_service(name) for name in SERVICES]


def list_topics() -> list[str]:
    """Every topic that something is told in, by a service's own events or by a stream, or that a service hears."""
    heard = {topic for service in load_services() for topic in (*service.topics, *service.streams)}
    return sorted(heard | {event.topic for event in all_events()})


def open_database(given: Settings, part: str) -> Database:
    """The database of a service for one part of it (web, worker, …): what PostgreSQL lists its sessions under."""
    if not given.database:
        raise settings.BadSetting(f"HAIHE_{given.service.upper()}_DATABASE is not set")
    return Database(given.database, pool_size=given.pool_size, application=f"{given.service}-{part}")


@contextlib.contextmanager
def open_service(name: str, environ: Environ = None, part: str = "haihe") -> Iterator[tuple[Service, Database]]:
    """A service and its database, for as long as the context lasts."""
    database = open_database(settings.read(name, environ), part)
    try:
        yield load_service(name), database
    finally:
        database.close()


def refuse_sample_secrets(given: Settings) -> None:
    """Raises SampleSecret when a secret of the demo is used outside of the data that the demo made."""
    if given.sample_data:
        return
    for name in ("stripe_key", "stripe_webhook_secret"):
        if SAMPLE in getattr(given, name):
            raise SampleSecret(
                f"HAIHE_{name.upper()} is a secret of the demo. Set your own; sample data alone may use it."
            )


def make_context(name: str, environ: Environ = None) -> Context:
    """What the worker's loops of a service need."""
    given = settings.read(name, environ)
    database = open_database(given, "worker")
    member = given.member or socket.gethostname()
    return Context(load_service(name), database, open_broker(given.broker), given, f"{name}@{member}")


def compose(by_place: Mapping[str, Wsgi], rest: Wsgi) -> Wsgi:
    """One application: a request goes to the owner of the noun after ``/v1/`` or of the prefix, everything else to ``rest``."""
    prefixes = [(place, app) for place, app in by_place.items() if place.startswith("/")]

    def dispatch(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/v1/"):
            app = by_place.get(path[4:].partition("/")[0], rest)
        else:
            app = next((app for prefix, app in prefixes if path == prefix or path.startswith(f"{prefix}/")), rest)
        return app(environ, start_response)

    return dispatch
