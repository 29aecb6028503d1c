#!/usr/bin/env bash
# Makes .venv and installs into it the locked packages and the relay itself, in place.
# PYTHON=/path/to/python picks the interpreter; otherwise the first one that is new enough.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    say "no Python >= 3.11 found${PYTHON:+ at $PYTHON}; install one, or name it: make PYTHON=/path/to/python3"
    exit 1
}

# Debian keeps venv in a package of its own, and `import venv` works without it: only ensurepip tells.
need_venv() {
    "$1" -c 'import venv, ensurepip' >/dev/null 2>&1 && return
    local version
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "$1 cannot make virtual environments; installing python$version-venv"
        apt-get update -qq >/dev/null || say "the lists of packages are as old as they were"
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
            "python$version-venv" >/dev/null && return
    fi
    say "$1 cannot make virtual environments (no venv or ensurepip); on Debian: apt-get install python$version-venv"
    exit 1
}

python=$(find_python)
need_venv "$python"
if ! is_new_enough .venv/bin/python; then
    say "making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
fi
say "installing the locked packages into .venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export PIP_RETRIES=${PIP_RETRIES:-10} PIP_DEFAULT_TIMEOUT=${PIP_DEFAULT_TIMEOUT:-60}  # an index may be slow or away for a moment
.venv/bin/python -m pip install --quiet --require-hashes -r requirements/dev.txt
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
