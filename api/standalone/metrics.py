"""What Prometheus reads of a server of one model."""

from fastapi import APIRouter, Request, Response

from api.dependencies import PredictingPartsDep
from api.http.metrics import MEDIA_TYPE, Metrics

router = APIRouter()


@router.get("/metrics")
async def get_metrics_alone(request: Request, parts: PredictingPartsDep) -> Response:
    """Requests by method, route and status with their duration, as the platform tells them."""
    metrics: Metrics = request.app.state.metrics
    metrics.tell(overdue=parts.predicting.overdue())
    return Response(metrics.render(), media_type=MEDIA_TYPE)
