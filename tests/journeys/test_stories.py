"""Every bad day with its end balances: plain, with every message twice, and with a crash between every two steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.check.agreements import AGREEMENTS
from tests.journeys.stories import STORIES, Story
from tests.journeys.town import Town
from tests.journeys.transcript import Summary, check_page

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def play(town: Town, story: Story, between: Callable[[], object] = lambda: None) -> None:
    """Play a story to its end: then its money has moved, nothing is broken, and no two services disagree."""
    with town.moves(**story.moves):
        for _ in story.play(town):
            between()
    assert disagreements(town) == {}


def disagreements(town: Town) -> dict[str, set[tuple[str, str]]]:
    """What two services say differently of one subject, by the name of their agreement."""

    def said(side) -> set[tuple[str, str]]:
        return {tuple(row) for row in town.world.sql(side.service, side.query)}

    found = {each.name: said(each.one) ^ said(each.other) for each in AGREEMENTS}
    return {name: rows for name, rows in found.items() if rows}


@each_story
def test_plain_and_its_transcript(town: Town, story: Story) -> None:
    summary = Summary(story.name, story.play.__doc__, story.moves)
    town.api.seen = summary.see
    play(town, story)
    town.api.seen = None
    check_page(f"bad-days/{story.name}.md", summary.text())


@each_story
def test_every_message_twice(town: Town, story: Story) -> None:
    town.world.broker.duplicate = True
    try:
        play(town, story)
    finally:
        town.world.broker.duplicate = False


@each_story
def test_processes_die_between_every_two_steps(town: Town, story: Story) -> None:
    play(town, story, between=lambda: town.world.start(town.world.broker))
