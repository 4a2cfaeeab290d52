"""Finds columns of a file, or values inside its objects, for fields that it seems to lack."""

from collections.abc import Collection, Iterable

from app.datasets.record import Source
from app.datasets.shapes.known import proposals


def likely_places(fields: Iterable[str], source: Source, columns: Collection[str] = ()) -> dict[str, str]:
    """Return for each field a column, or a path such as `user.id`, that has a likely name.

    Without `columns`, those of the source are searched. What is read already is left out.
    """
    taken = {column for places in source.places.values() for column in places}
    return proposals(fields, columns or source.columns, taken, source.inside)


def unnamed(source: Source) -> list[str]:
    """Return the fields for which no column, and no value inside an object, is named."""
    present = {*source.columns, *source.inside}
    return [name for name, places in source.places.items() if not present & set(places)]
