"""What surrounds every request, in the order that the platform and a server of one model share."""

from collections.abc import Container, Mapping

from starlette.middleware import Middleware

from api.http.metrics import Metrics
from api.http.middleware import AccessRecord, HeadRequests, RequestContext
from api.http.origins import origin_checks
from api.http.request_limits import BodyLimit, RequestLimits
from api.protocols.error_forms import ErrorForm, ErrorForms
from shared.settings import Settings


def surroundings(
    settings: Settings,
    *,
    metrics: Metrics,
    names: Container[str | None],
    forms: tuple[ErrorForm, ...],
    gate: Middleware,
    file_limits: Mapping[tuple[str, str], BodyLimit],
) -> list[Middleware]:
    """The middleware, the outermost first.

    `names` are the hosts that are answered, `forms` the errors of other protocols, `gate` decides who may pass, and
    `file_limits` are those of bodies that are files, by path and media type.
    """
    return [
        Middleware(RequestContext),
        Middleware(AccessRecord, metrics=metrics),
        Middleware(ErrorForms, forms=forms),
        *origin_checks(names=names, trusted=settings.cors_origins),
        gate,
        Middleware(HeadRequests),
        Middleware(
            RequestLimits,
            usual=BodyLimit(settings.json_max_bytes, "MLMINI_JSON_MAX_BYTES"),
            exceptions=file_limits,
            body_seconds=settings.body_seconds,
        ),
    ]
