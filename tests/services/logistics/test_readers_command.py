"""What an operator does with readers on the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from llrpkit.emulator import LLRPEmulator

from chassis import migrate
from infra.cli.main import haihe
from infra.failures import Failure
from services.logistics.rfid.readers.credentials import hash_password
from tests.conformance.llrp.readers import emulator, reads
from tests.services.logistics.conftest import Stand

__all__ = ["emulator", "reads"]
Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def identity_url(cluster: Any) -> str:
    address = cluster.create_database("identity")
    migrate.upgrade("identity", address.owner)
    return address.app


@pytest.fixture
def ask(stand: Stand, identity_url: str) -> Ask:
    """Run ``haihe readers …`` on the databases of the test."""
    environ = {
        "HAIHE_IDENTITY_DATABASE": identity_url,
        "HAIHE_LOGISTICS_DATABASE": stand.database.engine.url.render_as_string(hide_password=False),
        "HAIHE_MQTT": "mqtt://haihe:se%20cret@mosquitto:1883",
    }

    def run(*words: str, **more: str) -> Result:
        return CliRunner().invoke(haihe, ["readers", *words], env=environ | more)

    return run


def told(result: Result) -> Any:
    """The answer of a command that was asked for JSON."""
    assert result.exception is None, result.exception
    return json.loads(result.output)


def test_readers_are_added_listed_tested_and_retired(stand: Stand, ask: Ask) -> None:
    gate = stand.make_gate()["id"]
    assert ask("list").output == "No reader is registered.\n"
    lamp = ("--release", "1", "--stop", "2", "--check", "3", "--lasts", "20")
    east = told(
        ask("add", "--gate", gate, "--name", "east", "--address", "10.0.0.7", "--antenna", "1=in@27.5", *lamp, "--json")
    )
    assert (east["host"], east["port"], east["kind"]) == ("10.0.0.7", 5084, "llrp")
    assert east["antennas"] == [{"number": 1, "label": "in", "power_dbm": 27.5}]
    assert east["lamp"] == {"release": [1], "stop": [2], "check": [3], "lasts_s": 20}
    assert (east["mqtt_password"], east["api_key"]) == (None, None)
    assert stand.get(f"/v1/gates/{gate}/readers/{east['id']}", party="warehouse").ok()["name"] == "east"
    listed = told(ask("list", "--gate", gate, "--json"))
    assert [one["id"] for one in listed] == [east["id"]] and "unknown" in ask("list").output
    tested = ask("test", east["id"])
    assert tested.exit_code == 1 and "NOT  listener No worker listens" in tested.output
    assert ask("retire", east["id"]).output == f"Reader {east['id']} is retired.\n"
    assert told(ask("list", "--json")) == []


def test_a_gateway_gets_its_credentials_once(stand: Stand, ask: Ask, tmp_path: Path) -> None:
    gate = stand.make_gate()["id"]
    http = told(ask("add", "--gate", gate, "--name", "http", "--kind", "http", "--json"))
    assert http["api_key"].startswith("key_")
    mqtt = told(ask("add", "--gate", gate, "--name", "mqtt", "--kind", "mqtt", "--json"))
    again = ask("add", "--gate", gate, "--name", "mqtt 2", "--kind", "mqtt")
    assert "its password, shown this once" in again.output
    file = tmp_path / "passwords"
    assert told(ask("passwords", str(file), "--json")) == {"file": str(file), "users": 3}
    users = dict(line.split(":") for line in file.read_text().splitlines())
    for name, password in (("haihe", "se cret"), (mqtt["id"], mqtt["mqtt_password"])):
        salt = base64.b64decode(users[name].split("$")[3])
        assert users[name] == hash_password(password, salt)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "--gate", "gate_x", "--name", "x", "--address", "10.0.0.7"), "no gate 'gate_x'"),
        (("add", "--gate", "GATE", "--name", "x"), "an LLRP reader needs the IP address"),
        (("add", "--gate", "GATE", "--name", "x", "--address", "8.8.8.8"), "readers may not be at this address"),
        (("add", "--gate", "GATE", "--name", "x", "--address", "10.0.0.7:x"), "An address is IP or IP:PORT"),
        (
            ("add", "--gate", "GATE", "--name", "x", "--address", "10.0.0.7", "--antenna", "in"),
            "An antenna is NUMBER=LABEL",
        ),
        (
            ("add", "--gate", "GATE", "--name", "x", "--address", "10.0.0.7", "--antenna", "65536=in"),
            "antennas are numbered from 1",
        ),
        (("test", "reader_x"), "no reader 'reader_x'"),
        (("test", "127.0.0.1:1"), "The reader at 127.0.0.1 port 1 cannot be used"),
    ],
)
def test_what_is_wrong_is_said(stand: Stand, ask: Ask, words: tuple[str, ...], why: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("infra.probing.CONNECTING_S", 0.5)
    gate = stand.make_gate()["id"]
    asked = ask(*(gate if word == "GATE" else word for word in words))
    assert why in str(getattr(asked.exception, "detail", "") or asked.exception)
    assert stand.rows("SELECT count(*) FROM reader") == [(0,)]


def test_passwords_need_the_platforms_own(ask: Ask, tmp_path: Path) -> None:
    asked = ask("passwords", str(tmp_path / "passwords"), HAIHE_MQTT="mqtt://mosquitto")
    assert isinstance(asked.exception, Failure)
    assert list(tmp_path.iterdir()) == []


def test_whatever_answers_llrp_at_an_address_is_tried_out(emulator: LLRPEmulator) -> None:
    asked = CliRunner().invoke(haihe, ["readers", "test", f"127.0.0.1:{emulator.port}", "--seconds", "1", "--json"])
    answered = told(asked)
    assert (answered["version"], answered["antennas"], answered["outputs"]) == ("1.0.1", 4, 4)
    assert 0 < answered["tags"] <= len(emulator.tags) and set(answered["sights"]) <= {"1", "2", "3", "4"}
