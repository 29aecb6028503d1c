#!/bin/sh
# beside.sh PROGRAM ARGUMENT...: runs it in the network of another container (`network_mode: service:...`), and ends when that
# network has gone: a container that was started again has a new one, which is reached only by starting this one again too.
# `restart: unless-stopped` does that; nothing in Docker does it by itself after a crash.
set -eu
routes=${ROUTES:-/proc/net/route} # a heading, and a line for each network that there is

"$@" &
program=$!
trap 'kill -TERM "$program"' TERM INT
trap 'kill -USR1 "$program"' USR1 # by which HAProxy's image is stopped

while kill -0 "$program" 2>/dev/null; do
    if [ "$(wc -l <"$routes")" -le 1 ]; then
        sleep "${BACK_IN:-5}" # by then the other one runs again; while it does not, this one could not be started
        kill -TERM "$program"
        wait "$program" || true
        exit 1
    fi
    sleep 2 &
    wait $! || true
done
wait "$program"
