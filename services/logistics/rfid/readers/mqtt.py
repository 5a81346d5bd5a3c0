"""The loop that takes what MQTT gateways publish: topics ``haihe/{gate}/{reader}/reads`` and ``…/heard``, QoS 1.

One worker holds the one lease and the one persistent session. A message is acknowledged to the MQTT broker only when the
platform's own broker has it, or when it can never be taken: so a break on either side brings it again, and what comes again
changes nothing. That a gateway publishes under its own topic only is the MQTT broker's part (its access list); that the topic is
one of a reader that is registered, at its gate, is looked at here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from prometheus_client import Counter
from sqlalchemy.orm import Session

from chassis import clock
from chassis.brokers import Message
from chassis.pace import UNPAUSED, USUAL, Pace
from chassis.problems import Problem, Unavailable
from chassis.settings import BadSetting
from chassis.wire import well_formed_id
from chassis.worker import Context
from services.logistics.rfid.readers import leases
from services.logistics.rfid.readers.bodies import MOST_BYTES, BatchInvalid, ReaderBatch, read_batch, unpack
from services.logistics.rfid.readers.commands import note_trouble
from services.logistics.rfid.readers.posting import Clocks, tell_posted
from services.logistics.rfid.readers.queries import find_publisher

CLIENT_ID = "haihe-logistics"
TOPICS = [("haihe/+/+/reads", 1), ("haihe/+/+/heard", 1)]
PORTS = {"mqtt": 1883, "mqtts": 8883}
MOST_MESSAGES = 200
"""Unacknowledged at a time: what is held in memory is bounded."""
MOST_PACKET_BYTES = MOST_BYTES + (1 << 16)
"""A message with its topic; the MQTT broker keeps larger ones from us."""
SESSION_S = 7 * 24 * 3600
KEEPALIVE_S, CONNECTING_S, WAIT_S = 10, 5.0, 0.1
GZIP = b"\x1f\x8b"
TAKEN = Counter("haihe_mqtt_messages", "Messages of MQTT readers that the stream took.")
REJECTED = Counter("haihe_mqtt_rejected", "Messages of MQTT readers that could not be taken.", ("why",))
log = structlog.get_logger(__name__)


class MqttDown(Unavailable):
    """The MQTT broker cannot be reached, or refuses the platform."""


class Rejected(msgspec.Struct, frozen=True):
    """A message that can never be taken: of which reader, as far as that is one, and why."""

    reader_id: str | None
    why: str
    error: str


class MqttLoop:
    """Holds the lease and the session, and takes messages in batches. One thread uses it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._url = read_url(context.settings.mqtt) if context.settings.mqtt else None
        self._client: Client | None = None
        self._clocks = Clocks()
        self._refusal = ""
        self._is_subscribed = self._is_held = False
        self._waiting: list[MQTTMessage] = []
        self._hold_at = 0.0

    @property
    def pace(self) -> Pace:
        """None while a step waits for messages itself."""
        return UNPAUSED if self._client is not None else USUAL

    def step(self) -> int:
        """Take what has come, waiting a tenth of a second for it. Raises MqttDown or BrokerDown."""
        if self._url is None or not self._hold():
            return 0
        client = self._client or self._connect(self._url)
        if self._waiting:
            self._take(client)
        while len(self._waiting) < MOST_MESSAGES:
            before = len(self._waiting)
            self._check(client.loop(0 if before else WAIT_S))
            if len(self._waiting) == before:
                break
        return self._take(client)

    def _hold(self) -> bool:
        now = time.monotonic()
        if now < self._hold_at:
            return self._is_held
        try:
            held = self.context.database.run(
                lambda session: leases.hold(session, self.context.member, leases.MQTT, now=clock.now())
            )
        except Exception:
            self._let_go()
            raise
        self._hold_at, self._is_held = now + leases.RENEW_S, held
        if not held:
            self._let_go()
        return held

    def _connect(self, url: SplitResult) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, CLIENT_ID, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
        client.username_pw_set(unquote(url.username or ""), unquote(url.password or ""))
        if url.scheme == "mqtts":
            client.tls_set()
        client.connect_timeout = CONNECTING_S
        client.on_connect, client.on_message = self._on_connect, lambda *told: self._waiting.append(told[2])
        client.on_subscribe = self._on_subscribe
        wishes = Properties(PacketTypes.CONNECT)
        wishes.SessionExpiryInterval, wishes.ReceiveMaximum = SESSION_S, MOST_MESSAGES
        wishes.MaximumPacketSize = MOST_PACKET_BYTES
        self._refusal, self._is_subscribed, self._waiting = "", False, []
        try:
            client.connect(
                url.hostname or "", url.port or PORTS[url.scheme], KEEPALIVE_S, clean_start=False, properties=wishes
            )
        except OSError as error:
            raise MqttDown(f"cannot connect to {url.hostname}: {error}") from None
        self._client = client
        return client

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = f"the MQTT broker refuses the platform: {reason}"
            return
        client.subscribe(TOPICS)

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, reasons: Iterable[Any], _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = "the MQTT broker does not let the platform subscribe"
        self._is_subscribed = not self._refusal

    def _check(self, outcome: MQTTErrorCode) -> None:
        """Raises MqttDown when the connection is gone: what was not acknowledged comes again on the next one."""
        if outcome is MQTTErrorCode.MQTT_ERR_SUCCESS and not self._refusal:
            return
        refusal = self._refusal or f"the connection to the MQTT broker is gone: {outcome!r}"
        self._let_go()
        raise MqttDown(refusal)

    def _take(self, client: Client) -> int:
        """Hand on what waits, put down what cannot be taken, then acknowledge. Raises BrokerDown: all of it waits on."""
        waiting = self._waiting
        if not waiting:
            return 0
        messages, rejected = self.context.database.look(lambda session: read_messages(session, waiting, self._clocks))
        if messages:
            self.context.broker.publish(messages)
        if rejected:
            self.context.database.run(lambda session: _note(session, rejected))
        self._waiting = []
        for one in waiting:
            client.ack(one.mid, one.qos)
        TAKEN.inc(len(waiting) - len(rejected))
        for one in rejected:
            REJECTED.labels(one.why).inc()
            log.warning("mqtt message rejected", reader=one.reader_id, why=one.why, error=one.error)
        return len(waiting)

    def is_listening(self) -> bool:
        """Whether it is connected and subscribed."""
        return self._client is not None and self._is_subscribed

    def _let_go(self) -> None:
        client, self._client, self._waiting, self._is_subscribed = self._client, None, [], False
        if client is not None:
            with suppress(OSError, ValueError):
                client.disconnect()

    def close(self) -> None:
        """Leave the session as it is, and let another worker take it over at once."""
        self._let_go()
        if self._is_held:
            with suppress(Problem):
                self.context.database.run(
                    lambda session: leases.release(session, self.context.member, [leases.MQTT], now=clock.now())
                )


