# The agent. Build from the repository's root: docker build -f deploy/agent.Dockerfile -t cmdb-agent .
# It holds no server code. In a container it scans others over SSH and SNMP; to scan its own host, install it there.
FROM python:3.13-slim AS build
WORKDIR /src
COPY constraints.txt ./
COPY schemas schemas
COPY agents agents
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/cmdb && /opt/cmdb/bin/pip install ./schemas './agents[ssh,snmp]'

FROM python:3.13-slim
RUN useradd --system --uid 10002 --home-dir /var/lib/cmdb-agent --create-home cmdb-agent
COPY --from=build /opt/cmdb /opt/cmdb
ENV PATH=/opt/cmdb/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    CMDB_AGENT_SPOOL=/var/lib/cmdb-agent/spool.sqlite
USER cmdb-agent
WORKDIR /var/lib/cmdb-agent
VOLUME /var/lib/cmdb-agent
ENTRYPOINT ["cmdb-agent"]
