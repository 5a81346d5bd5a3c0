"""A pack may be a folder of files: together they are one, and a mistake is told with the file that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.catalog.markets.loader import PackError, load_pack, load_packs
from services.catalog.markets.sources import MAX_BYTES
from tests.unit.catalog.tea import TEA, read_tea

CHOICES = TEA.index("[[choices.kinds]]")
RULES = TEA.index("[[documents]]")


def write_folder(folder: Path, **changes: tuple[str, str]) -> Path:
    """The market in three files: a (all but), b (the choices), c (the rules), each with a text replaced."""
    texts = {"a": TEA[:CHOICES], "b": TEA[CHOICES:RULES], "c": TEA[RULES:]}
    market = folder / "tea"
    market.mkdir(parents=True)
    for name, text in texts.items():
        before, after = changes.get(name, ("", ""))
        assert before in text
        (market / f"{name}.toml").write_text(text.replace(before, after, 1) if before else text)
    return market


def test_a_folder_is_the_same_market_as_one_file(tmp_path: Path) -> None:
    assert load_pack(write_folder(tmp_path)) == read_tea()
    assert list(load_packs(tmp_path)) == ["tea"]


def test_lists_of_several_files_follow_each_other(tmp_path: Path) -> None:
    market = write_folder(tmp_path)
    (market / "d.toml").write_text(
        'synonyms = [["绿茶", "green tea"]]\n[[choices.labels]]\ncode = "haccp"\nname = { zh = "HACCP认证", en = "HACCP" }\n'
    )
    pack = load_pack(market)
    assert [choice.code for choice in pack.choices["labels"]] == ["organic", "fair_trade", "haccp"]
    assert pack.synonyms[-1] == ["绿茶", "green tea"] and len(pack.synonyms) == 3


@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("a", 'check = "gtin"', 'check = ""', "tea/a.toml: attributes[3].check: Expected `str` of length >= 1"),
        ("b", 'code = "green"', 'code = "black"', "tea/b.toml: choices.kinds: a code stands twice"),
        ("c", 'reject = "12"', 'reject = "1"', "tea/c.toml: deductions[0].reject: is better than where deductions begin"),
        ("c", 'scheme = "organic"', 'schema = "organic"', "tea/c.toml: licences[1].schema: there is no such key"),
        ("c", "[moderation]", "[[synonym]]\n[moderation]", "tea/c.toml: synonym: there is no such key"),
        ("b", "[[choices.kinds]]", '[name]\nzh = "茶"\n[[choices.kinds]]', "tea/b.toml: name.zh: stands in tea/a.toml already"),
        ("c", "[[documents]]", 'market = "tea"\n[[documents]]', "tea/c.toml: market: stands in tea/a.toml already"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file(tmp_path: Path, file: str, before: str, after: str, message: str) -> None:
    market = write_folder(tmp_path, **{file: (before, after)})
    with pytest.raises(PackError) as refused:
        load_pack(market)
    assert str(refused.value) == message


def test_an_item_of_a_list_is_counted_in_its_own_file(tmp_path: Path) -> None:
    market = write_folder(tmp_path)
    (market / "d.toml").write_text(
        '[[attributes]]\nname = "grade"\nlabel = { zh = "等级", en = "Grade" }\nheadings = []\ntype = "text"\nrequired = false\n'
    )
    with pytest.raises(PackError) as refused:
        load_pack(market)
    assert (
        str(refused.value)
        == "tea/d.toml: attributes[0].examples: state some: nobody knows what is written here (grade)"
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for content, reason in ((b"\xff", "is not TOML in UTF-8"), (b"#" * (MAX_BYTES + 1), "is larger than 4 MiB")):
        file = tmp_path / "tea.toml"
        file.write_bytes(content)
        with pytest.raises(PackError) as refused:
            load_pack(file)
        assert refused.value.reason.startswith(reason)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PackError, match="^empty: has no TOML file in it$"):
        load_pack(tmp_path / "empty")
