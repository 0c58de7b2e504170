#!/bin/sh
# Fetches the Neo4j server's jars (about 125 MB) with Maven into FOLDER/lib; FOLDER is .neo4j of the repository unless
# told. Does nothing when they are there. See docs/neo4j.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../.neo4j}
for tool in mvn java; do
    command -v "$tool" >/dev/null || { echo "fetch.sh: $tool is missing (Maven and a JDK 17 are needed)" >&2; exit 1; }
done
[ -e "$folder/complete" ] && exit 0
mkdir -p "$folder/lib"
mvn --quiet --batch-mode --file "$here/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$(cd "$folder" && pwd)/lib"
touch "$folder/complete"
echo "fetched $(ls "$folder/lib" | wc -l) jars into $folder/lib"
