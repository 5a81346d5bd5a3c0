"""Generated pages are what the code would write now, and pages say what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra import docs
from infra.assembly import load_services

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (docs.FOLDER / name).read_text() == docs.PAGES[name](), "run `make docs`"


def test_every_link_of_the_docs_leads_somewhere() -> None:
    broken = []
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if not target.startswith(("http:", "https:", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_every_page_republishes_what_its_speaker_describes() -> None:
    described = {(service.name, noun) for service in load_services() for noun in service.describers}
    pages = (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "infra/cli/messages.py", *(ROOT / "docs").rglob("*.md"))
    named = {said for page in pages for said in re.findall(r"haihe republish ([a-z]+) ([a-z_-]+)", page.read_text())}
    assert named and named <= described


def test_the_readme_opens_with_the_two_commands() -> None:
    beginning = (ROOT / "README.md").read_text()[:2500]
    assert "make run" in beginning and "make test" in beginning
    assert beginning.index("make run") < beginning.index("docker compose")
