"""`haihe market check`: a right file, a folder, and a mistake with file, key and reason."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from infra.cli import main
from services.catalog.markets.loader import FOLDER
from tests.unit.catalog.tea import TEA


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["haihe", "market", "check", *arguments])
    with pytest.raises(SystemExit) as left:
        main.main()
    return int(left.value.code or 0)


def test_a_right_file_is_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "tea.toml").write_text(TEA)
    assert run(monkeypatch, str(tmp_path / "tea.toml")) == 0
    assert capsys.readouterr().out == "tea.toml is right: market tea, 2 product types, 8 attributes.\n"
    assert run(monkeypatch, str(tmp_path / "tea.toml"), "--json") == 0
    assert msgspec.json.decode(capsys.readouterr().out) == {"market": "tea", "types": 2, "attributes": 8}


def test_a_mistake_is_told_and_the_exit_status_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "tea.toml").write_text(TEA.replace('check = "gtin"', 'unit = "KGM"', 1))
    assert run(monkeypatch, str(tmp_path / "tea.toml")) == 1
    assert capsys.readouterr().err == "haihe: tea.toml: attributes[3].unit: an identifier has no unit (gtin)\n"
    assert run(monkeypatch, str(tmp_path / "coffee.toml")) == 2


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_pack_of_this_release_is_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: Path
) -> None:
    assert run(monkeypatch, str(path)) == 0 and " is right: market " in capsys.readouterr().out
