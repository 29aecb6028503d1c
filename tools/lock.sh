#!/usr/bin/env bash
# Writes requirements/*.txt from pyproject.toml and requirements/*.in: exact versions with hashes, for every Python >= 3.11
# (some packages are needed by early 3.11 alone, so the versions of the Python at hand are not enough).
# Versions that are locked already stay unless asked for: tools/lock.sh --upgrade, or --upgrade-package NAME.
# The files name no package index: whoever installs uses the one that his pip is set up for.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'

compile() {
    local output=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file "$output" "$@"
}

compile requirements/runtime.txt pyproject.toml "$@"
compile requirements/build.txt requirements/build.in "$@"
compile requirements/dev.txt --constraints requirements/runtime.txt pyproject.toml requirements/dev.in "$@"
compile requirements/servers.txt requirements/servers.in --no-deps "$@"

if grep -nE '://|--(extra-)?index-url|--find-links' requirements/*.txt; then
    echo "lock: a lock file names a place on the network; it must not" >&2
    exit 1
fi
