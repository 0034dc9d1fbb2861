"""Models as pages."""

import json
from typing import Any

from fastapi.responses import HTMLResponse

from api.pages.frame import page, told
from api.pages.markup import Content, element, facts, link, listing, table
from api.schemas.models import Model


def page_of_model(model: Model) -> HTMLResponse:
    """One model: where it serves, how well it does, and what it was made from."""
    here = f"/models/{model.version}"
    return page(
        f"Model {model.version}",
        facts(
            ("Dataset", f"{model.dataset_name}, version {model.dataset_version}"),
            ("Predicts", model.target),
            ("Estimator", model.estimator),
            ("Furthest stage", model.stage),
            ("Trained", told(model.trained_at)),
            ("Tags", ", ".join(model.tags)),
            ("Note", model.note),
            ("Made by", link(f"job {str(model.job_id)[:8]}", f"/jobs/{model.job_id}")),
            ("File", link(model.artifact_path, f"{here}/artifact")),
            ("SHA-256", element("code", model.sha256)),
        ),
        table("Where it is or was active", ["Stage", "Since", "Retired", "Why"], [*_stays(model)]),
        table("Metrics", ["Metric", "Value"], [*_pairs(model.metrics)]) if model.metrics else None,
        table("Parameters", ["Parameter", "Value"], [*_pairs(model.parameters)]) if model.parameters else None,
        element("h2", "Signature"),
        listing(model.signature),
    )


def _stays(model: Model) -> list[list[Content]]:
    return [
        [
            stay.stage,
            told(stay.created_at),
            told(stay.retired_at),
            stay.retired_reason,
        ]
        for stay in model.deployments
    ]


def _pairs(values: dict[str, Any]) -> list[list[Content]]:
    return [[name, json.dumps(value, ensure_ascii=False)] for name, value in values.items()]
