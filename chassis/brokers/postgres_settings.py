"""How the PostgreSQL broker reaches its database, and what of psycopg's errors means that the broker is down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chassis.brokers import DEFAULT_PARTITIONS, RETENTION_S, BrokerDown

_LIMITS = "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s -c jit=off"
_READER = "-c synchronous_commit=off -c enable_seqscan=off -c enable_bitmapscan=off"
"""A commit of offsets that a crash loses is only read again; and the one way to read the log is its primary key."""


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """Where the broker's own database is, and its limits.

    A process uses at most ``pool_size`` connections, and one more for each subscription. A member that has not polled for
    ``lease_s`` may lose its partitions; one whose connection is gone loses them as soon as another member looks.
    """

    conninfo: str = field(repr=False)
    lease_s: float = 30.0
    retention_s: float = RETENTION_S
    partitions: int = DEFAULT_PARTITIONS
    pool_size: int = 2

    @classmethod
    def read(cls, url: str) -> PostgresSettings:
        """From a libpq URL whose query may also set the fields above. Raises ValueError."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        kinds = {"lease_s": float, "retention_s": float, "partitions": int, "pool_size": int}
        own = {name: kind(query.pop(name)) for name, kind in kinds.items() if name in query}
        plain = urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query)))
        try:
            return replace(cls(conninfo=make_conninfo(plain)), **own)
        except psycopg.ProgrammingError as error:
            raise ValueError(f"not an address of a PostgreSQL broker: {error}") from None

    @property
    def address(self) -> str:
        """Host and database, without user and password."""
        parts = conninfo_to_dict(self.conninfo)
        return f"{parts.get('host', '')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"

    def conninfo_for(self, name: str, *, options: str = "") -> str:
        """A connection string with our limits, and with this name in pg_stat_activity."""
        given = conninfo_to_dict(self.conninfo)
        ours = {
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "application_name": name[:63],
        }
        limits = " ".join(filter(None, (_LIMITS, options, str(given.get("options") or ""))))
        return make_conninfo(
            self.conninfo, **{key: value for key, value in ours.items() if key not in given}, options=limits
        )

    def connect_reader(self, name: str) -> psycopg.Connection:
        """A connection of its own for a subscription, in autocommit."""
        return psycopg.connect(self.conninfo_for(name, options=_READER), autocommit=True)


@contextmanager
def broker_down() -> Iterator[None]:
    """Turn what psycopg raises when the server is away, stops, is full or does not answer in time into BrokerDown."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise BrokerDown(str(error).strip() or type(error).__name__) from error
