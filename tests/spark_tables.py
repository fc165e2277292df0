"""Tables that a test's Spark writes, as a science database's own process would."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame


def append(kind: str, table: Path, rows: DataFrame) -> None:
    """Append to a Delta or an Iceberg table, which is made when it is not there; it gets columns that it lacks."""
    if kind == "iceberg":
        _prepare(table, rows)
    rows.write.format(kind).mode("append").option("mergeSchema", "true").save(str(table))


def _prepare(table: Path, rows: DataFrame) -> None:
    """Delta does this by itself; Iceberg's connector needs a catalog for it, and the table is in a folder."""
    jvm = rows.sparkSession._jvm
    tables = jvm.org.apache.iceberg.hadoop.HadoopTables(rows.sparkSession._jsc.hadoopConfiguration())
    schema = jvm.org.apache.iceberg.spark.SparkSchemaUtil.convert(rows._jdf.schema())
    if not tables.exists(str(table)):
        tables.create(schema, jvm.org.apache.iceberg.PartitionSpec.unpartitioned(), str(table))
    tables.load(str(table)).updateSchema().unionByNameWith(schema).commit()
