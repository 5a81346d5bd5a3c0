"""The rules of products and their documents, at their edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest

from chassis.values import read_wire
from services.catalog.documents.files import JPEG, MP4, PDF, PNG, WEBP, find_flaw, find_type
from services.catalog.documents.papers import Paper, find_standing
from services.catalog.documents.scanning import ScannerConfused, ask_scanner, read_clamd
from services.catalog.markets.rules import DocumentRule
from services.catalog.products.comparing import convert_number
from services.catalog.products.draft import digest_of
from services.catalog.products.kinds import Kinds, equal_key, kinds_of
from services.catalog.products.model import find_changes
from tests.services.catalog.product_market import make_pack

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(**said: object) -> DocumentRule:
    """A rule of a document that is required."""
    label = {"zh": "单", "en": "paper"}
    content = {
        "name": "paper",
        "label": label,
        "carried_by": "product",
        "required": True,
        "source": "the house",
        **said,
    }
    return msgspec.convert(content, DocumentRule, dec_hook=read_wire)


@pytest.mark.parametrize(
    ("papers", "blocked", "due_at"),
    [
        ([], "paper_missing", None),
        ([Paper(rule="other")], "paper_missing", None),
        ([Paper(rule="paper")], None, None),
        ([Paper(rule="paper", valid_until=NOW)], "paper_expired", None),
        ([Paper(rule="paper", valid_until=NOW + DAY)], None, NOW + DAY),
        ([Paper(rule="paper", valid_from=NOW + DAY)], "paper_missing", NOW + DAY),
        ([Paper(rule="paper", valid_from=NOW, valid_until=NOW + DAY)], None, NOW + DAY),
        ([Paper(rule="paper", valid_until=NOW), Paper(rule="paper", valid_until=NOW + 2 * DAY)], None, NOW + 2 * DAY),
        ([Paper(rule="paper", valid_until=NOW + DAY), Paper(rule="paper")], None, NOW + DAY),
    ],
)
def test_a_paper_counts_from_its_beginning_until_its_end(
    papers: list[Paper], blocked: str | None, due_at: datetime | None
) -> None:
    standing = find_standing([rule()], papers, NOW)
    assert (standing.blocked, standing.due_at) == (blocked, due_at)


@pytest.mark.parametrize(
    ("issued_on", "blocked"),
    [("2025-03-02", None), ("2025-03-01", "paper_expired"), ("2026-03-02", None), ("2026-03-03", None)],
)
def test_the_age_of_a_paper_is_counted_in_whole_days(issued_on: str, blocked: str | None) -> None:
    paper = Paper(rule="paper", issued_on=date.fromisoformat(issued_on))
    assert find_standing([rule(most_age_days=365)], [paper], NOW).blocked == blocked


def test_each_language_must_be_had_in_a_paper_that_is_in_force() -> None:
    both = rule(languages=["zh", "en"])
    chinese, english = Paper(rule="paper", languages=("zh",)), Paper(rule="paper", languages=("en",), valid_until=NOW)
    assert find_standing([both], [chinese, english], NOW).blocked == "paper_missing_en"
    assert find_standing([both], [Paper(rule="paper", languages=("en", "zh"))], NOW).blocked is None


def test_what_is_not_required_blocks_nothing_and_the_first_that_is_missing_is_named() -> None:
    rules = [rule(name="a", required=False), rule(name="b"), rule(name="c")]
    assert find_standing(rules, [], NOW).blocked == "b_missing"
    assert find_standing(rules, [Paper(rule="b")], NOW).blocked == "c_missing"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"%PDF-1.7", PDF),
        (b"\xff\xd8\xff\xe0", JPEG),
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"RIFF\x00\x00\x00\x00WEBP", WEBP),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"\x00\x00\x00\x10ftypisom", MP4),
        (b"<html>", None),
        (b"GIF89a", None),
        (b"MZ", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(body: bytes, found: str | None) -> None:
    assert find_type(body) == found


@pytest.mark.parametrize(
    "boxes",
    [
        b"\x00\x00\x00\x10ftypisom",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x00moov"[:-4],
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x09moov",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x04moov",
        b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08mdat",
    ],
)
def test_a_film_whose_boxes_do_not_fit_is_none(boxes: bytes) -> None:
    assert find_flaw(boxes, MP4) == "the end of the file is missing"


def test_a_film_may_end_in_a_box_that_is_as_long_as_there_is() -> None:
    film = b"\x00\x00\x00\x08ftyp\x00\x00\x00\x08moov"
    assert find_flaw(film, MP4) is None
    assert find_flaw(film + b"\x00\x00\x00\x00mdat" + bytes(100), MP4) is None
    assert find_flaw(film + b"\x00\x00\x00\x01mdat" + (24).to_bytes(8) + bytes(8), MP4) is None


def test_the_answers_of_a_scanner_are_read_or_refused() -> None:
    assert read_clamd("stream: OK") == ""
    assert read_clamd("stream: Eicar-Signature FOUND") == "Eicar-Signature"
    for answer in ("", "INSTREAM size limit exceeded. ERROR", "stream: lost"):
        with pytest.raises(ScannerConfused):
            read_clamd(answer)
    with pytest.raises(Exception, match="HAIHE_SCANNER"):
        ask_scanner("ftp://somewhere", b"")


@pytest.mark.parametrize(
    ("kept", "unit", "into", "shown"),
    [
        ("0.25", "INH", "MMT", "6.35"),
        ("1000", "KGM", "TNE", "1"),
        ("1", "MMT", "INH", "0.03937"),
        ("100", "MMT", "MMT", "100"),
        ("5", None, "MMT", "5"),
        ("1200000", "GRM", "TNE", "1.2"),
    ],
)
def test_numbers_are_compared_in_one_unit(kept: str, unit: str | None, into: str, shown: str) -> None:
    assert convert_number(kept, unit, into) == shown


def test_drafts_that_say_the_same_have_one_digest_in_any_order() -> None:
    one = digest_of("lab", {"a": "1", "b": "2"}, {"zh": "x", "en": "y"}, None)
    assert one == digest_of("lab", {"b": "2", "a": "1"}, {"en": "y", "zh": "x"}, None)
    others = [
        digest_of("other", {"a": "1", "b": "2"}, {"zh": "x", "en": "y"}, None),
        digest_of("lab", {"a": "1", "b": "3"}, {"zh": "x", "en": "y"}, None),
        digest_of("lab", {"a": "1", "b": "2"}, {"zh": "x"}, None),
        digest_of("lab", {"a": "1", "b": "2"}, {"zh": "x", "en": "y"}, "04006381333931"),
    ]
    assert len({one, *others}) == 5


def test_what_a_kind_remembers_is_what_the_pack_says_each_time() -> None:
    pack = make_pack()
    kinds = kinds_of(pack)
    assert kinds_of(pack) is kinds
    for name in ("morphine", "codeine", "morphine"):
        attributes = {"kind": "narcotic", "name": name, "purity": "5"}
        kind = kinds.find(attributes)
        assert kind is not None and kind.type is pack.type_of(attributes)
        facts = kind.find_facts("party_1", attributes)
        assert facts.title == pack.title_of(attributes)
        assert kind.licences(attributes) == pack.licences_of(attributes)
        assert facts.hidden_by == [{"scheme": "narcotics", "scope": [name]}]
    assert Kinds(pack).find({"kind": "none"}) is None
    assert Kinds(pack).find({}) is None


def test_variants_of_two_companies_are_two_groups() -> None:
    kind = kinds_of(make_pack()).by_name["shirt"]

    def group(owner: str, **attributes: str) -> str | None:
        return kind.find_facts(owner, {"kind": "shirt", "name": "Shirt", **attributes}).group_id

    assert group("a", size="m") == group("a", size="l", colour="red") == group("a")
    assert len({group("a"), group("b"), group("a", note="wool")}) == 3
    said = f"a {kind.pack.variant_of({'kind': 'shirt', 'name': 'Shirt', 'size': 'm'})}"
    assert group("a") == f"group_{sha256(said.encode()).hexdigest()[:26]}"


def test_a_value_is_found_however_it_is_written() -> None:
    assert equal_key("steel_grades", "ASTM A36") == equal_key("steel_grades", "a36")
    assert equal_key("steel_grades", "S355J2+N") == equal_key("steel_grades", "S355 J2N")
    assert equal_key("steel_grades", "Q235B") != equal_key("steel_grades", "Q355B")


def test_changes_name_what_came_went_and_turned() -> None:
    assert find_changes({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"}) == {
        "b": ["2", "9"],
        "c": ["3", None],
        "d": [None, "4"],
    }
