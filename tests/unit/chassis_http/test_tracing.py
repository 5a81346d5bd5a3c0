"""Spans reach an OTLP receiver, with the parents that the trace contexts say."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

received = []

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            import gzip
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        received.extend(span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass

server = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()

from chassis import telemetry, tracing
tracing.start_tracing(endpoint=f"http://127.0.0.1:{server.server_port}", process="things-web")

from flask import Blueprint
from chassis.auth import Access, Verifier
from chassis.database import base
from chassis.http import View, make_app, query
from chassis.service import Service

routes = Blueprint("traced", __name__)

class Ids(View):
    traceparent: str

@routes.get("/v1/ids")
@query(public=True)
def show() -> Ids:
    with telemetry.continued("event", telemetry.current_traceparent()) as trace:
        return Ids(traceparent=trace.traceparent)

service = Service(name="things", base=base("things"), nouns=("ids",), blueprints=(routes,))
app = make_app(service, None, Verifier({}, lambda: Access({}, frozenset())))
given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
said = app.test_client().get("/v1/ids", headers={"traceparent": given}).json["traceparent"]
tracing.stop_tracing()
spans = {span.name: span for span in received}
outer, inner = spans["GET /v1/ids"], spans["continue"]
assert outer.trace_id.hex() == inner.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
assert outer.parent_span_id.hex() == "b7ad6b7169203331"
assert inner.parent_span_id == outer.span_id
assert said == f"00-{inner.trace_id.hex()}-{inner.span_id.hex()}-01", said
print("traced")
"""


def test_spans_are_children_of_who_asked() -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the tracing extra is not installed")
    environ = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environ)
    assert done.stdout.strip() == "traced", done.stderr
