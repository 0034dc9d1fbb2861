"""What a model is worth, and what speaks for and against it."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.dependencies import ReadSession
from api.http.problems import responses
from api.pages.frame import WantsPage
from api.pages.report.whole import page_of_report
from api.routes.models import Version
from api.schemas.model_reports import ModelReport
from shared.registry import versions
from shared.registry.assessments import find_assessment
from shared.registry.pins import pinned_training

router = APIRouter(tags=["Models"])


@router.get(
    "/models/{version}/report",
    response_model=ModelReport,
    summary="Show what a model is worth",
    operation_id="report_model",
    responses=responses(404, 410, 503),
)
def report_model(version: Version, session: ReadSession, wants_page: WantsPage) -> ModelReport | HTMLResponse:
    """The metrics with their intervals, and all that tells how far they can be trusted; with pictures for browsers.

    Importances, confusion matrix or residuals, curves, partial dependence, metrics by slice, the rows that are most
    wrong, the folds, and what was done to each column. A model of an older release has its metrics and its columns.
    """
    model = versions.find_model(session, version)
    report = ModelReport.from_registered(model, pinned_training(session, model.row), find_assessment(session, version))
    return page_of_report(report) if wants_page else report
