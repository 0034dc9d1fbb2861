"""Errors of the dataset catalog."""

from shared.errors.tree import Conflict, Invalid, Permanent, TooLarge, Unavailable, Unknown


class InvalidName(Invalid):
    """Without anything but letters, digits and underscores, the name is empty, too long or begins with a digit."""

    hint = "Give the dataset another name of a-z, 0-9 and _ in the field `name`."


class InvalidTable(Invalid):
    """The file cannot be read as a table."""

    hint = "Correct the place that the error names, or save the table anew as CSV, TSV, Parquet, JSON Lines or .xlsx."


class HeaderDoubtful(Invalid):
    """The first line does not seem to hold the names of the columns, so that columns could be mixed up."""

    hint = (
        "Send the field 'header' with the number of the line that holds the names, or 'none' together with 'names'; or "
        "write the names into the first line."
    )


class ReadingRefused(Invalid):
    """The file cannot be read in the way that the request asks for, or says nothing that tells how it is meant."""

    hint = (
        "Change the field that the error names, such as 'encoding', 'delimiter', 'header', 'decimal' or 'kinds', to "
        "what the file holds, or leave it out to have it found out."
    )


class DuplicateColumns(Invalid):
    """Two columns of the table have one name."""

    hint = "Give each column a name of its own in the first line; upper and lower case count as different."


class EmptyTable(Invalid):
    """The table has no rows or no columns."""

    hint = "Upload a file with the names of the columns in its first line, and at least one row below it."


class TableTooLarge(TooLarge):
    """The table has more columns, longer fields or more data than the limits allow."""

    hint = "Upload fewer columns or rows, or have the setting raised that `setting` names."


class ReaderBusy(Unavailable):
    """So many others wait for first rows that one more would wait for long."""

    hint = "Ask again a few seconds later."


class ReaderUnavailable(Unavailable):
    """The process that reads files cannot start, or was ended from outside. The file is not to blame."""

    hint = "Send the request again. If it stays so, the log of the API says why the process does not start."


class UnknownDataset(Unknown):
    """The catalog does not have a dataset of that name."""

    hint = "Look at `GET /datasets`; upload the table, or set `use_example` to take a bundled example."


class UnknownDatasetVersion(Unknown):
    """The dataset does not have a version of that number."""

    hint = "Look at `GET /datasets/{name}/versions`, or leave the version out to have the newest."


class UnknownExample(Unknown):
    """Examples of that name are not bundled."""

    hint = "Take one of those that `available` lists."


class ExampleNameTaken(Conflict):
    """In this catalog, the name of the example belongs to other data."""

    hint = "Leave `use_example` out to train on those data, or delete that dataset first."


class DatasetInUse(Conflict):
    """Models were trained on the dataset, or jobs on it have not ended."""

    hint = "Hide it with `DELETE /datasets/{name}?archive=true`, and its models go on; or erase them, and end the jobs."


class DatasetCorrupt(Permanent):
    """The stored file of the dataset is not the one that was uploaded."""

    hint = "Upload the same file again, which puts it back, or bring the bucket back from a backup."


class UploadOvertaken(Conflict):
    """The dataset was deleted while its file was being stored."""

    hint = "Upload the file again."
