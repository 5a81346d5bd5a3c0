"""Writes the header of an EPCIS XML document: the standard business document header, and master data."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from services.logistics.epcis.fields import Document, is_name

_SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"


def write_header(document: Document) -> str:
    """The ``EPCISHeader``; nothing where the document has neither a sender nor master data."""
    vocabularies = "".join(map(_write_vocabulary, document.master_data))
    master = f"<EPCISMasterData><VocabularyList>{vocabularies}</VocabularyList></EPCISMasterData>"
    inner = _write_business_header(document) + (f"<extension>{master}</extension>" if vocabularies else "")
    return f"<EPCISHeader>{inner}</EPCISHeader>" if inner else ""


def _write_business_header(document: Document) -> str:
    told = document.header
    if not told:
        return ""
    parties = "".join(
        f"<sbdh:{tag}><sbdh:Identifier>{escape(told[name])}</sbdh:Identifier></sbdh:{tag}>"
        for name, tag in (("sender", "Sender"), ("receiver", "Receiver"))
        if name in told
    )
    instance = f"<sbdh:InstanceIdentifier>{escape(told.get('instanceIdentifier', ''))}</sbdh:InstanceIdentifier>"
    kind = "<sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:TypeVersion>1.0</sbdh:TypeVersion>"
    made = f"<sbdh:CreationDateAndTime>{escape(document.created or '')}</sbdh:CreationDateAndTime>"
    identified = f"{kind}{instance}<sbdh:Type>Events</sbdh:Type>{made}"
    return (
        f'<sbdh:StandardBusinessDocumentHeader xmlns:sbdh="{_SBDH}"><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>{parties}'
        f"<sbdh:DocumentIdentification>{identified}</sbdh:DocumentIdentification></sbdh:StandardBusinessDocumentHeader>"
    )


def _write_vocabulary(vocabulary: dict[str, Any]) -> str:
    elements = "".join(map(_write_element, vocabulary.get("vocabularyElementList", ())))
    kind = quoteattr(str(vocabulary.get("type", "")))
    return f"<Vocabulary type={kind}><VocabularyElementList>{elements}</VocabularyElementList></Vocabulary>"


def _write_element(element: dict[str, Any]) -> str:
    attributes = "".join(
        f"<attribute id={quoteattr(str(one.get('id', '')))}>{_write_attribute(one.get('attribute', ''))}</attribute>"
        for one in element.get("attributes", ())
    )
    children = "".join(f"<id>{escape(str(child))}</id>" for child in element.get("children", ()))
    inner = attributes + (f"<children>{children}</children>" if children else "")
    return f"<VocabularyElement id={quoteattr(str(element.get('id', '')))}>{inner}</VocabularyElement>"


def _write_attribute(value: Any) -> str:
    if isinstance(value, list):
        return "".join(map(_write_attribute, value))
    if isinstance(value, dict):
        told = ((name, one) for name, some in value.items() for one in (some if isinstance(some, list) else [some]))
        return "".join(f"<{name}>{_write_attribute(one)}</{name}>" for name, one in told if is_name(name))
    return escape(str(value))
