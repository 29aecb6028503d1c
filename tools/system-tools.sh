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
        gcc) echo gcc libc6-dev ;;
        php) echo php-cli ;;
        node) echo nodejs ;;
        java | javac) echo default-jdk-headless ;;
        *) echo "$1" ;;
    esac
}

# Libraries that a program of another language loads are told by a file of theirs.
is_there() {
    case $1 in
        libphp-phpmailer) [ -e /usr/share/php/libphp-phpmailer/autoload.php ] ;;
        libmail-java) [ -e /usr/share/java/javax.mail.jar ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
packages=() missing=()
for tool in "$@"; do
    is_there "$tool" && continue
    missing+=("$tool")
    read -ra names <<<"$(package_of "$tool")"
    packages+=("${names[@]}")
done
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
install() {
    apt-get update -qq &&
        { ! command -v debconf-set-selections >/dev/null ||
            echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections; } &&
        apt-get install -qq -y --no-install-recommends "${packages[@]}"
}
if ! install >"$log" 2>&1 </dev/null; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    give_up "apt-get failed"
fi
rm -f "$log"
