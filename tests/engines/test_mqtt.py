"""Readers over MQTT, by a real Mosquitto with the platform's own access list: redelivery, restarts, and what is refused.

HAIHE_TEST_MOSQUITTO is the program; without it these tests are skipped, or fail when HAIHE_REQUIRE_ENGINES=1.
"""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from chassis import clock
from chassis.brokers import BrokerDown, Message
from chassis.database import Database
from chassis.problems import Problem
from chassis.settings import Settings
from chassis.values import read_wire
from chassis.worker import Context
from events.logistics import ReaderHeard, TagsRead
from services.logistics import SERVICE
from services.logistics.rfid.readers.credentials import hash_password
from services.logistics.rfid.readers.mqtt import MqttDown, MqttLoop
from tests.services.logistics.conftest import BEGINNING, Stand, databases, open_stand, tag

__all__ = ["databases"]
FILES = Path(__file__).parents[2] / "infra" / "mosquitto"
PATIENCE_S = 30.0


@pytest.fixture(scope="session")
def program() -> str:
    path = os.environ.get("HAIHE_TEST_MOSQUITTO")
    if path == "none":
        pytest.skip("this machine has no Mosquitto and cannot fetch one")
    if not path and os.environ.get("HAIHE_REQUIRE_ENGINES") == "1":
        pytest.fail("HAIHE_REQUIRE_ENGINES=1, but HAIHE_TEST_MOSQUITTO (the program) is not set: see .ci/mosquitto")
    if not path:
        pytest.skip("no Mosquitto: set HAIHE_TEST_MOSQUITTO to the program, which .ci/mosquitto finds or fetches")
    return path


class Mosquitto:
    """A Mosquitto with the configuration of the compose stack, in a folder of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder, self.users = program, folder, {"haihe": hash_password("secret")}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "data").mkdir()
        conf = (FILES / "mosquitto.conf").read_text().replace("listener 1883", f"listener {self.port} 127.0.0.1")
        conf = conf.replace("/mosquitto/passwords/passwords", str(folder / "passwords"))
        conf = conf.replace("/mosquitto/config/acl", str(FILES / "acl")).replace(
            "/mosquitto/data", str(folder / "data")
        )
        (folder / "conf").write_text(conf + "user root\n" if os.geteuid() == 0 else conf)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://haihe:secret@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (self.folder / "passwords").write_text("".join(f"{name}:{told}\n" for name, told in self.users.items()))
        (self.folder / "passwords").chmod(0o600)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([self.program, "-c", str(self.folder / "conf")], stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, (self.folder / "log").read_text()

    def stop(self) -> None:
        """Stop it as its supervisor would."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None


class Gateway:
    """A gateway at an MQTT broker, that waits for each acknowledgement."""

    def __init__(self, broker: Mosquitto, reader_id: str, password: str) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, f"gateway-{reader_id}", clean_session=False)
        self.client.username_pw_set(reader_id, password)
        self.refusals: list[Any] = []
        self.client.on_connect = lambda *told: self.refusals.append(told[3]) if told[3].is_failure else None
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, and wait for the broker's word."""
        told = self.client.publish(topic, payload, qos=1)
        told.wait_for_publish(PATIENCE_S)
        assert told.is_published()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Shaky:
    """The platform's broker, and how it is lost and found again."""

    def __init__(self, broker: Any) -> None:
        self.broker, self.is_down, self.published = broker, False, 0

    def publish(self, messages: list[Message]) -> None:
        if self.is_down:
            raise BrokerDown("lost")
        self.published += 1
        self.broker.publish(messages)


@pytest.fixture
def stand(databases: tuple[Database, Database]) -> Stand:
    return open_stand(databases, clock.FrozenClock(BEGINNING))


