"""The worker's loop for uploads: claims some with a lease, takes one step of each in turn, and throws old files away.

A step is one batch of rows in one transaction, together with how far the upload has come. Whatever dies at whatever time, the
next to claim the upload reads the file again up to there and goes on: nothing is taken in twice, nothing left out.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.database import Database
from chassis.uploads.commands import Importers
from chassis.uploads.job import Job
from chassis.uploads.model import WORKED_ON, Upload
from chassis.uploads.purging import purge_uploads

LEASE = timedelta(seconds=60)
MAX_JOBS = 4
"""Uploads that one worker works on in turn: a large one does not keep small ones waiting."""
MAX_ATTEMPTS = 8
PURGE_EVERY = timedelta(minutes=1)
UNPROCESSED = "the file could not be processed; the operator has been told"
log = structlog.get_logger(__name__)


class UploadLoop:
    """The uploads of one service in one worker, which is called ``member``."""

    def __init__(self, importers: Importers, database: Database, member: str) -> None:
        self._importers, self._database, self._member = importers, database, member
        self._jobs: deque[Job] = deque()
        self._purge_at: datetime | None = None

    def step(self) -> int:
        """Take a step of one upload, or throw something away; 0 when there was nothing to do."""
        if (claimed := self._claim_one()) is not None:
            self._jobs.append(Job(self._importers[claimed.kind], self._database, claimed, lease=LEASE))
        if not self._jobs:
            return self._purge()
        job = self._jobs[0]
        try:
            is_over = job.step()
        except Exception:
            # It is claimed again and read from its beginning: what was checked and not taken in is known nowhere else.
            self._jobs.popleft().close()
            raise
        if is_over:
            self._jobs.popleft().close()
        else:
            self._jobs.rotate(-1)
        return 1

    def _claim_one(self) -> Upload | None:
        """An upload that nobody works on, while there is room; only where there is one is anything written."""
        if (
            len(self._jobs) == MAX_JOBS
            or self._database.look(lambda session: session.scalars(self._select_free()).first()) is None
        ):
            return None
        return self._database.run(self._claim)

    def _select_free(self) -> Select[tuple[Upload]]:
        now = clock.now()
        free = or_(Upload.leased_until.is_(None), Upload.leased_until < now, Upload.leased_by == self._member)
        mine = [job.upload_id for job in self._jobs]
        wanted = and_(Upload.state.in_(WORKED_ON), Upload.kind.in_(self._importers), free, Upload.id.not_in(mine))
        return select(Upload).where(wanted).order_by(Upload.changed_at, Upload.id).limit(1)

    def _claim(self, session: Session) -> Upload | None:
        """One that was begun often and never got further is refused instead."""
        upload = session.scalars(self._select_free().with_for_update(skip_locked=True)).one_or_none()
        if upload is None:
            return None
        upload.attempts += 1
        if upload.attempts > MAX_ATTEMPTS:
            log.error("an upload is given up", upload=upload.id, attempts=upload.attempts)
            upload.end("refuse", clock.now(), UNPROCESSED)
            return None
        upload.leased_by, upload.leased_until = self._member, clock.now() + LEASE
        return upload

    def _purge(self) -> int:
        if self._purge_at is not None and clock.now() < self._purge_at:
            return 0
        gone = self._database.run(purge_uploads)
        if not gone:
            self._purge_at = clock.now() + PURGE_EVERY
        return gone

    def close(self) -> None:
        """Give the files up; another worker takes the uploads over when their leases end."""
        while self._jobs:
            self._jobs.pop().close()


def make_loop(importers: Importers) -> Any:
    """What makes the loop of a service, for its ``loops``."""
    return lambda context: UploadLoop(importers, context.database, context.member)
