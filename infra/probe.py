"""The health check of a container: ``python -m infra.probe PORT [PATH]`` ends with 0 when that address answers 200."""

from __future__ import annotations

import sys
import urllib.request

TIMEOUT_S = 4.0


def main(port: str, path: str = "/health") -> int:
    """0 when it answers, 1 when not."""
    host = "127.0.0.1"
    try:
        with urllib.request.urlopen(f"http://{host}:{int(port)}{path}", timeout=TIMEOUT_S) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
