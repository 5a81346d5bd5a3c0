"""The WSGI applications that gunicorn serves: one service, the gateway, or all of them in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask

from chassis import settings
from chassis.access import make_verifier
from chassis.brokers.opening import open_broker
from chassis.http import make_app
from chassis.telemetry import configure_logging
from chassis.tracing import start_tracing
from chassis.worker import make_poke
from gateway.app import make_gateway
from gateway.readiness import Readiness, look_at
from gateway.streams.pointing import point_to_streams
from gateway.upstreams import ask_services
from infra.assembly import Wsgi, compose, load_service, load_services, open_database


def service(name: str) -> Wsgi:
    """One service, with its own health, readiness and metrics."""
    _prepare(f"{name}-web")
    app, look = _make(name)
    rest = make_gateway([load_service(name)], lambda: [look()])
    return compose(dict.fromkeys(load_service(name).places, app), rest)


def gateway(upstreams: Mapping[str, str]) -> Wsgi:
    """The pages and summaries over services that run elsewhere: ``upstreams`` are their web addresses by name."""
    _prepare("gateway")
    return make_gateway(load_services(), lambda: ask_services(upstreams))


def platform() -> Wsgi:
    """Every service and the gateway in this process; streams are elsewhere, and whoever asks for one is told where."""
    _prepare("web")
    streams_url = settings.read().streams_url.rstrip("/")
    services = load_services()
    by_place: dict[str, Wsgi] = {}
    looks = []
    for one in services:
        app, look = _make(one.name)
        by_place.update(dict.fromkeys(one.places, app))
        looks.append(look)
    if not streams_url:
        return compose(by_place, make_gateway(services, lambda: [look() for look in looks]))
    rest = make_gateway(services, lambda: [*(look() for look in looks), *ask_services({"streams": streams_url})])
    return point_to_streams(compose(by_place, rest), streams_url)


def _make(name: str) -> tuple[Flask, Callable[[], Readiness]]:
    given = settings.read(name)
    database = open_database(given, "web")
    app = make_app(
        load_service(name),
        database,
        make_verifier(database, given),
        make_poke(given.poke),
        broker=open_broker(given.broker),
        settings=given,
    )
    return app, lambda: look_at(name, database)


def _prepare(process: str) -> None:
    given = settings.read()
    configure_logging(process=process, level=given.log_level)
    if given.otlp_endpoint:
        start_tracing(endpoint=given.otlp_endpoint, process=process)
