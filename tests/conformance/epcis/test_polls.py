"""Queries in XML: published ones are read, and those that lack something are refused."""

from __future__ import annotations

import pytest

from services.logistics.epcis.findings import NotReadable
from services.logistics.epcis.read_poll import Poll, read_poll
from tests.conformance.epcis.files import DATA, OPEN, list_files

ASKED = list_files(f"{OPEN}/2.0/EPCIS/XML/Query/Queries/*.xml", "fosstrak-interop/queries/webservice/requests/*oll.xml")
WRONG = [f"{OPEN}/2.0/EPCIS/XML/Query/Queries/Invalid/*.xml", f"{OPEN}/2.0/EPCIS/XML/Query/Invalid/*missing_value.xml"]


@pytest.mark.parametrize("name", ASKED)
def test_published_queries(name: str) -> None:
    poll = read_poll((DATA / name).read_bytes())
    assert poll.query_name
    assert all(param for param, value in poll.params)


@pytest.mark.parametrize("name", list_files(*WRONG))
def test_refused(name: str) -> None:
    with pytest.raises(NotReadable) as caught:
        read_poll((DATA / name).read_bytes())
    assert caught.value.findings[0].rule == "required"


def test_the_whole_query_out_of_a_soap_envelope() -> None:
    body = b"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
      <q:Poll xmlns:q="urn:epcglobal:epcis-query:xsd:1"><queryName>SimpleEventQuery</queryName><params>
        <param><name>eventType</name><value><string>ObjectEvent</string><string>QuantityEvent</string></value></param>
        <param><name>orderBy</name><value>eventTime</value></param></params></q:Poll></soap:Body></soap:Envelope>"""
    params = [("eventType", ["ObjectEvent", "QuantityEvent"]), ("orderBy", "eventTime")]
    assert read_poll(body) == Poll("SimpleEventQuery", params)
    with pytest.raises(NotReadable):
        read_poll(b"<nothing/>")
