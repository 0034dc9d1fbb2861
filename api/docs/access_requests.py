"""Requests about accounts, as the docs propose them. They are the last of the walk: after them one has to log in."""

from typing import Any

PASSWORD = "three-brown-owls-at-noon"  # noqa: S105 - nobody has it but the users of these examples

USERS: dict[str, Any] = {
    "first_admin": {
        "summary": "The first user, an admin: from then on everybody has to log in",
        "value": {"name": "anna", "password": PASSWORD, "role": "admin"},
    },
    "trainer": {
        "summary": "Somebody who uploads and trains",
        "value": {"name": "berta", "password": PASSWORD, "role": "trainer", "teams": ["fraud"]},
    },
    "service": {
        "summary": "A program, which gets API keys and no password",
        "value": {"name": "nightly", "role": "trainer", "kind": "service"},
    },
}
CHANGES: dict[str, Any] = {
    "role": {"summary": "May promote to the last stage, too", "value": {"role": "approver"}},
    "teams": {"summary": "Be in these teams and no others", "value": {"teams": ["fraud", "credit"]}},
    "keep_out": {"summary": "Keep a user out for a while", "value": {"active": False}},
}
HOLDERS: dict[str, Any] = {
    "team": {"summary": "For the members of a team only", "value": {"team": "fraud"}},
    "everybody": {"summary": "For everybody who may read", "value": {"team": None}},
    "owner": {"summary": "Give it to somebody else", "value": {"owner": "berta"}},
}
LOGINS: dict[str, Any] = {
    "anna": {
        "summary": "The user of the first example of `POST /users`",
        "value": {"grant_type": "password", "username": "anna", "password": PASSWORD},
    }
}
OWN_PASSWORDS: dict[str, Any] = {
    "another": {
        "summary": "Another password for whoever is logged in",
        "value": {"current_password": PASSWORD, "password": "four-brown-owls-at-dawn"},
    }
}
REFRESHES: dict[str, Any] = {
    "next": {
        "summary": "The refresh token of the last answer",
        "value": {"refresh_token": "mlr_PutTheOneOfYourLastAnswerHere"},
    }
}
KEYS: dict[str, Any] = {
    "predictions": {
        "summary": "For a program that asks for predictions, until a moment",
        "value": {"name": "shop", "scopes": ["predict"], "expires_at": "2100-01-01T00:00:00Z"},
    },
    "of_a_service": {
        "summary": "For a service that trains; only admins make keys of others",
        "value": {"name": "nightly-training", "scopes": ["train"], "user": "nightly"},
    },
}
