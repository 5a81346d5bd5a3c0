"""The page that people see first: every route by service, made from the API description; no script and nothing from
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import DictLoader, Environment

_HUB = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Haihe</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b2a33; }
  h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem; text-transform: capitalize }
  table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #d6dee3; padding: .35rem .6rem; vertical-align: top }
  td:first-child { width: 4rem; font-weight: 600 } code { font: 13px ui-monospace, monospace }
  nav a { margin-right: 1.2rem } .who { color: #5a6c76; width: 16rem } a { color: #0b5d8a }
</style>
<h1>Haihe</h1>
<p>A trading platform for industrial goods: offers, deals, money and deliveries over one HTTP API, version {{ version }}.</p>
<nav><a href="/openapi.json">OpenAPI 3.1</a> <a href="/health">health</a> <a href="/ready">readiness</a>
<a href="/metrics">metrics</a> {% for name in services %}<a href="#{{ name }}">{{ name }}</a> {% endfor %}</nav>
<p>Get a token with <code>POST /v1/sessions</code> and send it as <code>Authorization: Bearer …</code>. A POST that makes or moves
something needs an <code>Idempotency-Key</code>. Every error is a problem document (RFC 9457).</p>
{% for name, routes in services.items() %}
<h2 id="{{ name }}">{{ name }}</h2>
<table>
{% for route in routes %}<tr><td>{{ route.method }}</td><td><code>{{ route.path }}</code></td>
<td>{{ route.summary }}</td><td class="who">{{ route.who }}</td></tr>
{% endfor %}</table>
{% endfor %}
</html>
"""
_pages = Environment(loader=DictLoader({"hub": _HUB}), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def render_hub(document: Mapping[str, Any]) -> str:
    """The docs hub as HTML, from the OpenAPI document."""
    services: dict[str, list[dict[str, str]]] = {}
    for route in _list_routes(document):
        services.setdefault(route["service"], []).append(route)
    return _pages.get_template("hub").render(services=services, version=document["info"]["version"])


def _list_routes(document: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            roles = ", ".join(described["x-roles"]) or "any caller"
            yield {
                "service": described["x-service"],
                "method": method.upper(),
                "path": path,
                "summary": described["summary"],
                "who": "public" if described["x-public"] else roles,
            }