@pytest.fixture
def mosquitto(program: str, tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(program, tmp_path)
    yield broker
    broker.stop()


def register(stand: Stand, mosquitto: Mosquitto, gate: dict[str, Any], name: str = "east") -> dict[str, Any]:
    """An MQTT reader, whose password Mosquitto knows from its next start."""
    reader = stand.send("POST", f"/v1/gates/{gate['id']}/readers", {"name": name, "kind": "mqtt"}).ok()
    ((kept,),) = stand.rows(f"SELECT password_hash FROM reader WHERE id = '{reader['id']}'")
    mosquitto.users[reader["id"]] = kept
    return reader


def topic_of(reader: dict[str, Any], kind: str = "reads") -> str:
    return f"haihe/{reader['gate_id']}/{reader['id']}/{kind}"


def make_loop(stand: Stand, mosquitto: Mosquitto, broker: Any = None, member: str = "one") -> MqttLoop:
    settings = Settings(service="logistics", mqtt=mosquitto.url)
    return MqttLoop(Context(SERVICE, stand.database, broker or stand.broker, settings, member))


def until(is_so: Callable[[], Any], *loops: MqttLoop) -> None:
    """Let loops work until something is so; what they raise they are asked again."""
    end, failures = time.monotonic() + PATIENCE_S, []
    while not is_so():
        assert time.monotonic() < end, failures[-3:]
        for loop in loops:
            try:
                loop.step()
            except Problem as error:
                failures.append(error)


class Stream:
    """The sequences of the reads in the stream, read on and on, and the readers that were heard."""

    def __init__(self, stand: Stand) -> None:
        self._subscription = stand.broker.subscribe("looking-in", [TagsRead.topic], "test")
        self.sequences: list[int] = []
        self.heard: list[str] = []

    def look(self) -> Stream:
        for one in iter(lambda: self._subscription.poll(1, 0), []):
            if one[0].headers["ce_type"] == ReaderHeard.type:
                self.heard.append(msgspec.json.decode(one[0].value, type=ReaderHeard).reader_id)
            else:
                told = msgspec.json.decode(one[0].value, type=TagsRead, dec_hook=read_wire)
                self.sequences += [read.sequence for read in told.reads]
        return self


def batch(*sequences: int) -> bytes:
    at = clock.now().isoformat()
    read = {"epc": tag(1), "antenna": 1, "rssi_dbm": -50, "at": at}
    return msgspec.json.encode({"reads": [{**read, "sequence": number} for number in sequences], "sent_at": at})


def test_what_a_gateway_publishes_comes_into_the_stream(stand: Stand, mosquitto: Mosquitto) -> None:
    reader = register(stand, mosquitto, gate := stand.make_gate())
    mosquitto.start()
    stream = Stream(stand)
    path = f"/v1/gates/{gate['id']}/readers/{reader['id']}/test"
    with (
        closing(make_loop(stand, mosquitto)) as loop,
        closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway,
    ):
        until(loop.is_listening, loop)
        gateway.publish(topic_of(reader), batch(1, 2))
        gateway.publish(topic_of(reader), gzip.compress(batch(3)))
        gateway.publish(topic_of(reader, "heard"), b"")
        until(lambda: stream.look().sequences == [1, 2, 3] and len(stream.heard) == 3, loop)
        checks = {one["name"]: one["is_well"] for one in stand.get(path, party="warehouse").ok()["checks"]}
    assert checks == {"listener": True, "heard": False, "clock": True}
    assert set(stream.heard) == {reader["id"]}


def test_nothing_is_acknowledged_before_the_platform_has_it(stand: Stand, mosquitto: Mosquitto) -> None:
    """The platform's broker is away, then the worker dies: what it held comes again to the next one, and once taken no more."""
    reader = register(stand, mosquitto, stand.make_gate())
    mosquitto.start()
    stream, broker = Stream(stand), Shaky(stand.broker)
    first = make_loop(stand, mosquitto, broker, "first")
    until(first.is_listening, first)
    broker.is_down = True
    with closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway:
        for number in range(1, 6):
            gateway.publish(topic_of(reader), batch(number))
        until(lambda: len(first._waiting) == 5, first)
        with pytest.raises(BrokerDown):
            first.step()
        assert stream.look().sequences == []
        first.close()
        broker.is_down = False
        with closing(make_loop(stand, mosquitto, broker, "second")) as second:
            until(lambda: stream.look().sequences == [1, 2, 3, 4, 5], second)
            gateway.publish(topic_of(reader), batch(6))
            until(lambda: 6 in stream.look().sequences, second)
    with closing(make_loop(stand, mosquitto, broker, "third")) as third:
        until(third.is_listening, third)
        for _ in range(5):
            third.step()
    assert stream.look().sequences == [1, 2, 3, 4, 5, 6], "what was acknowledged does not come again"


def test_what_comes_twice_is_kept_once(stand: Stand, mosquitto: Mosquitto) -> None:
    reader = register(stand, mosquitto, stand.make_gate())
    mosquitto.start()
    stream, sent = Stream(stand), batch(1, 2)
    with (
        closing(make_loop(stand, mosquitto)) as loop,
        closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway,
    ):
        until(loop.is_listening, loop)
        for _ in range(3):
            gateway.publish(topic_of(reader), sent)
        until(lambda: len(stream.look().sequences) == 6, loop)
    stand.work_off()
    assert stand.rows("SELECT sequence, reader_id FROM tag_read ORDER BY 1") == [(1, reader["id"]), (2, reader["id"])]


def test_a_restart_of_mosquitto_and_an_absence_of_the_platform_lose_nothing(stand: Stand, mosquitto: Mosquitto) -> None:
    reader = register(stand, mosquitto, stand.make_gate())
    mosquitto.start()
    stream = Stream(stand)
    loop = make_loop(stand, mosquitto)
    until(loop.is_listening, loop)
    loop.close()
    with closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway:
        gateway.publish(topic_of(reader), batch(1))
    mosquitto.stop()
    mosquitto.start()
    with closing(make_loop(stand, mosquitto)) as loop:
        until(lambda: stream.look().sequences == [1], loop)
        mosquitto.stop()
        with pytest.raises(MqttDown):
            for _ in range(1_000):
                loop.step()
        mosquitto.start()
        with closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway:
            gateway.publish(topic_of(reader), batch(2))
        until(lambda: stream.look().sequences == [1, 2], loop)


def test_what_cannot_be_taken_is_counted_and_told_and_blocks_nothing(stand: Stand, mosquitto: Mosquitto) -> None:
    gate, other = stand.make_gate(), stand.make_gate(name="Gate 4")
    reader = register(stand, mosquitto, gate)
    retired = register(stand, mosquitto, gate, "retired")
    stand.send("POST", f"/v1/gates/{gate['id']}/readers/{retired['id']}/retire").ok()
    mosquitto.start()
    stream = Stream(stand)
    with (
        closing(make_loop(stand, mosquitto)) as loop,
        closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway,
        closing(Gateway(mosquitto, retired["id"], retired["mqtt_password"])) as gone,
    ):
        until(loop.is_listening, loop)
        for payload in (b"", b"no json", b"\xff" * 100, b"[" * 50_000, gzip.compress(b" " * 5_000_000), batch(-1)):
            gateway.publish(topic_of(reader), payload)
        gateway.publish(f"haihe/{other['id']}/{reader['id']}/reads", batch(7))
        gateway.publish(f"haihe/gate_unknown/{reader['id']}/reads", batch(8))
        gone.publish(topic_of(retired), batch(9))
        gateway.publish(topic_of(reader), batch(10))
        until(lambda: stream.look().sequences == [10], loop)
    shown = stand.get(f"/v1/gates/{gate['id']}/readers/{reader['id']}", party="warehouse").ok()
    assert (shown["rejected"], shown["error"][:23]) == (6, "a message was rejected:")


def test_mosquitto_lets_a_reader_publish_under_its_own_topic_alone(stand: Stand, mosquitto: Mosquitto) -> None:
    gate = stand.make_gate()
    reader, second = register(stand, mosquitto, gate), register(stand, mosquitto, gate, "second")
    mosquitto.start()
    stream = Stream(stand)
    with (
        closing(make_loop(stand, mosquitto)) as loop,
        closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway,
        closing(Gateway(mosquitto, second["id"], reader["mqtt_password"])) as thief,
        closing(Gateway(mosquitto, "", "")) as nobody,
    ):
        until(loop.is_listening, loop)
        gateway.publish(topic_of(second), batch(1))
        gateway.publish("haihe/x", batch(2))
        gateway.publish(topic_of(reader), batch(3))
        until(lambda: stream.look().sequences == [3], loop)
        until(lambda: thief.refusals and nobody.refusals, loop)


def test_one_worker_listens_and_another_takes_over(stand: Stand, mosquitto: Mosquitto) -> None:
    reader = register(stand, mosquitto, stand.make_gate())
    mosquitto.start()
    stream, first, second = Stream(stand), make_loop(stand, mosquitto), make_loop(stand, mosquitto, member="two")
    until(first.is_listening, first, second)
    assert not second.is_listening()
    first.close()
    with closing(second), closing(Gateway(mosquitto, reader["id"], reader["mqtt_password"])) as gateway:
        gateway.publish(topic_of(reader), batch(1))
        until(lambda: stream.look().sequences == [1], second)
        until(second.is_listening, second)


def test_a_wrong_password_of_the_platform_is_told(stand: Stand, mosquitto: Mosquitto) -> None:
    mosquitto.users["haihe"] = hash_password("another")
    mosquitto.start()
    loop = make_loop(stand, mosquitto)
    with pytest.raises(MqttDown, match="refuses the platform"):
        for _ in range(100):
            loop.step()
    loop.close()
