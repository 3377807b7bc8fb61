"""The tables of the database; how they came about stands in ``migrations/``."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA_VERSION = "0003"
"""The migration that makes the tables as they stand here; migrations are numbered in order."""

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC without a zone, as not every database knows zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Take an aware time to UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that a time read is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def _id(name: str = "id") -> Column[str]:
    return Column(name, String(40), primary_key=True)


servers = Table(
    "servers",
    metadata,
    _id(),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("heartbeat", UtcDateTime, nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    _id(),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("table_digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("columns", JSON, nullable=False),
    Column("dialect", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("parent", ForeignKey("datasets.id", ondelete="SET NULL")),
    Index("datasets_by_owner", "owner", "created", "id"),
    Index("datasets_by_parent", "parent"),
)

uploads = Table(
    "uploads",
    metadata,
    _id(),
    Column("owner", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("size", BigInteger),
    Column("created", UtcDateTime, nullable=False),
    Column("updated", UtcDateTime, nullable=False),
    Index("uploads_by_owner", "owner", "created", "id"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("owner", Text, nullable=False),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("target", Text),
    Column("task", String(40), nullable=False),
    Column("metric", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("started", UtcDateTime),
    Column("ended", UtcDateTime),
    Column("time_budget", Float, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("columns", JSON(none_as_null=True)),
    Column("progress", Float, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("server_id", String(40), nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("model_version_id", String(40)),
    Column("mlflow_run_id", String(64)),
    Column("planned_budget", Float, nullable=False, server_default="0"),
    Column("spent", Float, nullable=False, server_default="0"),
    Column("options", JSON, nullable=False, server_default="{}"),
    Column("resumed", UtcDateTime),
    Column("outlook", JSON(none_as_null=True)),
    Index("jobs_by_owner", "owner", "created", "id"),
    Index("jobs_by_dataset", "dataset_id"),
    Index("jobs_by_state", "state"),
)

trials = Table(
    "trials",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("score", Float),
    Column("low", Float),
    Column("high", Float),
    Column("tied_with_best", Boolean, nullable=False),
    Column("baseline", Boolean, nullable=False),
    Column("fit_seconds", Float),
    Column("predict_seconds", Float),
    Column("state", String(20), nullable=False),
    Column("reason", JSON(none_as_null=True)),
)

events = Table(
    "events",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("data", JSON, nullable=False),
)

models = Table(
    "models",
    metadata,
    _id(),
    Column("owner", Text, nullable=False),
    Column("name", String(80), nullable=False),
    Column("task", String(40), nullable=False),
    Column("target", Text),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("champion", Integer),
    Column("previous", JSON, nullable=False),
    Column("last_version", Integer, nullable=False),
    UniqueConstraint("owner", "name", name="models_by_name"),
    Index("models_by_owner", "owner", "created", "id"),
    Index("models_by_dataset", "dataset_id"),
)

versions = Table(
    "versions",
    metadata,
    _id(),
    Column("model_id", ForeignKey("models.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("job_id", String(40), nullable=False),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("metric", String(40), nullable=False),
    Column("score", Float),
    Column("low", Float),
    Column("high", Float),
    Column("baseline_score", Float),
    Column("key", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("contract", JSON, nullable=False),
    Column("leaderboard", JSON, nullable=False),
    Column("mlflow_run_id", String(64)),
    Column("mlflow_model_uri", Text),
    Column("mlflow_version", String(20)),
    UniqueConstraint("model_id", "version", name="versions_by_number"),
    Index("versions_by_dataset", "dataset_id"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("server_id", String(40), nullable=False),
    Column("owner", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Index("outbox_by_server", "server_id", "created"),
    Index("outbox_by_subject", "entry", "subject"),
)
