"""OpenTelemetry spans, only when an OTLP endpoint is configured: one a request and one an event, psycopg's own below
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_tracer: Any = None


def start_tracing(*, endpoint: str, process: str) -> None:
    """Send spans to an OTLP/HTTP endpoint (``http://host:4318``). Call after fork and before apps are made.

    Raises ImportError when the packages of the ``tracing`` extra are not installed.
    """
    global _tracer
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": process}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    PsycopgInstrumentor().instrument(tracer_provider=provider)
    _tracer = provider.get_tracer("haihe")


def stop_tracing() -> None:
    """Send what is left and make no more spans."""
    global _tracer
    if _tracer is None:
        return
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

    PsycopgInstrumentor().uninstrument()
    _tracer.span_processor.shutdown()
    _tracer = None


def is_tracing() -> bool:
    """Whether spans are made."""
    return _tracer is not None


@contextmanager
def span(name: str, parent: str | None) -> Iterator[str]:
    """A span below a W3C trace context (a trace of its own without one); its own context is what is handed on."""
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    context = propagator.extract({"traceparent": parent} if parent else {})
    with _tracer.start_as_current_span(name, context=context) as begun:
        carrier: dict[str, str] = {}
        propagator.inject(carrier, trace.set_span_in_context(begun))
        yield carrier["traceparent"]
