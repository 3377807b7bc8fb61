"""How SQL is spoken: connections, transactions, opening and bringing up to date."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from automl_jupyter import errors
from automl_jupyter.backends.disk import disk_error, disk_told
from automl_jupyter.backends.lines import to_json
from automl_jupyter.backends.records import Json
from automl_jupyter.backends.tables import SCHEMA_VERSION, metadata

Record = TypeVar("Record")

_BUSY_SECONDS = 15
_AGAIN_SECONDS = 0.05
_BEGIN = "automl_begin"


def now() -> datetime:
    """Tell the time, aware and in UTC."""
    return datetime.now(UTC)


def values(record: Any) -> Json:
    """Write a record as the row that holds it."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def select(table: sa.Table, record: type[Record]) -> sa.Select[Any]:
    """Select the columns of a table that make a record."""
    return sa.select(*(table.c[name] for name in _names(record)))


def _names(record: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(record))


class SqlBase:
    """A database of which one thread writes at a time and any number read.

    SQLite runs in write-ahead mode, so that readers do not wait for the writer; other processes may write
    too, and are waited for.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._writer = threading.Lock()
        try:
            self._bring_up_to_date()
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with _translated(), self._writer, self._engine.connect() as connection:
            connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    def _page(
        self,
        record: type[Record],
        table: sa.Table,
        condition: sa.ColumnElement[bool],
        limit: int,
        offset: int,
    ) -> tuple[list[Record], int]:
        rows = select(table, record).where(condition).order_by(table.c.created.desc(), table.c.id.desc())
        with self._reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
            found = connection.execute(rows.limit(limit).offset(offset)).mappings()
            return [record(**row) for row in found], total

    def _bring_up_to_date(self) -> None:
        with _translated():
            with self._engine.connect() as connection:
                stored = _stored_version(connection)
            if stored == SCHEMA_VERSION:
                return
            if self._engine.dialect.name == "sqlite":
                _write_ahead(self._engine)
        with self._writing() as connection:
            # Another server may have done it since.
            if not sa.inspect(connection).get_table_names():
                _create(connection)
            elif _stored_version(connection) != SCHEMA_VERSION:
                _migrate(connection)


def _write_ahead(engine: sa.Engine) -> None:
    """Have readers not wait for the writer, from now on.

    For this one statement SQLite does not wait until another server is done with the file.
    """
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def one(connection: sa.Connection, record: type[Record], query: sa.Select[Any]) -> Record | None:
    """Read the record that a query finds, if it finds one."""
    row = connection.execute(query).mappings().first()
    return None if row is None else record(**row)


def many(connection: sa.Connection, record: type[Record], query: sa.Select[Any]) -> list[Record]:
    """Read all records that a query finds."""
    return [record(**row) for row in connection.execute(query).mappings()]


def _stored_version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    stored: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if stored is not None and stored > SCHEMA_VERSION:
        raise errors.Unavailable("backends.database_newer", stored=stored, known=SCHEMA_VERSION)
    return stored


def _create(connection: sa.Connection) -> None:
    """Make what all migrations together make; Alembic alone takes longer to import than this to run."""
    metadata.create_all(connection)
    connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(sa.text("INSERT INTO alembic_version VALUES (:version)"), {"version": SCHEMA_VERSION})


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    scripts = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _engine(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, json_serializer=to_json, pool_pre_ping=True)
    if parsed.database:
        _make_private(Path(parsed.database))
    engine = sa.create_engine(parsed, json_serializer=to_json, connect_args={"timeout": _BUSY_SECONDS})

    def connected(connection: Any, _: object) -> None:
        # Transactions are begun below, by us: the driver's own way begins them too late.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=NORMAL")

    def begun(connection: sa.Connection) -> None:
        options: Mapping[str, Any] = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(options.get(_BEGIN, "BEGIN"))

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


def _make_private(path: Path) -> None:
    with disk_told():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise disk_error(error) or errors.Unavailable("backends.database_unreadable") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise _refusal(error) from error
    except DatabaseError as error:
        if isinstance(error.orig, Exception) and type(error.orig).__name__ == "DatabaseError":
            raise errors.Unavailable("backends.database_unreadable") from error
        raise


_SQLITE_REFUSALS: Mapping[int, tuple[type[errors.AutoMLError], str]] = {
    sqlite3.SQLITE_FULL: (errors.NoSpace, "backends.disk_full"),
    sqlite3.SQLITE_READONLY: (errors.Unavailable, "backends.disk_closed"),
    sqlite3.SQLITE_IOERR: (errors.Unavailable, "backends.disk_failing"),
    sqlite3.SQLITE_CANTOPEN: (errors.Unavailable, "backends.database_unreadable"),
}


def _refusal(error: OperationalError) -> errors.AutoMLError:
    """Why the database did not do it; without a reason it says that it is busy."""
    reason = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_BUSY)
    # The lowest byte is the kind, the others say more of it: https://www.sqlite.org/rescode.html
    kind, code = _SQLITE_REFUSALS.get(reason & 0xFF, (errors.Unavailable, "backends.database_busy"))
    return kind(code)
