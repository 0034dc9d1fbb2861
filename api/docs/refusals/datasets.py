"""Problems of the catalog."""

from api.docs.refusals.common import DATASET, PAGE, VERSION, query
from shared.errors import (
    BodyTooLarge,
    DatasetInUse,
    DuplicateColumns,
    EmptyTable,
    InvalidName,
    InvalidRequest,
    InvalidTable,
    PlatformError,
    TableTooLarge,
    UnsupportedMediaType,
    UploadOvertaken,
)

REFUSALS: dict[str, list[PlatformError]] = {
    "upload_dataset": [
        InvalidTable(
            "Line 2 has 3 fields where the header has 2: quote a field that has the delimiter in it, or remove what is "
            "too much. It begins: '1, 2, 3'.",
            errors=[{"loc": ["file", 2], "msg": "3 fields instead of 2"}],
        ),
        DuplicateColumns(
            "Each column needs a name of its own, but some appear more than once: 'a' (columns 1, 2). Rename or remove "
            "them; the first line must hold the names.",
            errors=[{"loc": ["file", "a"], "msg": "columns 1, 2 have this name"}],
        ),
        EmptyTable("The table has no rows. A line with the names of the columns and one row are the least."),
        InvalidName(
            "The name '___.csv' has no letter a-z and no digit in it. Give the dataset another name in the field "
            "'name', for instance 'my_dataset'."
        ),
        InvalidRequest(
            "There is no file. Send the file as the part 'file' of a multipart/form-data body, for instance with "
            "`curl -F file=@table.csv`.",
            errors=[{"loc": ["body", "file"], "msg": "is missing"}],
        ),
        UploadOvertaken(),
        TableTooLarge("In line 1, the table has more than 5,000 columns."),
        BodyTooLarge("The body is larger than the 8,590,000,128 bytes that this call takes."),
        UnsupportedMediaType(
            "The body has the content type 'text/csv', but must be multipart/form-data. Send the file as the part "
            "'file' of a multipart/form-data body, for instance with `curl -F file=@table.csv`."
        ),
    ],
    "list_datasets": PAGE,
    "get_dataset": [DATASET],
    "delete_dataset": [
        DATASET,
        DatasetInUse(
            "Models were trained on the dataset 'iris', so it stays. DELETE /datasets/iris?archive=true hides it and "
            "lets them go on."
        ),
    ],
    "list_dataset_versions": [DATASET, *PAGE],
    "preview_dataset": [
        DATASET,
        VERSION,
        TableTooLarge("The file could not be read within 600 seconds. Upload a smaller one."),
        query("rows", "It must be greater than or equal to 1, not '0'."),
    ],
}
