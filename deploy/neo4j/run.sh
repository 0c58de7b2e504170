#!/bin/sh
# Runs a Neo4j server in the foreground from a folder of jars (fetch.sh), listening on 127.0.0.1 only.
#
#   NEO4J_PASSWORD=... run.sh HOME [BOLT_PORT [LIB]]
#
# HOME keeps configuration and data; the password counts at the first start. NEO4J_HEAP (1g) and NEO4J_PAGECACHE (512m)
# are memory. The process is Java itself, so signals reach the server.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${1:?run.sh: HOME is missing}
port=${2:-7687}
lib=${3:-$here/../../.neo4j/lib}
ls "$lib"/neo4j-server-*.jar >/dev/null 2>&1 || { echo "run.sh: no Neo4j jars in $lib, run fetch.sh" >&2; exit 1; }
mkdir -p "$home/conf" "$home/data" "$home/logs"
home=$(cd "$home" && pwd)
cat >"$home/conf/neo4j.conf" <<CONF
server.bolt.listen_address=127.0.0.1:$port
server.bolt.advertised_address=127.0.0.1:$port
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=${NEO4J_PAGECACHE:-512m}
server.directories.data=$home/data
server.directories.logs=$home/logs
dbms.usage_report.enabled=false
CONF
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
if [ ! -e "$home/data/dbms/auth.ini" ] && [ ! -e "$home/data/databases" ]; then
    NEO4J_HOME=$home NEO4J_CONF=$home/conf "$java" -cp "$lib/*" org.neo4j.cli.AdminTool \
        dbms set-initial-password "${NEO4J_PASSWORD:?run.sh: NEO4J_PASSWORD is missing}" >/dev/null
fi
exec "$java" -Xmx"${NEO4J_HEAP:-1g}" -Xms256m -XX:+UseParallelGC -Dfile.encoding=UTF-8 \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
    --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
    --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
    -cp "$lib/*" org.neo4j.server.CommunityEntryPoint --home-dir="$home" --config-dir="$home/conf" --console-mode
