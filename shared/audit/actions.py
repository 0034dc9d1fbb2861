"""The words that entries of the audit record use."""

from enum import StrEnum


class Action(StrEnum):
    """What was done, or refused."""

    LOGIN = "login"
    LOGIN_REFUSED = "login_refused"
    LOGOUT = "logout"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a name
    ACCESS_REFUSED = "access_refused"
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    USER_LINKED = "user_linked"
    USER_DELETED = "user_deleted"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    DATASET_UPLOADED = "dataset_uploaded"
    DATASET_CHANGED = "dataset_changed"
    DATASET_DELETED = "dataset_deleted"
    JOB_ACCEPTED = "job_accepted"
    JOB_CANCELLED = "job_cancelled"
    MODEL_RETIRED = "model_retired"
    MODEL_CHANGED = "model_changed"
    MODEL_DELETED = "model_deleted"
    ARTIFACT_KEY_ROTATED = "artifact_key_rotated"
    ARTIFACT_KEYS_GIVEN_UP = "artifact_keys_given_up"


class Via(StrEnum):
    """How the actor was known."""

    PASSWORD = "password"  # noqa: S105 - a name
    TOKEN = "token"  # noqa: S105 - a name
    KEY = "key"
    OIDC = "oidc"
    CLI = "cli"
    SETTINGS = "settings"
    NONE = "none"


class AuditOutcome(StrEnum):
    """Whether it was done."""

    DONE = "done"
    REFUSED = "refused"


# The actors that are no users.
SYSTEM = "system"
ANONYMOUS = "anonymous"
