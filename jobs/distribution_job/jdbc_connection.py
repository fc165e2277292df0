"""A connection to a database by JDBC, from the driver alone: its login is in no plan, no task and no executor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from distribution_job.failures import BatchError, Reason
from distribution_job.source_config import Jdbc
from job_settings import kafka

_ROWS = 1000  # that are in the driver's memory at a time
_SECONDS = "30"  # to connect


class Connection:
    """One transaction, which sees the database as it was at the first query. Spark's own dialect turns rows into Spark's."""

    def __init__(self, spark: SparkSession, url: str, connection: Any) -> None:
        self._spark = spark
        self._connection = connection
        self._dialect = spark._jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(url)
        self._utils = spark._jvm.org.apache.spark.sql.execution.datasources.jdbc.JdbcUtils

    def quoted(self, name: str) -> str:
        """The name as it stands in SQL."""
        found: str = self._dialect.quoteIdentifier(name)
        return found

    def limit(self, rows: int) -> str:
        """The clause for at most so many rows."""
        found: str = self._dialect.getLimitClause(rows)
        return found

    def columns(self, sql: str) -> StructType:
        """What the query's columns are."""
        with self._result(sql) as result:
            return self._table(self._spark._jvm.java.util.ArrayList(), self._schema(result)).schema

    def query(self, sql: str) -> Iterator[DataFrame]:
        """The query's rows in tables of some thousand; each has to be done with before the next."""
        with self._result(sql) as result:
            schema = self._schema(result)
            groups = self._utils.resultSetToRows(result, schema, self._dialect).grouped(_ROWS)
            collections = self._spark._jvm.scala.jdk.javaapi.CollectionConverters
            while groups.hasNext():
                yield self._table(collections.asJavaCollection(groups.next()), schema)

    def _table(self, rows: Any, schema: Any) -> DataFrame:
        listed = self._spark._jvm.java.util.ArrayList(rows)
        return DataFrame(self._spark._jsparkSession.createDataFrame(listed, schema), self._spark)

    @contextmanager
    def _result(self, sql: str) -> Iterator[Any]:
        statement = self._connection.createStatement()
        try:
            statement.setFetchSize(_ROWS)
            yield statement.executeQuery(sql)
        finally:
            statement.close()

    def _schema(self, result: Any) -> Any:
        return self._utils.getSchema(self._connection, result, self._dialect, True, True)


@contextmanager
def connect(spark: SparkSession, settings: Jdbc) -> Iterator[Connection]:
    """Connect with the login that its files have now, for one transaction that changes nothing.

    Raises BatchError (SourceUnavailable) when a file cannot be read, and what the database's driver raises.
    """
    jvm = spark._jvm
    properties = jvm.java.util.Properties()
    try:
        user, password = kafka.login(settings.credentials_directory)
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(
            Reason.SOURCE_UNAVAILABLE,
            f"The credentials of {settings.url} cannot be read: {error}. source.jdbc.credentialsDirectory must hold username and password.",
        ) from error
    chosen = {"user": user, "password": password, "loginTimeout": _SECONDS, "connectTimeout": _SECONDS}
    if settings.ca_file is not None:
        chosen |= {"sslmode": "verify-full", "sslrootcert": str(settings.ca_file)}
    for name, value in chosen.items():
        properties.setProperty(name, value)
    connection = jvm.org.postgresql.Driver().connect(settings.url, properties)
    try:
        connection.setReadOnly(True)
        connection.setAutoCommit(False)  # without it the driver reads a whole answer into its memory
        connection.setTransactionIsolation(jvm.java.sql.Connection.TRANSACTION_REPEATABLE_READ)
        yield Connection(spark, settings.url, connection)
    finally:
        connection.close()
