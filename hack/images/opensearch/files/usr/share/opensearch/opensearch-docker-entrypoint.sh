#!/bin/bash
# Runs one node. As in the public image, settings come from config/opensearch.yml and from environment variables
# with a dot in their names (discovery.type=single-node), Java's options from OPENSEARCH_JAVA_OPTS. The image has no
# security plugin: it is as if DISABLE_SECURITY_PLUGIN=true were set.
set -eu
home=/usr/share/opensearch
given=${OPENSEARCH_PATH_CONF:-$home/config}
work=$(mktemp -d /tmp/opensearch.XXXXXX)
mkdir "$work/config"
cp "$given/opensearch.yml" "$work/config/"
cp "$([ -f "$given/log4j2.properties" ] && echo "$given" || echo "$home/config")/log4j2.properties" "$work/config/"
cluster=$(sed -n 's/^cluster\.name: *//p' "$given/opensearch.yml")
while IFS='=' read -r -d '' name value; do
    if [[ $name =~ ^[a-z0-9_]+(\.[a-z0-9_]+)+$ ]]; then
        # A variable wins over the same setting in the file, which may be there once only.
        sed -i "/^${name//./\\.}:/d" "$work/config/opensearch.yml"
        printf '%s: "%s"\n' "$name" "${value//\"/\\\"}" >> "$work/config/opensearch.yml"
        [ "$name" != cluster.name ] || cluster=$value
    fi
done < <(env --null)
# The node listens on the first free port after the base port.
# The options are lists of words, so they stay unquoted.
# shellcheck disable=SC2086
exec java -Xms512m -Xmx512m -XX:+UseG1GC -Djava.io.tmpdir="$work" -Djava.awt.headless=true -Dlog4j2.disable.jmx=true \
    -Dopensearch.networkaddress.cache.ttl=60 -Djava.security.manager=allow ${OPENSEARCH_JAVA_OPTS:-} \
    -cp "$home/lib/*" org.codelibs.opensearch.runner.OpenSearchRunner \
    -basePath "$work" -confPath "$work/config" -dataPath "$home/data" -logsPath "$home/logs" \
    -numOfNode 1 -baseHttpPort 9199 -clusterName "${cluster:-docker-cluster}" -disableESLogger
