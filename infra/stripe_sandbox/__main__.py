"""The sandbox as a process of its own: started and watched by whoever needs a Stripe on this machine."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from infra.stripe_sandbox.server import Sandbox
from infra.stripe_sandbox.store import StoreBusy, StoreDamaged
from infra.stripe_sandbox.webhooks import post_to


def main() -> int:
    """Run until told to stop; the exit status."""
    asked = _arguments().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        sandbox = Sandbox(
            asked.data,
            api_key=asked.key_file.read_text().strip(),
            webhook_secret=asked.webhook_secret_file.read_text().strip(),
            post=post_to(asked.webhook_url),
            port=asked.port,
        )
    except (StoreBusy, StoreDamaged, OSError) as error:
        print(f"stripe sandbox: {error}", file=sys.stderr)
        return 1
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    sandbox.start()
    logging.info("stripe sandbox listens on %s", sandbox.url)
    told.wait()
    sandbox.stop()
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.stripe_sandbox", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the file that it keeps everything in")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key-file", type=Path, required=True, help="holds the secret API key that callers must send")
    parser.add_argument("--webhook-url", required=True, help="where events are posted to")
    parser.add_argument(
        "--webhook-secret-file", type=Path, required=True, help="holds the secret that events are signed with"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
