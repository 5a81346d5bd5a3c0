"""Can a subscriber make us call what only we can reach?"""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from chassis.settings import Settings
from services.logistics.epcis.subscriptions import sending, targets
from services.logistics.epcis.subscriptions.sending import send_push
from services.logistics.epcis.subscriptions.targets import Target, TargetRefused, find_address, is_public, read_target


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
        "2002:7f00:1::", "2002:a00:1::", "2001:0:7f00:1::", "nonsense", "",
    ],
)  # fmt: skip
def test_an_address_of_ours_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://example.com/", "file:///etc/passwd", "http://example.com/", "https://", "https:///x", "//example.com",
        "https://user@example.com/", "https://user:word@example.com/", "https://example.com/#part", "https://example.com:22/",
        "https://example.com:99999/", "https://localhost/", "https://a.localhost/", "https://LOCALHOST./", "https://db.internal/",
        "https://printer.local/", "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/",
        "https://017700000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/", "https://exa mple.com/", "https://example.com/\n", "https://例え.jp/", "https://[::1",
        "https://e.com/" + "x" * 2_000, "javascript:alert(1)", "https://0/", "https://example.com/\u0000",
    ],
)  # fmt: skip
def test_a_dest_that_is_wrong_by_its_look_is_refused(url: str) -> None:
    with pytest.raises(TargetRefused):
        read_target(url, private=False)


def test_a_dest_is_taken_apart() -> None:
    assert read_target("https://example.com/a?b=1", private=False) == Target("https", "example.com", 443, "/a?b=1")
    assert read_target("https://example.com:8443", private=False) == Target("https", "example.com", 8443, "/")
    assert read_target("https://example.com:8443", private=False).authority == "example.com:8443"
    assert read_target("http://[::1]:99/", private=True).authority == "[::1]:99"


def answer_with(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name be answered with these addresses, or by nobody; the names that were asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        if not addresses:
            raise socket.gaierror("Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(targets.socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"], ["::1"], []])
def test_a_name_that_leads_inside_is_refused_as_one_that_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    answer_with(monkeypatch, *addresses)
    with pytest.raises(TargetRefused, match="^example.com leads to no public address$"):
        find_address(read_target("https://example.com/", private=False), private=False)


def test_the_connection_is_made_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once: a second answer, as of a rebinding attack, is never asked for."""
    asked = answer_with(monkeypatch, "93.184.215.14")
    connected: list[Any] = []

    def connect(address: Any, *_: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "create_connection", connect)
    payload = {"dest": "https://example.com/hook", "headers": {}, "body": "{}"}
    outcome = send_push(Settings(), payload, 1)
    assert outcome == {"status": 0, "error": "ConnectionRefusedError: nobody there"}
    assert (asked, connected) == (["example.com"], [("93.184.215.14", 443)])


def test_a_redirect_is_checked_as_the_dest_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first host is public and sends us inside: nothing is asked for there."""
    answers = [(307, "https://10.0.0.1/inside"), (200, None)]
    sent: list[str] = []

    def post(target: Target, *_: Any, **__: Any) -> tuple[int, str | None]:
        sent.append(target.host)
        return answers[len(sent) - 1]

    monkeypatch.setattr(sending, "_post", post)
    outcome = send_push(Settings(), {"dest": "https://example.com/", "headers": {}, "body": "{}"}, 1)
    assert outcome == {"status": 0, "error": "10.0.0.1 is no public address"}
    assert sent == ["example.com"]
    sent.clear()
    answers[0] = (308, "http://example.org/plain")
    assert send_push(Settings(), {"dest": "https://example.com/", "headers": {}, "body": "{}"}, 1)["status"] == 0
    assert sent == ["example.com"]


def test_names_that_are_answered_late_and_redirects_hold_us_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = {"dest": "https://example.com/", "headers": {}, "body": "{}"}
    is_over = threading.Event()
    monkeypatch.setattr(targets.socket, "getaddrinfo", lambda *_, **__: is_over.wait(20) and [])
    monkeypatch.setattr(sending, "LOOKED_UP_WITHIN_S", 0.05)
    assert send_push(Settings(), payload, 1) == {"status": 0, "error": "TimeoutError: "}
    is_over.set()
    monkeypatch.setattr(sending, "ANSWER_WITHIN_S", 0.0)
    monkeypatch.setattr(sending, "_post", lambda *_, **__: (307, "/again"))
    assert send_push(Settings(), payload, 1) == {"status": 0, "error": "TimeoutError: did not answer in time"}


def test_a_wait_that_was_cut_while_it_connected_does_not_go_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = sending._Pinned(Target("http", "127.0.0.1", server.getsockname()[1], "/"), "127.0.0.1")
        connection.cut()
        with pytest.raises(TimeoutError):
            connection.connect()
        connection.close()


def test_a_certificate_of_another_is_not_trusted() -> None:
    """A server that speaks no TLS, or with a certificate that nobody signed, gets no push."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            heard.append(connection.recv(10))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        dest = f"https://127.0.0.1:{server.getsockname()[1]}/"
        payload = {"dest": dest, "headers": {}, "body": "secret things"}
        outcome = send_push(Settings(webhooks_private=True), payload, 1)
        thread.join()
    assert outcome["status"] == 0 and "SSL" in outcome["error"]
    assert b"secret" not in heard[0]
