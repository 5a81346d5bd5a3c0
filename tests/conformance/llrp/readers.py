"""Readers to test against: llrpkit's emulator, which nobody here wrote, over real sockets; and one that holds its reports.

llrpkit's own emulator forgets its operation at a break, as a reader that lost its power does. ``HoldingReader`` goes on
reading through it, as Zebra's and Impinj's do: what it could not send, and the last that it sent, it sends again.

The fixtures ``reads``, ``emulator`` and ``holding`` are for whoever imports them.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from llrpkit.emulator import EmulatedTag, LLRPEmulator
from llrpkit.protocol import LLRPMessage, messages, params

EVERY_S = 0.001
SENT_AGAIN = 500


class Reads:
    """A thread with the event loop that emulated readers run in."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the loop do something, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    @contextmanager
    def running(self, reader: Any) -> Iterator[Any]:
        """Let a reader run in it."""
        self.run(reader.start())
        try:
            yield reader
        finally:
            self.run(reader.stop())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def cut(reader: LLRPEmulator) -> None:
    """Break the connection where it is, with what is under way."""
    if reader._writer is not None:
        reader._writer.transport.abort()


class HoldingReader(LLRPEmulator):
    """An emulator whose operation outlives a break, and which holds reports until ENABLE_EVENTS_AND_REPORTS."""

    def __init__(self, **values: Any) -> None:
        self._kept: dict[int, Any] = {}
        super().__init__(**values)
        self.held: deque[params.TagReportData] = deque()
        self.sent: deque[params.TagReportData] = deque(maxlen=SENT_AGAIN)
        self.read: list[tuple[str, int]] = []
        self.is_told_to_send = False
        self._reading: asyncio.Task[None] | None = None

    @property
    def _rospecs(self) -> dict[int, Any]:
        return self._kept

    @_rospecs.setter
    def _rospecs(self, value: dict[int, Any]) -> None:
        """The emulator empties them at each connection; this reader does not."""

    async def _send_connection_event(self, writer: asyncio.StreamWriter, status: int) -> None:
        self.is_told_to_send = False
        self.held.extendleft(reversed(self.sent))
        self.sent.clear()
        await super()._send_connection_event(writer, status)

    async def _handle_message(self, msg: LLRPMessage) -> None:
        if isinstance(msg, messages.ENABLE_EVENTS_AND_REPORTS):
            self.is_told_to_send = True
            return
        await super()._handle_message(msg)

    def _sync_reporting(self) -> None:
        if self._reading is None and any(state == "Active" for _, state in self._kept.values()):
            self._reading = asyncio.get_running_loop().create_task(self._read_on())

    async def stop(self) -> None:
        await self.stop_reading()
        await super().stop()

    async def stop_reading(self) -> None:
        """No more tags pass."""
        if self._reading is not None:
            self._reading.cancel()

    async def _read_on(self) -> None:
        while True:
            tag = self._rng.choice(self.tags)
            self._read_one(tag)
            await self._flush()
            await asyncio.sleep(EVERY_S)

    def _read_one(self, tag: EmulatedTag) -> None:
        at = self._now_us()
        self.read.append((tag.epc.hex().upper(), at))
        epc = params.EPC_96(epc=tag.epc)
        self.held.append(
            params.TagReportData(
                epc_parameter=epc,
                antenna_id=params.AntennaID(antenna_id=tag.antennas[0]),
                peak_rssi=params.PeakRSSI(peak_rssi=-50),
                first_seen_timestamp_utc=params.FirstSeenTimestampUTC(microseconds=at),
                last_seen_timestamp_utc=params.LastSeenTimestampUTC(microseconds=at),
            )
        )

    async def _flush(self) -> None:
        while self.is_told_to_send and self._writer is not None and self.held:
            self.sent.append(report := self.held.popleft())
            await self._send(messages.RO_ACCESS_REPORT(tag_report_datas=[report]))


class TlsEmulator(LLRPEmulator):
    """The emulator behind TLS, with the certificate that ``shown`` has."""

    def __init__(self, shown: ssl.SSLContext, **values: Any) -> None:
        super().__init__(**values)
        self._shown = shown

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._handle_client, self.host, self.port, ssl=self._shown)
        self.port = self._server.sockets[0].getsockname()[1]


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1, and what a reader needs to show it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gate-1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, encoding = folder / "reader.pem", serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(encoding) + secret)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(path)
    return path, shown


@pytest.fixture
def reads() -> Iterator[Reads]:
    with closing(Reads()) as reads:
        yield reads


@pytest.fixture
def emulator(reads: Reads) -> Iterator[LLRPEmulator]:
    with reads.running(LLRPEmulator(reads_per_sec=500)) as reader:
        yield reader


@pytest.fixture
def holding(reads: Reads) -> Iterator[HoldingReader]:
    with reads.running(HoldingReader()) as reader:
        yield reader
