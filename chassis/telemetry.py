"""Who asked, in every log line and event: request id and W3C trace context, and JSON logs on standard error.

The ids live in a context variable: the edge sets them from the request's headers, the worker from an event's
envelope, and the outbox reads them, so that they run through the whole trade.
"""

from __future__ import annotations

import logging
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from itertools import count
from typing import Any

import msgspec
import structlog

from chassis import clock, tracing
from chassis.settings import BadSetting

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_well_formed_id = re.compile(r"[A-Za-z0-9_.:\-]{1,64}").fullmatch
_well_formed_trace = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


class Trace:
    """The ids of the request that is being answered, or of the one that led to the event that is being handled."""

    __slots__ = ("given", "request_id")

    def __init__(self, request_id: str | None, traceparent: str | None) -> None:
        self.request_id = request_id if request_id and _well_formed_id(request_id) else _new_request_id()
        self.given = traceparent if traceparent and _well_formed_trace(traceparent) else None

    @property
    def traceparent(self) -> str:
        """The trace context that was given, or one made up when it is first asked for."""
        if self.given is None:
            self.given = f"00-{random.getrandbits(128) | 1:032x}-{random.getrandbits(64) | 1:016x}-01"
        return self.given


current_trace: ContextVar[Trace | None] = ContextVar("haihe_trace", default=None)


_traces_by_subject: ContextVar[Mapping[str, Trace] | None] = ContextVar("haihe_traces_by_subject", default=None)


def trace_about(subject: str) -> Trace | None:
    """On whose request something happens to a subject: the current trace, or the one of the event about it in hand."""
    return current_trace.get() or (_traces_by_subject.get() or {}).get(subject)


def current_request_id() -> str | None:
    """The id of the request that this is done for, or None outside of any."""
    trace = current_trace.get()
    return trace.request_id if trace else None


def current_traceparent() -> str | None:
    """The W3C trace context of what is being done, or None outside of any."""
    trace = current_trace.get()
    return trace.traceparent if trace else None


@contextmanager
def continued(request_id: str | None, traceparent: str | None) -> Iterator[Trace]:
    """Within the block, logs and events carry these ids; an id that is missing or malformed is made up."""
    trace = Trace(request_id, traceparent)
    token = current_trace.set(trace)
    try:
        if tracing.is_tracing():
            with tracing.span("continue", trace.given) as trace.given:
                yield trace
        else:
            yield trace
    finally:
        current_trace.reset(token)


@contextmanager
def continued_together(asked: Mapping[str, tuple[str | None, str | None]]) -> Iterator[None]:
    """Within the block, events about each subject carry its request id and trace context; logs do when there is but one."""
    with ExitStack() as stack:
        traces = {subject: stack.enter_context(continued(*ids)) for subject, ids in asked.items()}
        of_all, of_each = current_trace.get() if len(traces) == 1 else None, _traces_by_subject.set(traces)
        token = current_trace.set(of_all)
        try:
            yield
        finally:
            current_trace.reset(token)
            _traces_by_subject.reset(of_each)


_prefix = ""
_counter = count()


def _start_numbering() -> None:
    global _prefix, _counter
    _prefix, _counter = f"{os.urandom(5).hex()}{os.getpid():x}-", count(1)


def _new_request_id() -> str:
    return f"{_prefix}{next(_counter):x}"


_start_numbering()
os.register_at_fork(after_in_child=_start_numbering)


_logs_requests = False


def log_request(trace: Trace, service: str, method: str, route: str, status: int, seconds: float) -> None:
    """One line for a command or a refusal, past the logging machinery, which costs more than most requests."""
    if _logs_requests:
        line = {
            "process": service,
            "event": "request",
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "timestamp": clock.now(),
            "request_id": trace.request_id,
            "traceparent": trace.traceparent,
        }
        with suppress(OSError):  # The request was answered, whether or not there is room for its line.
            os.write(2, msgspec.json.encode(line) + b"\n")


def _add_trace(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    if trace := current_trace.get():
        line["request_id"], line["traceparent"] = trace.request_id, trace.traceparent
    return line


def _write_line(line: dict[str, Any], **_: Any) -> str:
    return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logging(*, process: str, level: str = "INFO") -> None:
    """Send everything, the standard library's loggers too, to standard error as one JSON object a line. Raises BadSetting."""
    global _logs_requests
    if level not in LEVELS:
        raise BadSetting(f"HAIHE_LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}")
    _logs_requests = logging.getLevelNamesMapping()[level] <= logging.INFO
    shared = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        lambda _logger, _method, line: {"process": process, **line},
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_write_line),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
