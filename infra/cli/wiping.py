"""wipe: throws data away."""

from __future__ import annotations

import shutil

import click

from infra.cli.place import Place, with_place
from infra.failures import AlreadyRunning, Failure


@click.command()
@click.option("--real", is_flag=True, help="Throw away data that no demo made, too.")
@with_place
def wipe(place: Place, real: bool) -> None:
    """Throws the data of a folder away for ever. Sample data only, unless told otherwise.

    \b
    Example:
      haihe wipe --data ./data
    """
    folder = place.folder
    if folder.holder() is not None:
        raise AlreadyRunning(f"Haihe runs on {folder.path}. Stop it first: haihe down --data {folder.path}")
    if not (folder.path / "postgres").exists() and not folder.is_sample:
        raise Failure(f"{folder.path} holds no data of Haihe.")
    if not folder.is_sample and not real:
        raise Failure(f"{folder.path} holds data that no demo made. To throw them away for ever add --real.")
    shutil.rmtree((folder.path / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(folder.path)
    place.tell({"wiped": str(folder.path)}, f"Threw {folder.path} away.")


COMMANDS = (wipe,)
