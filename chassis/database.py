"""One PostgreSQL database a service: its base, its transactions, and the only ways to select a model.

The edge opens the transaction with ``Database.run``: returning commits, raising rolls back. Models are selected by ``get``
(visible to the caller, locked for change), ``see`` (visible, no lock) and ``page`` (visible, by cursor) and by nothing else, so
that authorisation cannot be forgotten.
"""

from __future__ import annotations

import base64
import binascii
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Engine,
    MetaData,
    Select,
    Text,
    bindparam,
    create_engine,
    select,
    true,
)
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from chassis.columns import money as money
from chassis.columns import quantity as quantity
from chassis.columns import unit_price as unit_price
from chassis.problems import Invalid, NotFound, Problem, Unavailable

T = TypeVar("T")
M = TypeVar("M", bound="Model")

ATTEMPTS = 3
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 15_000
IDLE_TIMEOUT_MS = 30_000
STATEMENTS_KEPT = 1_024
NETWORK = {"tcp_user_timeout": 20_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""libpq: a database whose machine is gone says nothing; a call to it ends after some twenty seconds, not when TCP gives up."""

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_RETRIED = {"40P01", "40001"}  # deadlock_detected, serialization_failure
_BUSY = {"55P03": "another request holds what this one needs", "57014": "the database took too long"}

transaction_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


class Unreachable(Unavailable):
    """The database cannot be reached for now."""


class Model(DeclarativeBase):
    """What every table's class has: an id, and who may see it."""

    __abstract__ = True
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {}
    type_annotation_map: ClassVar[Mapping[Any, Any]] = {str: Text(), datetime: DateTime(timezone=True)}

    @classmethod
    def visible_to(cls, caller: Any) -> ColumnElement[bool]:
        """The rows that a caller may see, as an SQL criterion that follows from the caller alone: it is kept and used again."""
        raise NotImplementedError(f"{cls.__name__} does not say who may see it")


def base(service: str) -> type[Model]:
    """The declarative base of a service, with metadata and constraint names of its own."""
    metadata = MetaData(naming_convention=_NAMING)
    return type(
        f"{service.capitalize()}Base", (Model,), {"__abstract__": True, "metadata": metadata, "service": service}
    )


Chassis = base("chassis")


class Database:
    """The connections of one service in one process. Made after fork."""

    def __init__(self, url: str, *, pool_size: int = 8, application: str = "haihe") -> None:
        options = (
            f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} -c timezone=UTC"
        )
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            connect_args={"options": options, "application_name": application, "connect_timeout": 5, **NETWORK},
        )
        # psycopg's own executemany sends a statement for each row; this makes one INSERT of the rows of a flush.
        self.engine.dialect.use_insertmanyvalues_wo_returning = True
        self._writing = sessionmaker(self.engine, expire_on_commit=False)
        self._reading = sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False, autoflush=False
        )
        self.after_emit: Callable[[], None] | None = None

    def run(self, work: Callable[[Session], T]) -> T:
        """Run a command in a transaction: returning commits, raising rolls back.

        A deadlock, a serialization failure or a connection lost before COMMIT runs the whole command again with a fresh session;
        after three attempts, and when the connection is lost at COMMIT, Unavailable is raised.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(work)
            except PoolTimeout as error:
                raise Unavailable("every connection to the database is busy") from error
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _may_retry(error):
                    raise _problem_of(error) from error
                time.sleep(random.uniform(0.005, 0.03) * attempt)
        raise AssertionError("unreachable")

    def _attempt(self, work: Callable[[Session], T]) -> T:
        with self._writing() as session:
            token = transaction_open.set(True)
            try:
                result = work(session)
                session.flush()
                try:
                    session.commit()
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise Unreachable(
                            "the connection was lost while committing: ask again with the same key"
                        ) from error
                    raise
            finally:
                transaction_open.reset(token)
            if self.after_emit and session.info.get("emitted"):
                self.after_emit()
            return result

    def look(self, work: Callable[[Session], T]) -> T:
        """Run a query, which changes nothing: no transaction is opened, each statement sees what is committed."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._reading() as session:
                    return work(session)
            except PoolTimeout as error:
                raise Unavailable("every connection to the database is busy") from error
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _may_retry(error):
                    raise _problem_of(error) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _may_retry(error: DBAPIError) -> bool:
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _RETRIED


