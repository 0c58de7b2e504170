# The server. Build from the repository's root: docker build -f deploy/server.Dockerfile -t cmdb-server .
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md constraints.txt ./
COPY schemas schemas
COPY cmdb_server cmdb_server
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/cmdb && /opt/cmdb/bin/pip install ./schemas '.[neo4j]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/cmdb --create-home cmdb
COPY --from=build /opt/cmdb /opt/cmdb
ENV PATH=/opt/cmdb/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 CMDB_STORE=sqlite:///var/lib/cmdb/cmdb.db
USER cmdb
WORKDIR /var/lib/cmdb
VOLUME /var/lib/cmdb
EXPOSE 8460
ENTRYPOINT ["cmdb"]
CMD ["serve"]
