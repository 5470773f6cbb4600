#!/bin/bash
# Runs one node of Elasticsearch 8 with the settings beside this script and the password of the Secret for `elastic`.
set -euo pipefail
home=/usr/share/elasticsearch
export ES_PATH_CONF=/tmp/config
rm -rf "$ES_PATH_CONF"
mkdir -p "$ES_PATH_CONF"
cp -r "$home/config/." "$ES_PATH_CONF/"
cp /etc/payment-platform/search/{elasticsearch.yml,log4j2.properties} "$ES_PATH_CONF/"
[[ -f "$ES_PATH_CONF/elasticsearch.keystore" ]] || "$home/bin/elasticsearch-keystore" create --silent
printf '%s' "$SEARCH_PASSWORD" | "$home/bin/elasticsearch-keystore" add --stdin --force bootstrap.password
heap="$((MEMORY_LIMIT_MIB * 45 / 100))m"
export ES_JAVA_OPTS="-Xms$heap -Xmx$heap"
unset SEARCH_PASSWORD
cd "$home"
exec "$home/bin/elasticsearch"
