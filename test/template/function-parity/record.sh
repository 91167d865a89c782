#!/bin/sh
# Records all rows again, or those of the files that are named: `./record.sh text math`. `sockaddr` sees the interfaces of the machine, so it is recorded where there are only known ones.
set -eu
cd "$(dirname "$0")"
program=$(mktemp)
trap 'rm -f "$program"' EXIT
go build -o "$program" .
unshare --map-root-user --net ./interfaces.sh "$program" "$@"
