#!/bin/bash
# Runs one node of OpenSearch with the settings beside this script. It asks nobody for a password: the network policies
# say who may come, and the events that it holds are a copy.
set -euo pipefail
home=/usr/share/opensearch
export OPENSEARCH_PATH_CONF=/tmp/config
rm -rf "$OPENSEARCH_PATH_CONF"
mkdir -p "$OPENSEARCH_PATH_CONF"
cp -r "$home/config/." "$OPENSEARCH_PATH_CONF/"
cp /etc/payment-platform/search/{opensearch.yml,log4j2.properties} "$OPENSEARCH_PATH_CONF/"
if [[ -d "$home/plugins/opensearch-security" ]]; then
  echo "plugins.security.disabled: true" >>"$OPENSEARCH_PATH_CONF/opensearch.yml"
fi
# The rest of the limit is for the JVM itself, threads and the page cache.
heap="$((MEMORY_LIMIT_MIB * 45 / 100))m"
export OPENSEARCH_JAVA_OPTS="-Xms$heap -Xmx$heap"
cd "$home"
exec "$home/bin/opensearch"
