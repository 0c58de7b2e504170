"""Puts the server together: the one place that chooses a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import make_server

from cmdb_schemas.ci_class import CIClass, classes
from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.relations import relation_types
from cmdb_server.answers.past_graphs import PastGraphs
from cmdb_server.answers.sight import Sights
from cmdb_server.api import (
    access,
    agents,
    audit,
    baselines,
    changes,
    cis,
    compare,
    decisions,
    diff,
    docs,
    enrolments,
    explain,
    exports,
    feed,
    health,
    health_of_cmdb,
    impact,
    imports,
    intervals,
    jobs,
    kept,
    metrics,
    paths,
    problem,
    proofs,
    relations,
    reports,
    requires,
    retention,
    reviews,
    samples,
    schedule,
    search,
    services,
    single_points,
    timeline,
    tokens,
    webhooks,
)
from cmdb_server.api import classes as classes_resource
from cmdb_server.api.context import KEY, Context
from cmdb_server.api.metrics_registry import Metrics
from cmdb_server.api.quota import Quota
from cmdb_server.errors import SettingsError
from cmdb_server.jobs.runner import Runner
from cmdb_server.jobs.standing import work as do_jobs
from cmdb_server.jobs.timed import Running
from cmdb_server.jobs.webhooks import deliver
from cmdb_server.practices.audit import Witnessed
from cmdb_server.practices.kind import Kind
from cmdb_server.practices.kind_files import kinds as kept_kinds
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.sharing import Sharing
from cmdb_server.settings import Settings, secret
from cmdb_server.store.port import Loadable, Store

BLUEPRINTS = (
    reports.BLUEPRINT,
    cis.BLUEPRINT,
    relations.BLUEPRINT,
    search.BLUEPRINT,
    exports.BLUEPRINT,
    imports.BLUEPRINT,
    explain.BLUEPRINT,
    timeline.BLUEPRINT,
    samples.BLUEPRINT,
    diff.BLUEPRINT,
    baselines.BLUEPRINT,
    feed.BLUEPRINT,
    decisions.BLUEPRINT,
    reviews.BLUEPRINT,
    health_of_cmdb.BLUEPRINT,
    retention.BLUEPRINT,
    impact.BLUEPRINT,
    proofs.BLUEPRINT,
    requires.BLUEPRINT,
    paths.BLUEPRINT,
    single_points.BLUEPRINT,
    compare.BLUEPRINT,
    intervals.BLUEPRINT,
    services.BLUEPRINT,
    schedule.BLUEPRINT,
    classes_resource.BLUEPRINT,
    kept.BLUEPRINT,
    changes.BLUEPRINT,
    webhooks.BLUEPRINT,
    jobs.BLUEPRINT,
    tokens.BLUEPRINT,
    agents.BLUEPRINT,
    audit.BLUEPRINT,
    enrolments.BLUEPRINT,
    metrics.BLUEPRINT,
    health.BLUEPRINT,
)

DESCRIPTION = "Every time is RFC 3339; every refusal is RFC 9457 problem+json; every list pages by cursor."


def create_app(
    settings: Settings, store: Store | None = None, quota: Quota | None = None, key: bytes | None = None
) -> Flask:
    """The WSGI application. ``store``: instead of the one that the settings name; ``quota``, and the ``key`` of tokens
    that stand for what is not seen: shared by processes that part later. Raises SettingsError."""
    app = Flask("cmdb_server", static_folder=None)
    app.config.update(
        API_TITLE="CMDB",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": DESCRIPTION, "version": version("cmdb-server")}},
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[KEY] = _context(settings, store, quota, key)
    app.url_map.strict_slashes = False
    access.register(app)
    audit.register(app)
    api = problem.ProblemApi(app)
    problem.register(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    reports.describe_wire(api.spec)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(docs.BLUEPRINT)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def serve_for_development(settings: Settings, announce: Callable[[tuple[Any, ...]], None]) -> None:
    """Serve from this process alone, with threads, until interrupted. ``announce`` is told the socket's address."""
    app = create_app(settings)
    server = make_server(*settings.bind, app, threaded=True)
    announce(server.socket.getsockname())
    runners = runners_of(app)
    for runner in runners:
        runner.start()
    try:
        server.serve_forever()
    finally:
        for runner in runners:
            runner.end()


def runners_of(app: Flask) -> tuple[Runner, ...]:
    """What works beside an app, on its store; nothing where ``CMDB_JOBS`` is off. Timed jobs do not wait for those who
    listen to webhooks."""
    found: Context = app.extensions[KEY]
    if not found.settings.jobs:
        return ()
    running, networks = _running(found), found.settings.webhook_networks
    return (
        Runner(lambda now_ms: do_jobs(running, now_ms)),
        Runner(lambda now_ms: deliver(found.store, networks, now_ms), name="webhooks"),
    )


def running(settings: Settings) -> Running:
    """What jobs are done with, where no server runs."""
    return _running(_context(settings, None, None))


def _running(found: Context) -> Running:
    return Running(found.settings, found.store, found.projections, found.kinds, found.kept)


def open_store(settings: Settings) -> Loadable:
    """The store that the settings name. Raises SettingsError or StoreUnavailable."""
    address = settings.store
    if address.engine == "sqlite":
        from cmdb_server.store.sqlite import SqliteStore

        return SqliteStore(address.path or "cmdb.db")
    try:
        from cmdb_server.store.neo4j import Neo4jStore
    except ImportError:
        raise SettingsError("a Neo4j store needs its driver: pip install 'cmdb-server[neo4j]'") from None
    kinds = kinds_of(settings)
    return Neo4jStore(
        address.uri,
        address.user,
        secret(settings.store_password),
        address.database,
        ancestors=lambda name: kinds[name].ancestors if name in kinds else (),
    )


def kinds_of(settings: Settings) -> Mapping[str, CIClass]:
    """The classes in use, the installation's own included. Raises SettingsError."""
    try:
        return classes(*settings.classes)
    except DefinitionError as error:
        raise SettingsError(str(error)) from error


def _kept_kinds(settings: Settings) -> Mapping[str, Kind]:
    try:
        return kept_kinds(*settings.kinds)
    except DefinitionError as error:
        raise SettingsError(str(error)) from error


def _context(settings: Settings, store: Store | None, quota: Quota | None, key: bytes | None = None) -> Context:
    kinds, types = kinds_of(settings), relation_types()
    opened = Witnessed(store if store is not None else open_store(settings), audit.doing)
    # A store that was handed in may be another than the settings name.
    folder = settings.snapshot_folder if store is None else None
    projections = Projections(opened, Rules.of(types, kinds), sharing=Sharing(opened, folder) if folder else None)
    kept = _kept_kinds(settings)
    return Context(
        settings=settings,
        store=opened,
        quota=quota or Quota(settings.requests_per_minute, settings.bytes_per_minute),
        kinds=kinds,
        relation_types=types,
        metrics=Metrics(),
        projections=projections,
        kept=kept,
        sights=Sights(projections, kinds, kept, key),
        past=PastGraphs(),
    )
