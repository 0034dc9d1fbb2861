"""Single rows beside a client that sends 10,000 rows at a time, or as many as it may: what that costs the others.

The API has one core, the clients the other. Five rounds, alone and beside, in turns; a line has the medians.
"""

import argparse
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from bench.measuring import milliseconds, platform, print_table
from bench.serving import CASES, CLIENT_CORE, ROUNDS, body_of, pin_api, serve
from bench.wire import Measured, ask

CONNECTIONS = 8
ROWS = 10_000
# What one request may have by default.
MOST_CELLS = 200_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each round")
    parser.add_argument("--only", nargs="*", default=["forest", "wide", "mixed"], help="the cases, by their keys")
    options = parser.parse_args()
    seconds: int = options.seconds
    with platform() as url:
        pin_api()
        for case in CASES:
            if case.key not in options.only:
                continue
            serve(url, case)
            rows = min(ROWS, MOST_CELLS // len(case.row))
            single, many = body_of(case, case.row, 1), body_of(case, case.row, rows)
            found: dict[str, list[Measured]] = {"alone": [], f"beside {rows:,} rows at a time": []}
            large: list[int] = []
            for _ in range(ROUNDS):
                alone, beside = found.values()
                alone.append(ask(f"{url}/predict", single, connections=CONNECTIONS, seconds=seconds, core=CLIENT_CORE))
                with asked_again_and_again(f"{url}/predict", many) as answered:
                    beside.append(
                        ask(f"{url}/predict", single, connections=CONNECTIONS, seconds=seconds, core=CLIENT_CORE)
                    )
                if not answered:
                    raise SystemExit("No large request was answered.")
                large.append(len(answered))
            lines = [["single rows", "requests/s", "p50", "p99"]]
            for name, measured in found.items():
                rate, half, most = (statistics.median(values) for values in zip(*measured, strict=True))
                lines.append([name, f"{rate:,.0f}", milliseconds(half), milliseconds(most)])
            about = f"{CONNECTIONS} connections, {statistics.median(large) / seconds:.1f} large requests/s"
            print_table(f"{case.name}, {about}", lines)


@contextmanager
def asked_again_and_again(url: str, body: object) -> Iterator[list[int]]:
    """One client that sends a body again as soon as it is answered; gives the statuses so far."""
    answered: list[int] = []
    over = threading.Event()

    def send() -> None:
        with httpx2.Client(timeout=60) as client:
            while not over.is_set():
                answered.append(client.post(url, json=body).raise_for_status().status_code)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield answered
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
