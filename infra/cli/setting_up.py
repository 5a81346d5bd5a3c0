"""What is done once or by hand: migrate, secrets, the nginx configuration, the first operator, the demo."""

from __future__ import annotations

from pathlib import Path

import click

from chassis import settings
from chassis.brokers.opening import open_broker
from chassis.migrate import SERVICES
from gateway.nginx import render_template
from infra.assembly import list_topics, load_services, open_service
from infra.cli.place import Place, names_databases, reach, with_place
from infra.failures import Failure
from infra.migrations import ensure_databases, migrate_service
from infra.stack_secrets import make_stack_secrets


@click.command()
@click.option("--superuser-url-file", type=click.Path(path_type=Path, exists=True), envvar="HAIHE_POSTGRES_URL_FILE",
              show_envvar=True, help="File with the superuser's address: makes missing roles and databases.")  # fmt: skip
@with_place
def migrate(place: Place, superuser_url_file: Path | None) -> None:
    """Brings every database to this version: makes it when it is missing, migrates it, writes its first rows, makes
    topics.

    \b
    Example:
      haihe migrate
    """
    if superuser_url_file and names_databases():
        ensure_databases(superuser_url_file.read_text().strip())
    done: dict[str, list[str]] = {}
    with reach(place) as environ:
        for name in SERVICES:
            done[name] = migrate_service(name, environ)
        broker = open_broker(settings.read("", environ).broker)
        try:
            broker.ensure_topics(list_topics())
        finally:
            broker.close()
    place.tell(done, "\n".join(f"{name}: {', '.join(new) or 'was up to date'}" for name, new in done.items()))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--postgres",
    default="postgres:5432",
    show_default=True,
    metavar="HOST:PORT",
    help="Where services reach PostgreSQL.",
)
@click.option(
    "--mqtt", metavar="HOST:PORT", help="Where workers hear the readers of an MQTT broker.  [default: nowhere]"
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def secrets(folder: Path, postgres: str, mqtt: str | None, as_json: bool) -> None:
    """Makes the secret files of the distributed profile in a folder; what is there stays.

    \b
    Example:
      haihe secrets infra/secrets
    """
    names = make_stack_secrets(folder, postgres=postgres, mqtt=mqtt)
    Place(folder, None, as_json).tell({"folder": str(folder), "files": names}, f"{len(names)} files are in {folder}.")


@click.command()
def nginx() -> None:
    """Prints the template of nginx's configuration for this version's routes.

    \b
    Example:
      haihe nginx > infra/nginx/haihe.conf.template
    """
    click.echo(render_template(load_services()), nl=False)


@click.group()
def operator() -> None:
    """People who run the platform.

    \b
    Example:
      haihe operator create ops@example.com --name "Ops"
    """


@operator.command("create")
@click.argument("email")
@click.option("--name", help="Shown to others.  [default: the address]")
@with_place
def create_operator(place: Place, email: str, name: str | None) -> None:
    """Makes an operator and prints the password, once.

    \b
    Example:
      haihe operator create ops@example.com --name "Ops"
    """
    from infra.operators import make_operator

    with reach(place) as environ, open_service("identity", environ) as (_, database):
        made = make_operator(database, email=email, name=name or email)
    place.tell(made, f"Operator {email} may log in.\nPassword (shown only now): {made['password']}")


@click.group()
def demo() -> None:
    """Sample trades over the public HTTP API.

    \b
    Example:
      haihe demo steel
    """


@demo.command("steel")
@with_place
def play_steel(place: Place) -> None:
    """Plays the steel trade from listing to payout on the platform that runs on --data, which must hold sample data.

    \b
    Example:
      haihe up --demo --detach && haihe demo steel
    """
    from infra.demo.steel import play

    if not place.folder.is_sample:
        raise Failure(
            f"{place.folder.path} does not hold sample data. Make some in a folder of its own: haihe up --demo --data …"
        )
    if place.folder.holder() is None:
        raise Failure(
            f"Nothing runs on {place.folder.path}: start it with `haihe up --demo --data {place.folder.path}`."
        )
    steps = play(place.folder, place.url, show=None if place.as_json else click.echo)
    if place.as_json:
        place.tell(steps)


COMMANDS = (migrate, secrets, nginx, operator, demo)
