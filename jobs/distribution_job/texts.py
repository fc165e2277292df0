"""Text that is not UTF-8: found wherever in a column it stands, and kept from readers that decode strictly.

Nothing here takes a lambda, which Spark does not compile (see `single_pass`). So the text in arrays and maps is only looked at, joined. To look costs
next to nothing, to publish a struct or an array on a condition a fifth of a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructType

_BETWEEN = ","  # what is cut off between two texts is not mended by the next


def has_text(kind: DataType) -> bool:
    """Whether there is any text in a column of this type."""
    match kind:
        case StringType():
            return True
        case StructType():
            return any(has_text(field.dataType) for field in kind.fields)
        case ArrayType():
            return has_text(kind.elementType)
        case MapType():
            return has_text(kind.keyType) or has_text(kind.valueType)
    return False


def is_sound(column: Column, kind: DataType) -> Column:
    """Whether all text in a column that has some is UTF-8; a null is."""
    return reduce(and_, (F.coalesce(F.is_valid_utf8(text), F.lit(True)) for text in _texts(column, kind)), F.lit(True))


def mended(column: Column, kind: DataType) -> Column:
    """The column with U+FFFD for what is no text; an array or a map with such in it is null."""
    match kind:
        case StringType():
            return F.make_valid_utf8(column)
        case StructType() if has_text(kind):
            fields = [mended(column.getField(field.name), field.dataType).alias(field.name) for field in kind.fields]
            # To take a struct apart costs a copy, so only those are.
            return F.when(is_sound(column, kind) | column.isNull(), column).otherwise(F.struct(*fields))
        case ArrayType() | MapType() if has_text(kind):
            return F.when(is_sound(column, kind), column)
    return column


def _texts(column: Column, kind: DataType) -> Iterator[Column]:
    """Strings that are UTF-8 if all text in the column is. Maps in arrays, and arrays in one that has nulls too, are not looked into."""
    match kind:
        case StringType():
            yield column
        case StructType():
            for field in kind.fields:
                if has_text(field.dataType):
                    yield from _texts(column.getField(field.name), field.dataType)
        case ArrayType(elementType=StringType()):
            yield F.array_join(column, _BETWEEN)
        case ArrayType(elementType=StructType() as element):
            for field in element.fields:
                if has_text(field.dataType):
                    yield from _texts(column.getField(field.name), ArrayType(field.dataType))
        case ArrayType(elementType=ArrayType() as inner):
            yield from _texts(F.flatten(column), inner)
        case MapType():
            for part, of in ((F.map_keys(column), kind.keyType), (F.map_values(column), kind.valueType)):
                if has_text(of):
                    yield from _texts(part, ArrayType(of))
