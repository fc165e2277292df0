"""A table of a database, read by a column that grows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import ByteType, DataType, IntegerType, LongType, ShortType, TimestampNTZType, TimestampType

from distribution_job.failures import BatchError, Reason, choices
from distribution_job.jdbc_connection import Connection, connect
from distribution_job.jdbc_cursor import Identity, Position
from distribution_job.source_config import EARLIEST, LATEST, Jdbc, milliseconds
from distribution_job.staging import Staging

_NUMBERS = (ByteType, ShortType, IntegerType, LongType)
_TIMES = (TimestampType, TimestampNTZType)
_SECOND = 1_000_000  # a cursor that is a time is in microseconds since 1970
_BETWEEN = "\x1f"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JdbcSource:
    """The position is staged together with the rows that it follows from, so one is never without the other.

    A batch is two queries of one transaction: which rows are new, by cursor and key alone, and then these rows whole.
    """

    def __init__(self, spark: SparkSession, settings: Jdbc, starting_from: str) -> None:
        self._spark = spark
        self._settings = settings
        self._starting_from = starting_from

    def settle(self, staging: Staging) -> None:
        if staging.newest() >= 0:
            return
        position = Position()
        if self._starting_from != EARLIEST:
            with connect(self._spark, self._settings) as connection:
                position = _Table(self._settings, connection).beginning(self._starting_from)
        staging.put(0, list, position.to_json())

    def state(self) -> object:
        return object()  # only the table itself knows

    def bring(self, staging: Staging) -> None:
        while True:
            staging.await_room()  # rather than within the transaction
            position = Position.from_json(staging.position())
            with connect(self._spark, self._settings) as connection:
                table = _Table(self._settings, connection)
                new = table.new(position)
                if not new:
                    return
                after = position.after(new, table.late)
                staging.put(staging.newest() + 1, partial(self._rows, table, new), after.to_json())

    def behind(self) -> int | None:
        return None

    def _rows(self, table: _Table, new: list[Identity]) -> Iterable[DataFrame]:
        wanted = F.broadcast(self._spark.createDataFrame([(_text(identity),) for identity in new], "__wanted STRING"))
        for some in table.rows(min(new)[0], max(new)[0]):
            identified = some.withColumn("__identity", table.identity())
            yield identified.join(wanted, F.col("__identity") == F.col("__wanted"), "left_semi").drop("__identity")


class _Table:
    """The table within one transaction."""

    def __init__(self, settings: Jdbc, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._name = ".".join(map(connection.quoted, settings.table.split(".")))
        self._cursor = connection.quoted(settings.cursor_column)
        self._keys = [connection.quoted(column) for column in settings.key_columns]
        self._type = self._cursor_type()
        self.late = settings.late_within * (_SECOND if isinstance(self._type, _TIMES) else 1)

    def beginning(self, starting_from: str) -> Position:
        """The position before the first row that is to be distributed."""
        if starting_from != LATEST:
            if not isinstance(self._type, _TIMES):
                raise BatchError(
                    Reason.SOURCE_INVALID,
                    f"source.startingFrom: {starting_from} is a time, and the cursor column {self._settings.cursor_column} is none "
                    f"({self._type.simpleString()}). Set Earliest or Latest.",
                )
            return Position(floor=milliseconds(starting_from) * 1000)
        largest = self._identities(self._select(f"max({self._cursor}) AS {self._cursor}"), keys=False)
        position = Position(largest[0][0] if largest else None)
        return position if position.cursor is None else position.after(self._from(position.low(self.late)), self.late)

    def new(self, position: Position) -> list[Identity]:
        """The next rows after the position, at most so many as a batch has."""
        most = self._settings.max_rows_per_batch
        # Of what is found, no more can be known already than what is remembered.
        found = self._from(position.low(self.late), most + len(position.seen))
        return [identity for identity in found if identity not in position.seen][:most]

    def rows(self, first: int, last: int) -> Iterable[DataFrame]:
        """The rows whose cursors are between these, in parts."""
        where = f"{self._cursor} >= {self._literal(first)} AND {self._cursor} <= {self._literal(last)}"
        return self._connection.query(self._select("*", f"WHERE {where}"))

    def identity(self, keys: bool = True) -> Column:
        """A row's identity as text."""
        names = self._settings.key_columns if keys else ()
        number = F.col(f"`{self._settings.cursor_column}`")
        if isinstance(self._type, _TIMES):
            number = F.unix_micros(number.cast("timestamp"))
        # concat_ws would leave a null out, as if there were no such column.
        texts = [F.coalesce(F.col(f"`{name}`").cast("string"), F.lit("\x00")) for name in names]
        return F.concat_ws(_BETWEEN, number.cast("string"), *texts)

    def _from(self, low: int | None, most: int | None = None) -> list[Identity]:
        where = "IS NOT NULL" if low is None else f">= {self._literal(low)}"
        columns = ", ".join(dict.fromkeys([self._cursor, *self._keys]))
        limit = "" if most is None else self._connection.limit(most)
        return self._identities(self._select(columns, f"WHERE {self._cursor} {where} ORDER BY {columns} {limit}"))

    def _select(self, columns: str, rest: str = "") -> str:
        return f"SELECT {columns} FROM {self._name} {rest}"  # noqa: S608  names are quoted, and values are numbers

    def _identities(self, sql: str, keys: bool = True) -> list[Identity]:
        found = []
        for table in self._connection.query(sql):
            for row in (
                table.where(F.col(f"`{self._settings.cursor_column}`").isNotNull())
                .select(self.identity(keys))
                .collect()
            ):
                number, _, key = row[0].partition(_BETWEEN)
                found.append((int(number), key))
        return found

    def _cursor_type(self) -> DataType:
        columns = self._connection.columns(self._select("*", "WHERE 1 = 0"))
        for field, names in (
            ("cursorColumn", [self._settings.cursor_column]),
            ("keyColumns", self._settings.key_columns),
        ):
            for name in names:
                if name not in columns.names:
                    raise BatchError(
                        Reason.SOURCE_INVALID,
                        f"source.jdbc.{field}: the table {self._settings.table} has no column {name}. {choices(name, columns.names)}",
                    )
        kind = columns[self._settings.cursor_column].dataType
        if not isinstance(kind, (*_NUMBERS, *_TIMES)):
            raise BatchError(
                Reason.SOURCE_INVALID,
                f"source.jdbc.cursorColumn: {self._settings.cursor_column} is of the type {kind.simpleString()}. Name a column of whole "
                "numbers or of times that only grow.",
            )
        return kind

    def _literal(self, cursor: int) -> str:
        if not isinstance(self._type, _TIMES):
            return str(cursor)
        moment = _EPOCH + timedelta(microseconds=cursor)
        zone = "+00" if isinstance(self._type, TimestampType) else ""
        words = "TIMESTAMP WITH TIME ZONE" if zone else "TIMESTAMP"
        return f"{words} '{moment:%Y-%m-%d %H:%M:%S.%f}{zone}'"


def _text(identity: Identity) -> str:
    return _BETWEEN.join((str(identity[0]), identity[1]))
