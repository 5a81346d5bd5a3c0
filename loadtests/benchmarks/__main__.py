"""Lets ``python -m loadtests.benchmarks`` be ``haihe bench``."""

import sys

from loadtests.benchmarks import main

sys.exit(main(sys.argv[1:]))
