#!/bin/sh
# Records all rows again.
set -eu
cd "$(dirname "$0")"
for cases in cases/*.txt; do
  go run . "$cases" >"rows/$(basename "$cases" .txt).jsonl"
done
go run . -random 600 -seed 1 >rows/random.jsonl
