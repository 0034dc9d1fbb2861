"""How long people wait for a model: at its first request, after a start, and after its promotion.

A model that is not in memory is asked for once, beside `joblib.load` of the same artifact and a first `predict` in a
fresh interpreter that has imported scikit-learn. A start ends with the first right answer, beside the server of the
FastAPI tutorial. A promotion ends when each of eight connections, dealt out to all API processes, was answered by the
new version; promised is a second from the success of its job. At last 10,000 requests are sent during 20 promotions.
"""

import argparse
import os
import platform as machine
import statistics
from collections.abc import Sequence

import psutil

from bench import promotions
from bench.first_answers import API, FOLDER, LOADED, TUTORIAL_START, first_answers, reference_of
from bench.measuring import milliseconds, platform, print_table, spread

PARTS = ("first", "promotions", "requests")
PROMISED_SECONDS = 1.0
PROMOTIONS, REQUESTS = 20, 10_000
HEADING = ["", "times", "median (middle half)", "worst", "reference"]
HEADING_OF_REQUESTS = ["answers", "failed", f"stale beyond {PROMISED_SECONDS:g} s", "the latest", "p50", "p99"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="rounds of starts and loads, and promotions of each kind")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="the parts of the run")
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2], help="of the API, for promotions")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{machine.platform()}, {psutil.cpu_count()} cores, Python {machine.python_version()}, load {load:.1f}")
    rows = [HEADING]
    if "first" in options.only:
        rows += rows_of_first_answers(options.times)
    under_load = [HEADING_OF_REQUESTS]
    for processes in options.processes if {"promotions", "requests"} & set(options.only) else []:
        with platform(MLMINI_API_WORKERS=str(processes)) as url:
            said = f"{processes} API process{'es' if processes > 1 else ''}"
            if "promotions" in options.only:
                rows += rows_of_promotions(url, options.times, said)
            if "requests" in options.only:
                under_load.append(row_of_requests(url, said))
    for title, table in (
        ("Time until a right answer", rows),
        (f"{REQUESTS:,} requests or more during {PROMOTIONS} promotions", under_load),
    ):
        if len(table) > 1:
            print_table(title, table)


def row(what: str, seconds: Sequence[float], reference: str) -> list[str]:
    """One line of the table."""
    return [what, str(len(seconds)), spread(seconds), milliseconds(max(seconds)), reference]


def rows_of_first_answers(times: int) -> list[list[str]]:
    """Models that are not in memory, then starts."""
    found = first_answers(times)
    tutorial = f"{milliseconds(statistics.median(found[TUTORIAL_START]))} (tutorial)"
    rows = []
    for case in LOADED:
        loaded = statistics.median(found[reference_of(case)])
        rows.append(row(f"first request: {case.name}", found[case.key], f"{milliseconds(loaded)} (joblib, predict)"))
    rows.append(row("start of the API process", found[API], tutorial))
    rows.append(row("start of mlmini serve", found[FOLDER], tutorial))
    return rows


def rows_of_promotions(url: str, times: int, said: str) -> list[list[str]]:
    """Each version is promoted twice: nobody waits for the first job, somebody for the second."""
    first, *versions = promotions.train(url, times + 1)
    # The first model of a stage replaces none.
    promotions.promote(url, first, "staging")
    promotions.promote(url, first, "production")
    rows = []
    for stage, told, who in (("staging", False, "nobody"), ("production", True, "somebody")):
        found = [promotions.until_served(url, version, stage, told=told) for version in versions]
        about = f"promotion, {said}, {who} waits for the job"
        promised = f"promised: {PROMISED_SECONDS:g} s"
        rows.append(row(f"{about}, from its success", [each.since_success for each in found], promised))
        rows.append(row(f"{about}, from the request", [each.since_request for each in found], ""))
    return rows


def row_of_requests(url: str, said: str) -> list[str]:
    """What became of requests during promotions."""
    first, *versions = promotions.train(url, PROMOTIONS + 1)
    promotions.promote(url, first, "staging")
    asked = promotions.asked_meanwhile(url, versions, "staging", requests=REQUESTS, noticed=PROMISED_SECONDS)
    p50, p99 = statistics.median(asked.times), statistics.quantiles(asked.times, n=100)[98]
    return [
        f"{asked.answers:,}, {said}",
        str(asked.failed),
        str(asked.stale),
        milliseconds(asked.longest),
        milliseconds(p50),
        milliseconds(p99),
    ]


if __name__ == "__main__":
    main()
