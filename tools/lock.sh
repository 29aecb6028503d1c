#!/usr/bin/env bash
# Writes requirements/*.txt: exact versions with hashes, from pyproject.toml and requirements/*.in.
# Versions that are locked already stay unless asked for: tools/lock.sh --upgrade, or --upgrade-package NAME.
# The files name no package index: whoever installs uses the one that his pip is set up for.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    local output=$1
    shift
    CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
        --output-file "$output" "$@"
}

compile requirements/runtime.txt pyproject.toml "$@"
compile requirements/build.txt requirements/build.in "$@"
compile requirements/dev.txt --constraint requirements/runtime.txt pyproject.toml requirements/dev.in "$@"

if grep -nE '://|--(extra-)?index-url|--find-links' requirements/*.txt; then
    echo "lock: a lock file names a place on the network; it must not" >&2
    exit 1
fi
