"""What it takes to come to the same model again."""

from api.pages.markup import element, facts, listing
from api.pages.report.parts import Section, section
from api.schemas.model_reports import ModelReport


def pinned(report: ModelReport) -> Section | None:
    """The table, the request and the libraries of the training."""
    pin = report.pin
    threads = None if pin.threads is None else f"{pin.threads} on {pin.machine}"
    return section(
        "pin",
        "Trained by",
        facts(
            ("Dataset version", str(pin.dataset_version)),
            ("Its bytes", f"SHA-256 {pin.dataset_sha256}"),
            ("Libraries", ", ".join(f"{name} {release or '?'}" for name, release in pin.libraries.items())),
            ("Recipe", str(pin.recipe)),
            ("Threads", threads),
            ("Rows kept to compare answers", str(pin.golden_rows)),
        ),
        element(
            "details",
            element("summary", "The whole request"),
            listing(pin.request),
        ),
    )
