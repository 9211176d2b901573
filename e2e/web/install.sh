#!/bin/sh
# Installs what package.json names, as package-lock.json pins it.
set -eu
cd "$(dirname "$0")"
if [ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
	exit 0
fi
echo "e2e/web/install.sh: npm ci"
npm ci --loglevel=error
