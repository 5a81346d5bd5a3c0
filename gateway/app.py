"""The gateway's Flask app: docs hub, merged OpenAPI document, health, readiness and metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata

import msgspec
from flask import Flask, Response

from chassis.metrics import write_metrics
from chassis.openapi import write_document
from chassis.refusals import handle_flask_error
from chassis.service import Service
from gateway.pages import render_hub
from gateway.readiness import Readiness

STATIC = "default-src 'none'; style-src 'unsafe-inline'"


def make_gateway(services: Sequence[Service], look: Callable[[], list[Readiness]]) -> Flask:
    """The app; ``services`` are those whose routes it documents, ``look`` tells how they are now.

    ``/health`` says that this process answers, ``/ready`` (503 when not) that the services and each of their loops
    can work.
    """
    app = Flask("gateway", static_folder=None)
    app.register_error_handler(Exception, lambda error: handle_flask_error(app, error))
    describe = cache(lambda: write_document(services, version=metadata.version("haihe")))

    @app.get("/health")
    def tell_health() -> Response:
        return _json({"status": "ok"})

    @app.get("/ready")
    def tell_readiness() -> Response:
        found = look()
        ready = all(one.ready for one in found)
        return _json({"ready": ready, "services": found}, 200 if ready else 503)

    @app.get("/metrics")
    def tell_metrics() -> Response:
        page, media_type = write_metrics()
        return Response(page, content_type=media_type)

    if services:

        @app.get("/openapi.json")
        def tell_routes() -> Response:
            return _json(describe())

        @app.get("/")
        @app.get("/docs")
        def show_hub() -> Response:
            page = Response(render_hub(describe()), content_type="text/html; charset=utf-8")
            page.headers["Content-Security-Policy"] = STATIC
            return page

    return app


def _json(answer: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, content_type="application/json")
