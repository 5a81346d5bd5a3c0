"""The same small answer twice: a route of the chassis without token and database, and bare Flask."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Flask, Response

from chassis import database
from chassis.auth import PUBLIC
from chassis.http import View, make_app, query
from chassis.service import Service
from infra.assembly import Wsgi, compose

PATH = "/v1/units/TNE"
routes = Blueprint("units", __name__)


class UnitView(View):
    """A unit of measure."""

    code: str
    dimension: str
    name: str


def _unit_of(code: str) -> UnitView:
    return UnitView(code=code, dimension="mass", name="tonne")


@routes.get("/v1/units/<code>")
@query(public=True)
def show_unit(code: str) -> UnitView:
    """One unit."""
    return _unit_of(code)


class _Nobody:
    """Who checks tokens where no route needs one."""

    def caller(self, authorization: str | None) -> Any:
        return PUBLIC


def chassis_app() -> Wsgi:
    """The route as the platform serves it: behind the table of nouns, with ids, metrics and problems."""
    service = Service(name="bench", base=database.base("bench"), nouns=("units",), blueprints=(routes,))
    app = make_app(service, None, _Nobody())
    return compose({"units": app}, app)


def flask_app() -> Flask:
    """What remains when Haihe is taken away."""
    app = Flask("bare", static_folder=None)

    @app.get("/v1/units/<code>")
    def show(code: str) -> Response:
        return Response(msgspec.json.encode(_unit_of(code)), content_type="application/json")

    return app
