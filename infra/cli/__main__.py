"""Lets ``python -m infra.cli`` be ``haihe``."""

from infra.cli.main import main

main()
