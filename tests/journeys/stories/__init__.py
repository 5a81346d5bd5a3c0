"""The bad days of a trade as stories: each plays one deal step by step, and says what money it moves in the end."""

from tests.journeys.stories import cancellations, deadlines, payouts, resale, weights
from tests.journeys.stories.telling import STORIES, Story

__all__ = ["STORIES", "Story", "cancellations", "deadlines", "payouts", "resale", "weights"]