def read_url(url: str) -> SplitResult:
    """The address of the MQTT broker. Raises BadSetting."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadSetting("HAIHE_MQTT must be mqtt://user:password@host:port or mqtts://…")
    return parts


def read_messages(
    session: Session, came: Iterable[MQTTMessage], clocks: Clocks
) -> tuple[list[Message], list[Rejected]]:
    """What came as messages of the stream, in order, and what can never be taken."""
    now, messages, rejected = clock.now(), [], []
    for one in came:
        told = _read_message(session, one)
        if isinstance(told, Rejected):
            rejected.append(told)
        else:
            gate_id, reader_id, batch = told
            messages += tell_posted(session, gate_id, reader_id, batch, now=now, clocks=clocks)
    return messages, rejected


def _read_message(session: Session, came: MQTTMessage) -> Rejected | tuple[str, str, ReaderBatch]:
    try:
        _, gate_id, reader_id, kind = came.topic.split("/")
    except ValueError:  # of so many levels, or of UTF-8 at all
        return Rejected(None, "topic", "the topic is not haihe/{gate}/{reader}/reads")
    if not (well_formed_id(gate_id) and well_formed_id(reader_id)):
        return Rejected(None, "topic", "the topic does not name a gate and a reader")
    if find_publisher(session, gate_id, reader_id) is None:
        return Rejected(None, "reader", f"no MQTT reader {reader_id} is registered at gate {gate_id}")
    try:
        return gate_id, reader_id, read_payload(bytes(came.payload), kind)
    except BatchInvalid as error:
        return Rejected(reader_id, "payload", f"{error.detail} at {error.members.get('field', '$')}")


def read_payload(payload: bytes, kind: str) -> ReaderBatch:
    """The batch of a message; one of ``heard`` may be empty. Raises BatchInvalid."""
    if kind == "heard" and not payload:
        return ReaderBatch(reads=[])
    return read_batch(unpack(payload, "gzip" if payload.startswith(GZIP) else ""))


def _note(session: Session, rejected: list[Rejected]) -> None:
    """Each reader once, in the order of their ids, with its last error and how many there were."""
    by_reader: dict[str, list[str]] = {}
    for one in rejected:
        if one.reader_id is not None:
            by_reader.setdefault(one.reader_id, []).append(one.error)
    for reader_id in sorted(by_reader):
        errors = by_reader[reader_id]
        note_trouble(session, reader_id, f"a message was rejected: {errors[-1]}", rejected=len(errors))
