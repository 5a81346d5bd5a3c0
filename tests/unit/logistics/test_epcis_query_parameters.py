"""Every parameter of the query language is known by its name, read as what it is, and refused when it is not."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.epcis.exceptions import EpcisProblem, QueryParameterException, QueryTooComplexException
from services.logistics.epcis.query.conditions import Holds, Measures, Names, OneOf
from services.logistics.epcis.query.given import Asked
from services.logistics.epcis.query.parameters import parse_body, parse_pairs, parse_query
from services.logistics.epcis.query.paths import write_path
from services.logistics.epcis.query.patterns import NotAPattern, Wanted, read_wanted

TIME, URI = "2026-03-01T08:00:00Z", "urn:example:one"
ORDERED = ("GT", "GE", "LT", "LE")
TIMES = ("eventTime", "recordTime", "errorDeclarationTime", "errorDeclaration_Time", "time", "startTime", "endTime")
URIS = [
    "readPoint",
    "bizLocation",
    "transformationID",
    "eventID",
    "correctiveEventID",
    "deviceID",
    "dataProcessingMethod",
    "microorganism",
]
URIS += ["chemicalSubstance", "bizRules", "stringValue", "hexBinaryValue", "uriValue"]
MATCHED = [
    "epc",
    "parentID",
    "inputEPC",
    "outputEPC",
    "anyEPC",
    "epcClass",
    "inputEPCClass",
    "outputEPCClass",
    "anyEPCClass",
]
SCOPES = [
    "ILMD_",
    "ERROR_DECLARATION_",
    "SENSORELEMENT_",
    "SENSORMETADATA_",
    "SENSORREPORT_",
    "readPoint_",
    "bizLocation_",
]
SENSED = ("value", "minValue", "maxValue", "meanValue", "sDev", "percValue")
FIXED = {
    "eventType": "ObjectEvent|https://example.com/Event",
    "EQ_action": "ADD|OBSERVE",
    "EQ_bizStep": "shipping|urn:epcglobal:cbv:bizstep:receiving|cbv:BizStep-packing|urn:example:step",
    "EQ_disposition": "https://ref.gs1.org/cbv/Disp-active",
    "EQ_persistentDisposition_set": "completeness_verified",
    "EQ_persistentDisposition_unset": "completeness_inferred",
    "EQ_errorReason": "did_not_occur|cbv:ER-incorrect_data",
    "EQ_type": "Temperature|gs1:Speed|https://gs1.org/voc/Mass",
    "EQ_booleanValue": "true",
    **{f"{op}_{field}": TIME for op, field in product(("GE", "LT"), TIMES)},
    **{f"EQ_{field}": URI for field in URIS},
    **{f"WD_{field}": URI for field in ("readPoint", "bizLocation")},
    **{f"MATCH_{field}": f"{URI}|urn:epc:idpat:sgtin:0614141.*.*" for field in MATCHED},
    **{f"EXISTS_{field}": "" for field in ("errorDeclaration", "sensorElementList", "sensorElement")},
    "EQ_quantity": "1|2.5",
    **{f"{op}_{field}": "1e1" for op, field in product(ORDERED, ("quantity", "percRank", "sDev", "percValue"))},
}
FAMILIES = {
    **{f"EQ_{field}_po": URI for field in ("bizTransaction",)},
    **{
        f"EQ_{field}_{kind}": URI
        for field, kind in product(("source", "destination"), ("owning_party", "urn:example:kind"))
    },
    **{f"EQ_{field}_CEL": "1|2" for field in ("quantity", "value")},
    **{
        f"{op}_{field}_{unit}": "-1.5"
        for op, field, unit in product(ORDERED, ("quantity", *SENSED), ("KEL", "4H", "P1"))
    },
    **{
        f"{op}_{inner}{scope}{field}": "5"
        for op, inner, scope, field in product(
            ("EQ", *ORDERED),
            ("", "INNER_"),
            ("", *SCOPES),
            ("ex:a_b", "https://example.com/#a", "https://example.com/a"),
        )
    },
    **{f"EXISTS_{inner}{scope}ex:a": "true" for inner, scope in product(("", "INNER_"), ("", *SCOPES))},
    "EQ_INNER_#plain": "x",
    "HASATTR_bizLocation": "cbvmda:city",
    "HASATTR_ex:place": "cbvmda:city",
    "EQATTR_readPoint_cbvmda:city": "Tianjin",
    "EQ_ATTR_epcClass_urn:example:size_of": "12",
    "EQATTR_ex:my_place_cbvmda:city": "Tianjin",
}


@pytest.mark.parametrize("name", [*FIXED, *FAMILIES])
def test_known_in_a_query_string_and_in_json(name: str) -> None:
    text = (FIXED | FAMILIES)[name]
    (condition,) = parse_pairs([(name, text)], prefixes={"ex": "https://example.com/"}).conditions
    body = {"@context": {"ex": "https://example.com/"}, name: text.split("|") if "|" in text else text or None}
    assert parse_body(body).conditions == (condition,)
    if isinstance(condition, Holds):
        assert write_path(condition).text.startswith("$ ? (exists(@.")


@pytest.mark.parametrize(
    "name",
    [
        "GT_eventTime",
        "EQ_eventTime",
        "LE_recordTime",
        "EQ_minValue_CEL",
        "EQ_value",
        "GE_value",
        "EQ_epc",
        "MATCH_bizStep",
    ]
    + [
        "WD_epc",
        "EXISTS_readPoint",
        "EQ_ILMD_lot",
        "EQ_INNER_lot",
        "HASATTR_nothing",
        "EQATTR_bizLocation",
        "",
        "EQ_",
        "x",
        "eventtype",
    ]
    + [
        "EQ_source_",
        "GE_quantity_kgm",
        "EQ_quantity_KGMXX",
        "perPage",
        "EQ_ex:",
        "EQ_:a",
        "EQ_ex:a b",
        "EQ_#a",
        "EQ_ex:a\n",
    ],
)
def test_unknown_ones_are_refused_by_name(name: str) -> None:
    with pytest.raises(QueryParameterException) as caught:
        parse_query({name: Asked("1")}, prefixes={"ex": "https://example.com/"})
    assert caught.value.members == {"parameter": name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GE_eventTime", 5),
        ("GE_eventTime", ["2026-03-01T08:00:00Z"]),
        ("GE_eventTime", "2026-02-30T08:00:00Z"),
        ("EQ_bizStep", [5]),
        ("EQ_bizStep", {"a": 1}),
        ("EQ_bizStep", ["a\u0000"]),
        ("EQ_quantity", ["x"]),
        ("EQ_quantity", [True]),
        ("GE_quantity", [1, 2]),
        ("GE_quantity", float("inf")),
        ("EXISTS_errorDeclaration", "no"),
        ("maxEventCount", 2.5),
        ("maxEventCount", -1),
        ("maxEventCount", True),
        ("EQ_ex:a", [{}]),
        ("GT_ex:a", "red"),
        ("GT_ex:a", None),
        ("orderBy", ["eventTime"]),
    ],
)
def test_wrong_values_in_json_are_refused(name: str, value: Any) -> None:
    with pytest.raises(QueryParameterException) as caught:
        parse_body({name: value, "@context": {"ex": "https://example.com/"}})
    assert caught.value.members == {"parameter": name}


def test_words_and_identifiers_are_made_one_form() -> None:
    steps = parse_pairs([("EQ_bizStep", "cbv:BizStep-shipping|urn:epcglobal:cbv:bizstep:shipping|shipping")])
    assert steps.conditions == (OneOf("biz_step", ("shipping",) * 3),)
    places = parse_pairs(
        [("EQ_bizLocation", "urn:epc:id:sgln:0614141.07346.0|https://x.example/414/0614141073467?a=b")]
    )
    assert places.conditions == (OneOf("biz_location", ("https://id.gs1.org/414/0614141073467",) * 2),)
    (names,) = parse_pairs([("MATCH_epc", "urn:epc:id:sgtin:0614141.107346.1")]).conditions
    assert names == Names(("epc", "childEPC"), (Wanted(("https://id.gs1.org/01/10614141073464/21/1",)),))


def test_numbers_are_exact_and_differences_have_no_zero() -> None:
    (value,) = parse_pairs([("GE_value_KEL", "278.15")]).conditions
    assert isinstance(value, Holds)
    assert value.test == Measures("value", "GE", (Decimal("278.15"),), "KEL")
    assert write_path(value).variables.startswith('{"v0":"KEL","v1":278.15,"v2":5,"v3":"CEL","v4":41,"v5":"FAH",')
    (deviation,) = parse_pairs([("GE_sDev_KEL", "0.5")]).conditions
    assert write_path(deviation).variables.startswith('{"v0":"KEL","v1":0.5,"v2":0.5,"v3":"CEL","v4":0.9,"v5":"FAH",')


def test_too_much_at_once() -> None:
    with pytest.raises(QueryTooComplexException):
        parse_pairs([(f"EQ_ex:f{number}", "1") for number in range(51)])
    with pytest.raises(QueryTooComplexException):
        parse_body({"EQ_bizStep": ["shipping"] * 1001})
    with pytest.raises(QueryTooComplexException):
        parse_pairs([("EQATTR_ex:a_b_c_d_e_f_g_h_i_j", "1")])
    with pytest.raises(QueryTooComplexException):
        parse_body({"MATCH_epc": [f"urn:epc:idpat:sgtin:{number}.*.*" for number in range(614_141, 614_192)]})
    with pytest.raises(QueryTooComplexException):
        parse_body({f"EQ_quantity_{unit}": list(range(501)) for unit in ("KGM", "TNE")})
    classes = [f"https://id.gs1.org/01/{number:014}" for number in range(1_000)]
    assert len(parse_body({"MATCH_epcClass": classes}).conditions) == 1


def test_the_digest_tells_questions_apart() -> None:
    one = parse_pairs([("EQ_bizStep", "shipping"), ("EQ_action", "ADD")])
    assert one.digest == parse_pairs([("EQ_action", "ADD"), ("EQ_bizStep", "shipping")]).digest
    others = ([("EQ_bizStep", "shipping")], [("EQ_bizStep", "shipping"), ("EQ_action", "OBSERVE")])
    assert one.digest not in {parse_pairs(other).digest for other in others}
    assert one.digest != parse_pairs([("EQ_bizStep", "shipping"), ("EQ_action", "ADD")], prefixes={"a": "urn:b"}).digest


LINK = "https://id.gs1.org"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("urn:epc:id:sgtin:0614141.107346.2018", Wanted((f"{LINK}/01/10614141073464/21/2018",))),
        ("urn:epc:id:sgtin:0614141.107346.*", Wanted((), (rf"{LINK}/01/10614141073464/21/_%",))),
        (
            "urn:epc:idpat:sgtin:0614141.107346.*",
            Wanted((f"{LINK}/01/10614141073464",), (rf"{LINK}/01/10614141073464/21/_%",)),
        ),
        (
            "https://x.example/01/10614141073464",
            Wanted((f"{LINK}/01/10614141073464",), (f"{LINK}/01/10614141073464/%",)),
        ),
        ("https://x.example/01/10614141073464/10/A", Wanted((f"{LINK}/01/10614141073464/10/A",))),
        ("urn:epc:class:lgtin:0614141.107346.*", Wanted((), (f"{LINK}/01/10614141073464/10/_%",))),
        (
            "urn:epc:idpat:sgln:0614141.07346.*",
            Wanted((f"{LINK}/414/0614141073467",), (f"{LINK}/414/0614141073467/254/_%",)),
        ),
        ("urn:epc:idpat:giai:0614141.*", Wanted((), (f"{LINK}/8004/0614141%",))),
        ("urn:epc:idpat:gid:95100000.12345.*", Wanted((), ("urn:epc:id:gid:95100000.12345.%",))),
        (
            "urn:epc:idpat:grai:0614141.12345.*",
            Wanted((f"{LINK}/8003/00614141123452",), (f"{LINK}/8003/00614141123452_%",)),
        ),
        ("urn:example:a_b%c", Wanted(("urn:example:a_b%c",))),
    ],
)
def test_patterns(text: str, wanted: Wanted) -> None:
    assert read_wanted(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "x", "urn:epc:idpat:sgtin:0614141.*", "urn:epc:idpat:sgtin:*.107346.*", "urn:epc:idpat:sgtin:06141.*.*"]
    + [
        "urn:epc:idpat:sgtin:0614141.1.*",
        "urn:epc:idpat:none:1.*",
        "urn:epc:idpat:sgtin:a.*.*",
        "urn:epc:idpat:sgtin:*",
    ],
)
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(NotAPattern):
        read_wanted(text)


@given(st.dictionaries(st.sampled_from([*FIXED, *FAMILIES]) | st.text(max_size=40), st.text(max_size=60), max_size=4))
def test_whatever_is_asked_is_a_question_or_a_named_refusal(params: dict[str, str]) -> None:
    try:
        query = parse_pairs(params.items())
    except EpcisProblem as problem:
        assert problem.status in (400, 413)
    else:
        assert len(query.conditions) <= len(params)
