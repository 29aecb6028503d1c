#!/usr/bin/env bash
# Installs the named programs of the system where it can: as root, by apt, without questions or started services.
# What it cannot install it names, and goes on: the tests that need it skip (with CI=true: fail) and say so too.
set -euo pipefail

# Packages whose programs the tests start themselves; `postfix` brings smtp-source and smtp-sink.
package_of() {
    case $1 in
        smtp-source | smtp-sink | postfix) echo postfix ;;
        swaks) echo swaks libnet-ssleay-perl ;;   # its TLS needs the second
        saslpasswd2) echo sasl2-bin libsasl2-modules ;;   # logins of Postfix as a provider
        promtool | prometheus) echo prometheus ;;
        systemd-analyze) echo systemd ;;
        redis-server | redis-cli) echo redis-server ;;
        luacheck) echo lua-check ;;
        gcc) echo gcc libc6-dev ;;
        php) echo php-cli ;;
        node) echo nodejs ;;
        java | javac) echo default-jdk-headless ;;
        *) echo "$1" ;;
    esac
}

# Libraries that a program loads are told by a file of theirs: the program may have come without them.
is_there() {
    case $1 in
        swaks) command -v swaks >/dev/null && perl -MNet::SSLeay -e1 2>/dev/null ;;
        saslpasswd2) command -v saslpasswd2 >/dev/null && has_file /usr/lib/*/sasl2/libplain.so /usr/lib/sasl2/libplain.so ;;
        gcc) command -v gcc >/dev/null && [ -e /usr/include/stdio.h ] ;;
        libphp-phpmailer) [ -e /usr/share/php/libphp-phpmailer/autoload.php ] ;;
        libmail-java) [ -e /usr/share/java/javax.mail.jar ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

has_file() {
    local file
    for file in "$@"; do
        [ -e "$file" ] && return
    done
    return 1
}

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
tools=("$@")

# What is missing of the tools, and the packages that have it.
look() {
    local tool names
    packages=() missing=()
    for tool in "${tools[@]}"; do
        is_there "$tool" && continue
        missing+=("$tool")
        read -ra names <<<"$(package_of "$tool")"
        packages+=("${names[@]}")
    done
}
look
[ ${#missing[@]} = 0 ] && exit 0

give_up() {
    echo "tools: not installed: ${missing[*]} ($1); the tests that need them will say so" >&2
    exit 0
}

[ "$(id -u)" = 0 ] || give_up "only root can: apt-get install ${packages[*]}"
command -v apt-get >/dev/null || give_up "no apt-get here"

# Debian asks this file whether it may start a service that it has just installed: 101 says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    trap 'rm -f $policy' EXIT
fi

echo "tools: installing ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)

# A mirror may be slow or away for a moment, and a machine that has just started may hold the lock for its own updates.
apt() {
    apt-get -qq -y -o Acquire::Retries=5 -o Acquire::http::Timeout=60 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

update() {
    for pause in 5 20 60; do
        apt update && return
        sleep "$pause"
    done
    echo "the lists of packages are as old as they were"
}

answer() {
    ! command -v debconf-set-selections >/dev/null ||
        echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
}

# All at once, and again for what a mirror gave half; then each by itself: one that cannot be had, as where a newer one
# from elsewhere stands in its way, must not keep out the others.
install() {
    local package
    update
    answer
    apt install --no-install-recommends "${packages[@]}" && return
    sleep 5
    apt install --no-install-recommends --fix-missing "${packages[@]}" && return
    for package in "${packages[@]}"; do
        apt install --no-install-recommends "$package" || echo "not had: $package"
    done
}
install >"$log" 2>&1 || true
look
if [ ${#missing[@]} != 0 ]; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    give_up "apt-get failed"
fi
rm -f "$log"
