"""EPCIS requests to the stand, as a partner's software makes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from werkzeug.test import TestResponse

from chassis.access import kid_of
from chassis.auth import Caller, sign_token
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.read_json import read_document
from tests.services.logistics.conftest import Stand

V2 = "/epcis/v2"
SGTIN = "urn:epc:id:sgtin:0614141.107346.{}"


@dataclass
class Partner:
    """A company's software that speaks EPCIS to the platform."""

    stand: Stand
    party: str = "mill"
    role: str = "warehouse"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """The answer to a request; underscores in the names of headers are hyphens, ``Content_Type`` is JSON by default."""
        kind = "operator" if self.role == "operator" else "user"
        caller = Caller(f"user_{self.party}", self.party, frozenset({self.role}), kind)
        key = self.stand.signing_key
        token = sign_token(key, kid_of(key.public_key().public_bytes_raw()), caller)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.stand.app.test_client().open(
            V2 + path, method=method, data=data, headers={"Authorization": f"Bearer {token}", **given}
        )

    def capture(self, *events: dict[str, Any], **headers: str) -> TestResponse:
        """Hand a document of events in."""
        return self.ask("POST", "/capture", write_document(*events), **headers)

    def job(self, answer: TestResponse) -> dict[str, Any]:
        """The job of a capture that was accepted."""
        assert answer.status_code == 202, answer.text
        found = self.ask("GET", answer.headers["Location"].removeprefix(V2))
        assert found.status_code == 200, found.text
        return found.json

    def event(self, event_id: str, **headers: str) -> TestResponse:
        """What is kept under an eventID."""
        return self.ask("GET", f"/events/{quote(event_id, safe='')}", **headers)

    def hashes(self, event_id: str, **headers: str) -> list[str]:
        """The hash ids of the events under an eventID, as they come back."""
        found = self.event(event_id, **headers)
        assert found.status_code == 200, found.text
        return [hash_event(event) for event in read_document(found.data).events]


def write_document(*events: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """An EPCISDocument."""
    return {
        "@context": [STANDARD, {"ex": "https://example.com/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T08:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **changed,
    }


def write_event(number: int = 1, **changed: Any) -> dict[str, Any]:
    """An ObjectEvent about one item."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T07:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [SGTIN.format(number)],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
        **changed,
    }
