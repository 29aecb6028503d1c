#!/bin/sh
# Makes what the nodes of deploy/compose.yaml share and nobody else may know, once; what is there already stays.
# As root it gives each file to the user of the image that reads it; otherwise they are readable for all on this machine,
# because the images run as users of their own: then keep the folder to yourself.
set -eu
folder=$(dirname "$0")/../secrets
relay=10001 # the user of the relay's image
redis=999   # that of Redis's

mkdir -p "$folder"
chmod 0711 "$folder"
umask 077

make() {
    [ -e "$folder/$1" ] || cat >"$folder/$1.new"
    [ ! -e "$folder/$1.new" ] || mv "$folder/$1.new" "$folder/$1"
    if [ "$(id -u)" = 0 ]; then chown "$2" "$folder/$1" && chmod 0400 "$folder/$1"; else chmod 0444 "$folder/$1"; fi
}

openssl rand -base64 32 | make relay.key $relay
if [ ! -e "$folder/redis.conf" ] || [ ! -e "$folder/store.url" ]; then
    rm -f "$folder/redis.conf" "$folder/store.url" # they say the same password
    password=$(openssl rand -hex 32)
    echo "requirepass $password" | make redis.conf $redis
    echo "redis://:$password@redis:6379/0" | make store.url $relay
fi
echo "secrets in $folder"
