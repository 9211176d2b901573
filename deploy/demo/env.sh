#!/bin/sh
# Writes .env with passwords of this stack alone, once: a file that is there stays as it is, as the
# databases keep the passwords they were made with.
set -eu
cd "$(dirname "$0")/../.."
if [ -e .env ]; then
	exit 0
fi
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
mongodb=$(password)
cat >.env.new <<END
# Passwords of the demo stack, made by deploy/demo/env.sh. "make demo-down" keeps the data that go with
# them; "docker compose down --volumes" removes it, and this file may then go, too.
MONGODB_ROOT_PASSWORD=$(password)
MONGODB_PASSWORD=$mongodb
MONGODB_URI=mongodb://server_monitor:$mongodb@172.30.42.10:27017/server_monitor?authSource=server_monitor
GRAFANA_PASSWORD=$(password)
END
mv .env.new .env
echo "deploy/demo/env.sh: wrote .env with new passwords"
