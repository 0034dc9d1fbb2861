"""Errors of the dataset catalog."""

from shared.errors.tree import Conflict, Invalid, Permanent, TooLarge, Unavailable, Unknown


class InvalidName(Invalid):
    """The name has nothing left, or too much, once it is normalised to letters, digits and underscores."""


class InvalidTable(Invalid):
    """The file cannot be read as a table."""


class DuplicateColumns(Invalid):
    """Two columns of the table have one name."""


class EmptyTable(Invalid):
    """The table has no rows or no columns."""


class TableTooLarge(TooLarge):
    """The table has more columns, longer fields or more data than the limits allow."""


class ReaderBusy(Unavailable):
    """So many others wait for first rows that one more would wait for long; ask again a little later."""


class ReaderUnavailable(Unavailable):
    """The process that reads files cannot start, or was ended from outside; the file is not at fault, send it again."""


class UnknownDataset(Unknown):
    """No dataset of that name is in the catalog."""


class UnknownDatasetVersion(Unknown):
    """The dataset has no version of that number."""


class UnknownExample(Unknown):
    """No example of that name is bundled."""


class ExampleNameTaken(Conflict):
    """The name of the example holds other data in this catalog."""


class DatasetInUse(Conflict):
    """A model refers to the dataset; archive it instead of deleting it."""


class DatasetCorrupt(Permanent):
    """The stored file of the dataset is not the one that was uploaded; upload it again."""


class UploadOvertaken(Conflict):
    """The dataset was deleted while its file was being stored; upload the file again."""
