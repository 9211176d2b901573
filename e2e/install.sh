#!/bin/sh
# Installs what the end-to-end tests need from Debian. Run as root; running it
# again changes nothing. No service is started.
set -eu

packages='
ca-certificates
chromium
curl
debootstrap
firewalld
gcc-mingw-w64-x86-64-win32
iproute2
jq
procps
prometheus
prometheus-alertmanager
rpm
systemd-container
util-linux
wine64
zstd
'

missing=
for package in $packages; do
	status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || status=
	[ "$status" = installed ] || missing="$missing $package"
done
# For web/install.sh; a Node.js from elsewhere is as good as Debian's.
command -v npm >/dev/null || missing="$missing npm"
if [ -z "$missing" ]; then
	exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
	echo "e2e/install.sh: missing:$missing; run it as root to install them" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "e2e/install.sh: missing:$missing; the end-to-end tests run on Debian, and apt-get is not here" >&2
	exit 1
fi

# A policy of 101 keeps packages from starting their services; one that is
# already there is the administrator's.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

echo "e2e/install.sh: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get --quiet=2 update
# shellcheck disable=SC2086 # the list is split on purpose
apt-get --quiet=2 --yes --no-install-recommends -o Dpkg::Use-Pty=0 install $missing
