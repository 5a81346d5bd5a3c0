"""The group of all commands, and how failures become one message and an exit status."""

from __future__ import annotations

import errno
import sys

import click
import msgspec
import psycopg
from sqlalchemy.exc import DBAPIError

from chassis.brokers import BrokerDown
from chassis.database import Unreachable
from chassis.migrate import HalfMigrated
from chassis.problems import Problem
from chassis.settings import BadSetting
from chassis.telemetry import configure_logging
from infra import failures
from infra.cli import inspection, markets, messages, processes, readers, running, setting_up, simulate, wiping
from infra.failures import Failure

BAD_SETTING = 2
REFUSED = 1
_OF_ANOTHER_SCHEMA = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="haihe")
def haihe() -> None:
    """Haihe, a trading platform for industrial goods.

    Commands work on the embedded platform in --data, or, when HAIHE_IDENTITY_DATABASE and its like are set, on the
    databases that the environment names.

    \b
    Example:
      haihe up --data ./data --port 8080
    """


for module in (running, setting_up, inspection, markets, readers, simulate, messages, processes, wiping):
    for command in module.COMMANDS:
        haihe.add_command(command)


def main() -> None:
    """Runs the command; exits with its status, or with the status of the failure after saying what it is."""
    configure_logging(process="haihe", level="WARNING")
    try:
        # Without standalone mode click returns the status of an Exit instead of leaving with it.
        sys.exit(haihe(standalone_mode=False))
    except click.Abort:
        _fail("Aborted.", 130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except Failure as failure:
        _fail(str(failure), failure.code)
    except BadSetting as wrong:
        _fail(str(wrong), BAD_SETTING)
    except HalfMigrated as error:
        _fail(str(error), failures.HalfMigrated.code)
    except (psycopg.Error, DBAPIError) as error:
        _fail_on_database(error)
    except BrokerDown as down:
        _fail(
            f"The broker cannot be reached: {down.detail}. See that it runs and that HAIHE_BROKER names it.",
            failures.DatabaseUnreachable.code,
        )
    except Unreachable as lost:
        _fail_on_database(lost.__cause__ or lost)
    except Problem as problem:
        _fail(f"{problem.title()} {problem.detail}".strip(), REFUSED)
    except OSError as error:
        _fail_on_disk(error)


def _fail_on_database(error: BaseException) -> None:
    cause = getattr(error, "orig", None) or error
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    if isinstance(cause, _OF_ANOTHER_SCHEMA):
        _fail(
            f"The database's schema is not the one of this version ({said}). `haihe up` or `haihe migrate` brings an "
            "older one up to date; a newer one is for the version that made it.",
            failures.HalfMigrated.code,
        )
    if isinstance(cause, psycopg.errors.DiskFull) or "No space left" in said:
        _fail(
            f"The database's disk is full. Make room and try again; nothing is lost. ({said})", failures.DiskFull.code
        )
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | Unreachable):
        raise error
    _fail(
        f"The database cannot be reached: {said}. See that it runs and that its address is right, and try again.",
        failures.DatabaseUnreachable.code,
    )


def _fail_on_disk(error: OSError) -> None:
    if error.errno == errno.ENOSPC:
        _fail(f"No space is left for {error.filename or 'the data'}. Make room and try again.", failures.DiskFull.code)
    _fail(f"{error.strerror}: {error.filename}" if error.filename else str(error), REFUSED)


def _fail(message: str, code: int) -> None:
    if "--json" in sys.argv:
        click.echo(msgspec.json.encode({"error": message, "code": code}).decode())
    else:
        click.echo(f"haihe: {message}", err=True)
    sys.exit(code)
