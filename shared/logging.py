"""Logs are events with bound context, one JSON object per line on standard error."""

import logging
import sys

import structlog

# Texts of clients and of errors can have any length.
LONGEST_TEXT = 4_000
LONGEST_TRACEBACK = 20_000


def configure_logging(level: str) -> None:
    """Send structlog's events, and those of libraries, to standard error as JSON lines."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _cut,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Alembic logs each look at the schema, and /readyz looks often.
    logging.getLogger("alembic").setLevel(max(root.level, logging.WARNING))


def _cut(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Take the middle out of long texts: what they are is told at the beginning, what came of it at the end."""
    for name, value in event.items():
        most = LONGEST_TRACEBACK if name == "exception" else LONGEST_TEXT
        if isinstance(value, str) and len(value) > most:
            event[name] = f"{value[: most // 2]} … {value[-most // 2 :]}"
    return event


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; call it with an event name and its context as keywords."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
