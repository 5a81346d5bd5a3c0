#!/bin/sh
# Writes constraints.txt: what pip chooses today in an empty environment, by name and version only.
set -eu
python=${1:-python3}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
"$python" -m venv "$box"
"$box/bin/python" -m pip install --quiet --disable-pip-version-check '.[test]'
{
    echo "# The exact versions that Haihe is tested with, by name and version only. Written by \`make constraints\`."
    "$box/bin/python" -m pip freeze | grep -v '^haihe'
} > constraints.txt
