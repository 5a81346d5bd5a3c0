"""One stack for all tests of it, its operator, and a trade played through it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.api import Actor, Api, HttpCarrier, session_of
from loadtests.steel import SteelTrade
from tests.compose.stack import OPERATOR, Stack, find_docker


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack that is up; thrown away with its volumes at the end."""
    if missing := find_docker():
        pytest.skip(f"needs Docker with compose: {missing}")
    folder = Path(tempfile.mkdtemp(prefix="haihe-compose-"))
    stack = Stack.make(folder)
    try:
        stack.compose("build", "--quiet")
        stack.up()
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", "--timeout", "20", check=False)
        images = [f"{stack.name}:now", f"{stack.name}:before"]
        subprocess.run(["docker", "image", "rm", "--force", *images], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Actor:
    """The first operator, made by the command that the README names."""
    made = stack.compose("run", "--rm", "operator", "create", OPERATOR, "--json")
    api = Api(HttpCarrier(stack.url))
    return Actor(api, "operator", session_of(api, OPERATOR, json.loads(made.stdout)["password"]), "platform")


@pytest.fixture(scope="session")
def trade(stack: Stack, operator: Actor) -> SteelTrade:
    """A steel trade played from admission to payout through nginx."""
    trade = SteelTrade(operator.api, operator, wait_s=60.0)
    states = [step.state for step in trade.play()]
    assert states[-1] == "paid"
    return trade
