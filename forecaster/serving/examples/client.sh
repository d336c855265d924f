#!/bin/sh
# curl against a running server: client.sh http://127.0.0.1:8501 energy_demand [newer.csv]
set -eu
server=$1 name=$2 data=${3:-}
token=${FORECASTER_TOKEN:+"Authorization: Bearer $FORECASTER_TOKEN"}

curl -sS --fail-with-body "$server/v1/models/$name"; echo
curl -sS --fail-with-body ${token:+-H "$token"} -X POST "$server/api/forecast/$name?level=80" -H 'Accept: text/csv' \
  ${data:+-H 'Content-Type: text/csv' --data-binary "@$data"}
