#!/bin/sh
# Puts into a server what the example reads, and gets out what Outrigger logs in with. It runs in the server's own image:
#
#     setup.sh COMMAND CREDENTIALS [DIRECTORY…]
#
# COMMAND is `vault` or `bao`. CREDENTIALS is made, and it and each DIRECTORY are given to Outrigger's user where that can be done.
set -eu
command=$1 credentials=$2
shift

# A KV engine prepares itself for a moment after its server has started.
again() {
  for _ in 1 2 3 4 5 6 7 8 9; do
    "$@" && return
    sleep 1
  done
  "$@"
}
# What was changed by hand stays as it is.
put() {
  "$command" kv get "$1" >/dev/null 2>&1 || again "$command" kv put "$@" >/dev/null
}

put secret/app/db user=app password=first
put secret/app/api key=first
"$command" policy write outrigger - <<'POLICY'
path "secret/data/app/*" { capabilities = ["read"] }
# To see a change cheaply.
path "secret/metadata/app/*" { capabilities = ["read"] }
POLICY
"$command" auth list | grep -q '^approle/' || "$command" auth enable approle
"$command" write auth/approle/role/outrigger token_policies=outrigger token_ttl=1h

umask 077
mkdir -p "$credentials"
"$command" read -field=role_id auth/approle/role/outrigger/role-id >"$credentials/role-id"
"$command" write -force -field=secret_id auth/approle/role/outrigger/secret-id >"$credentials/secret-id"
if [ "$(id -u)" = 0 ]; then chown -R 65532:65532 "$@"; fi