def _problem_of(error: DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    if state in _BUSY:
        return Unavailable(_BUSY[state])
    if state in _RETRIED:
        return Unavailable("too many requests change the same things")
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return Unreachable()
    if isinstance(error, IntegrityError):
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        for model in _all_models(Model):
            if make := model.constraint_problems.get(name):
                return make()
    return error


def _all_models(model: type[Model]) -> Iterable[type[Model]]:
    for child in model.__subclasses__():
        yield child
        yield from _all_models(child)


@sqlalchemy_event.listens_for(Session, "after_flush")
def _remember_new(session: Session, _context: Any) -> None:
    note_locked(session, *session.new)


def is_locked(session: Session, model: Model) -> bool:
    """Whether a model is new in this transaction or was locked by ``get``."""
    return model in session.info.get("locked", ()) or model in session.new


def note_locked(session: Session, *models: Model) -> None:
    """Say that models are locked by a statement of another kind than ``get``, so that events may be about them."""
    session.info.setdefault("locked", set()).update(models)


@lru_cache(STATEMENTS_KEPT)
def _criterion(model: type[M], caller: Any) -> ColumnElement[bool]:
    return true() if caller.is_system else model.visible_to(caller)


@lru_cache(STATEMENTS_KEPT)
def _select_one(model: type[M], caller: Any) -> Select[tuple[M]]:
    """A select by ``:id``. Callers come again: to build it each time costs as much as to run it."""
    return select(model).where(model.id == bindparam("id"), _criterion(model, caller))


@lru_cache(STATEMENTS_KEPT)
def _select_one_locked(model: type[M], caller: Any) -> Select[tuple[M]]:
    return _select_one(model, caller).with_for_update(of=model).execution_options(populate_existing=True)


def get(session: Session, model: type[M], id: str, caller: Any) -> M:
    """The model with an id, locked for change. Raises NotFound when there is none or the caller may not see it."""
    found = get_if_any(session, model, id, caller)
    if found is None:
        raise NotFound(f"no {_noun(model)} {id!r}")
    return found


def get_if_any(session: Session, model: type[M], id: str, caller: Any) -> M | None:
    """As ``get``, but None when there is none or the caller may not see it."""
    found = session.scalars(_select_one_locked(model, caller), {"id": id}).one_or_none()
    if found is not None:
        note_locked(session, found)
    return found


def get_many(session: Session, model: type[M], ids: Iterable[str], caller: Any) -> list[M]:
    """The models with the ids, locked in the order of their ids. Raises NotFound that names what is missing."""
    wanted = sorted(set(ids))
    if not wanted:
        return []
    query = select(model).where(model.id.in_(wanted), _criterion(model, caller)).order_by(model.id)
    found = list(session.scalars(query.with_for_update(of=model).execution_options(populate_existing=True)))
    if len(found) < len(wanted):
        missing = sorted(set(wanted) - {row.id for row in found})
        raise NotFound(f"no {_noun(model)} {', '.join(missing)}", missing=missing)
    note_locked(session, *found)
    return found


def see(session: Session, model: type[M], id: str, caller: Any) -> M:
    """The model with an id, without a lock. Raises NotFound when there is none or the caller may not see it."""
    found = session.scalars(_select_one(model, caller), {"id": id}).one_or_none()
    if found is None:
        raise NotFound(f"no {_noun(model)} {id!r}")
    return found


class Page(msgspec.Struct, Generic[T]):
    """One page of a list, newest first; ``next`` is the cursor of the page after it, or null."""

    items: list[T]
    next: str | None = None

    def map(self, view: Callable[[T], Any]) -> Page[Any]:
        """The same page of what ``view`` makes of each item."""
        return Page([view(item) for item in self.items], self.next)


def page(
    session: Session, model: type[M], caller: Any, cursor: str | None, limit: int, *where: ColumnElement[bool]
) -> Page[M]:
    """What the caller may see, newest first by id, at most ``limit`` after a cursor. Raises Invalid on a strange cursor."""
    query = select(model).where(_criterion(model, caller), *where).order_by(model.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(model.id < read_cursor(cursor))
    rows: Sequence[M] = session.scalars(query).all()
    if len(rows) <= limit:
        return Page(list(rows))
    return Page(list(rows[:limit]), write_cursor(rows[limit - 1].id))


def write_cursor(id: str) -> str:
    """An opaque cursor that continues after an id."""
    return base64.urlsafe_b64encode(id.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """The id that a cursor continues after. Raises Invalid."""
    try:
        id = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        id = ""
    if not id or not id.isprintable():
        raise Invalid("this is not a cursor that a list has given", field="$.cursor")
    return id


def project(session: Session, model: type[Model], key: Mapping[str, Any], version: int, **values: Any) -> bool:
    """Keep another service's thing: inserted, or replaced when the speaker's version is higher. True when it was taken in.

    ``values`` are column names; the model has a ``version`` column.
    """
    return bool(project_many(session, model, list(key), [{**key, "version": version, **values}]))


def project_many(session: Session, model: type[Model], key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep some of another service's things with one statement, as ``project`` does; how many were taken in.

    Each row has the columns of the key, ``version`` and the same others; of rows with one key the highest version counts.
    """
    latest = {tuple(row[name] for name in key): row for row in sorted(rows, key=lambda row: row["version"])}
    if not latest:
        return 0
    statement = insert(model)
    statement = statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in rows[0] if name not in key},
        where=model.version < statement.excluded.version,
    )
    # In the order of the keys, so that two who keep the same things wait for each other and do not deadlock.
    return len(session.execute(statement.returning(model.version), [latest[one] for one in sorted(latest)]).all())


def _noun(model: type[Model]) -> str:
    return model.__tablename__.replace("_", " ")
