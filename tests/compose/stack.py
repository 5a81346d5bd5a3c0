"""A compose stack under test: the project's own file as it is, or on the host's network where an engine has no other."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from chassis.migrate import SERVICES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
READY_WITHIN_S = 240.0
OPERATOR = "operator@example.com"


def find_docker() -> str | None:
    """Why there is no Docker with compose v2 here, or None when there is."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for words in (["docker", "info"], ["docker", "compose", "version"]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"`{' '.join(words)}` says: {(done.stderr or done.stdout).strip().splitlines()[-1:]}"
    return None


def has_bridge() -> bool:
    """Whether containers get networks of their own here; ``HAIHE_TEST_NETWORK`` (``bridge`` or ``host``) may decide it."""
    if wanted := os.environ.get("HAIHE_TEST_NETWORK"):
        return wanted == "bridge"
    probe = f"haihe-probe-{secrets.token_hex(3)}"
    steps = (["create", "--driver", "bridge", probe], ["rm", probe])
    return all(
        subprocess.run(["docker", "network", *words], capture_output=True, check=False).returncode == 0
        for words in steps
    )


def has_default_network() -> bool:
    """Whether a build gets the network that Docker has from the start; an engine may have bridges and not this one."""
    command = ["docker", "network", "ls", "--format", "{{.Name}}"]
    return "bridge" in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class Stack:
    """One stack with its secrets and variables in ``folder``."""

    folder: Path
    name: str = field(default_factory=lambda: f"haihe-test-{secrets.token_hex(3)}")
    variables: dict[str, str] = field(default_factory=dict)
    port: int = 0
    bridged: bool = True
    has_network: bool = True

    @classmethod
    def make(cls, folder: Path) -> Stack:
        """A stack with free ports and fresh secrets; nothing runs yet."""
        stack = cls(folder, bridged=has_bridge(), has_network=has_default_network())
        (stack.port,) = free_ports(1)
        stack.variables = {
            "HAIHE_STACK": stack.name,
            "HAIHE_IMAGE": f"{stack.name}:now",
            "HAIHE_SECRETS": str(folder / "secrets"),
        }
        stack.variables |= {"HAIHE_PUBLIC_URL": stack.url, "HAIHE_PUBLISH": f"127.0.0.1:{stack.port}"}
        postgres = "postgres:5432"
        if not stack.bridged:
            stack.variables |= stack._loopback_variables()
            postgres = f"127.0.0.1:{stack.variables['HAIHE_POSTGRES_PORT']}"
        command = [sys.executable, "-m", "infra.cli", "secrets", str(folder / "secrets"), "--postgres", postgres]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        stack.write_variables()
        return stack

    def _loopback_variables(self) -> dict[str, str]:
        names = [f"{service}_{part}" for service in SERVICES for part in ("WEB", "WORKER", "POKE")]
        names += [
            "POSTGRES",
            "KAFKA",
            "KAFKA_CONTROLLER",
            "ELASTICSEARCH",
            "ELASTICSEARCH_TRANSPORT",
            "GATEWAY",
            "STREAMS",
            "PROMETHEUS",
        ]
        names += ["STRIPE_MOCK", "STRIPE_MOCK_TLS"]
        here = "127.0.0.1"
        told = {
            f"HAIHE_{name.upper()}_PORT": str(port) for name, port in zip(names, free_ports(len(names)), strict=True)
        }
        hosts = [*(f"{service.upper()}_{part}" for service in SERVICES for part in ("WEB", "WORKER"))]
        told |= {f"HAIHE_{name}_HOST": here for name in (*hosts, "KAFKA", "ELASTICSEARCH", "GATEWAY", "STREAMS")}
        told |= {f"HAIHE_{name}_LISTEN": here for name in ("POSTGRES", "KAFKA", "ELASTICSEARCH", "STRIPE_MOCK")}
        return told | {"HAIHE_LISTEN": here, "HAIHE_NGINX_LISTEN": f"{here}:{self.port}", "HAIHE_WEB_WORKERS": "1"}

    def write_variables(self) -> None:
        """Puts the variables where compose reads them."""
        (self.folder / "variables.env").write_text(
            "".join(f"{name}={value}\n" for name, value in self.variables.items())
        )

    @property
    def url(self) -> str:
        """Where nginx answers."""
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *words: str, timeout_s: float = 900.0, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs docker compose on the stack; fails with what it said."""
        files = ["-f", str(ROOT / "infra" / "compose.yaml")]
        overrides = {"compose.loopback.yaml": not self.bridged, "compose.bare.yaml": not self.has_network}
        for name in (name for name, is_needed in overrides.items() if is_needed):
            files += ["-f", str(HERE / name)]
        command = ["docker", "compose", *files, "--env-file", str(self.folder / "variables.env"), *words]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HAIHE_")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env=environ, check=False)
        if check and done.returncode:
            raise AssertionError(
                f"docker compose {' '.join(words)}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def up(self) -> None:
        """Brings it up and returns when every service and loop is ready."""
        self.compose("up", "--detach", "--quiet-pull")
        deadline = time.monotonic() + READY_WITHIN_S
        while not (found := self.ask_readiness())["ready"]:
            if time.monotonic() > deadline:
                logs = self.compose("logs", "--tail", "15", check=False).stdout
                raise AssertionError(f"not ready in time: {json.dumps(found)}\n{logs[-8000:]}")
            time.sleep(0.5)

    def ask_readiness(self) -> dict:
        """What nginx's /ready says; not ready when it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            return {"ready": False, "said": refused.read().decode(errors="replace")}
        except OSError as error:
            return {"ready": False, "said": str(error)}

    def list_containers(self, service: str) -> list[str]:
        """The ids of the service's containers that run."""
        return self.compose("ps", "--quiet", service).stdout.split()


def list_answered(container: str) -> set[str]:
    """The ids of the commands and refusals that a container has answered, as its log says."""
    said = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True).stderr
    lines = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    return {line["request_id"] for line in lines if line.get("event") == "request"}


def kill(container: str) -> None:
    """Ends a container with SIGKILL; compose does not start it again."""
    subprocess.run(["docker", "kill", container], capture_output=True, check=True)
