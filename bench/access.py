"""What it costs a prediction that somebody has to say who they are.

Platforms with the same forest on iris, some without accounts and some with, which an API key is sent to. No two
processes of one kind are equally fast, so there are several of each, and they are asked in turns, there and back, in
many short rounds. Those without accounts are sent the key, too, which they do not look at: so it shows what the header
itself costs. The processor time of the API tells the same with less noise. Beside it, how long a login takes for a user
that there is, and for one that there is not.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import httpx2
import psutil

from bench.measuring import milliseconds, platform, print_table, spread
from bench.promotions import train
from bench.serving import IRIS_ROW
from bench.wire import ask

BODY = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [IRIS_ROW]}}
PASSWORD = "three-brown-owls-at-noon"
CONNECTIONS = (1, 8, 64)


class Way(NamedTuple):
    """A way to ask: which APIs, and with which headers each."""

    name: str
    asked: list[tuple[psutil.Process, str, Mapping[str, str]]]


class Round(NamedTuple):
    """What one round came to over the platforms of a way: predictions in a second, and processor time of each."""

    rate: float
    cpu_microseconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", type=int, default=2, help="of each kind")
    parser.add_argument("--rounds", type=int, default=15, help="for each number of connections")
    parser.add_argument("--seconds", type=int, default=1, help="of load for each platform in each round")
    parser.add_argument("--logins", type=int, default=20, help="tries with each kind of name")
    options = parser.parse_args()
    with ExitStack() as running:
        free = [running.enter_context(trained_platform()) for _ in range(options.platforms)]
        closed = [running.enter_context(trained_platform()) for _ in range(options.platforms)]
        keys = [{"X-API-Key": close(url)} for _, url in closed]
        ways = [
            Way("without accounts", [(api, url, {}) for api, url in free]),
            Way("with the header alone", [(api, url, keys[0]) for api, url in free]),
            Way("with an API key", [(api, url, key) for (api, url), key in zip(closed, keys, strict=True)]),
        ]
        rates = [["connections", *(way.name for way in ways), "ratios (middle half)"]]
        times = [["connections", *(way.name for way in ways), "ratios"]]
        for connections in CONNECTIONS:
            found = rounds_of(ways, connections, options.rounds, options.seconds)
            rates.append([str(connections), *row_of_rates(found)])
            times.append([str(connections), *row_of_times(found)])
        print_table(f"Predictions in a second, {options.rounds} rounds over {options.platforms} of each", rates)
        print_table("Processor time of the API for one of them, in microseconds", times)
        print_table("Time of a refused login", rows_of_logins(closed[0][1], options.logins))


@contextmanager
def trained_platform() -> Iterator[tuple[psutil.Process, str]]:
    """A platform with a model in dev; gives the process of its API and the address."""
    with platform() as url:
        train(url, 1)
        port = int(url.rsplit(":", 1)[1])
        listening = {
            each.laddr.port: each.pid for each in psutil.net_connections("tcp") if each.laddr and not each.raddr
        }
        yield psutil.Process(listening[port]), url


def close(url: str) -> str:
    """Add the first user; gives an API key for predictions."""
    with httpx2.Client(base_url=url, timeout=60) as client:
        admin = {"name": "anna", "password": PASSWORD, "role": "admin"}
        client.post("/users", json=admin).raise_for_status()
        form = {"username": "anna", "password": PASSWORD}
        token = client.post("/auth/token", data=form).raise_for_status().json()["access_token"]
        wanted = {"name": "bench", "scopes": ["predict"]}
        made = client.post("/api-keys", json=wanted, headers={"Authorization": f"Bearer {token}"})
        while client.get("/me").status_code != httpx2.codes.UNAUTHORIZED:
            time.sleep(0.05)
        key: str = made.raise_for_status().json()["key"]
        return key


def rounds_of(ways: list[Way], connections: int, rounds: int, seconds: int) -> list[list[Round]]:
    """Ask all platforms in turns, every other time from the last to the first; gives the rounds of each way."""
    found: list[list[Round]] = [[] for _ in ways]
    for number in range(rounds):
        turns = [
            (way, asked)
            for asked_of_all in zip(*(each.asked for each in ways), strict=True)
            for way, asked in enumerate(asked_of_all)
        ]
        measured: list[list[Round]] = [[] for _ in ways]
        for way, (api, url, headers) in reversed(turns) if number % 2 else turns:
            before = api.cpu_times()
            rate = ask(f"{url}/predict", BODY, connections=connections, seconds=seconds, core=1, headers=headers).rate
            after = api.cpu_times()
            used = after.user + after.system - before.user - before.system
            measured[way].append(Round(rate, used / (rate * seconds) * 1e6))
        for each, of_way in zip(found, measured, strict=True):
            each.append(Round(*(statistics.mean(values) for values in zip(*of_way, strict=True))))
    return found


def row_of_rates(found: list[list[Round]]) -> list[str]:
    """Medians of each way, and for all but the first the ratios to the first within a round."""
    without, *others = ([each.rate for each in rounds] for rounds in found)
    told = []
    for other in others:
        low, middle, high = statistics.quantiles([one / free for free, one in zip(without, other, strict=True)], n=4)
        told.append(f"{middle:.3f} ({low:.3f} - {high:.3f})")
    return [*(f"{statistics.median(each):,.0f}" for each in (without, *others)), ", ".join(told)]


def row_of_times(found: list[list[Round]]) -> list[str]:
    """Medians of each way, and for all but the first their ratios to the first."""
    medians = [statistics.median(each.cpu_microseconds for each in rounds) for rounds in found]
    return [*(f"{each:.1f}" for each in medians), ", ".join(f"{each / medians[0]:.3f}" for each in medians[1:])]


def rows_of_logins(url: str, tries: int) -> list[list[str]]:
    """Wrong passwords for names of either kind, in turns; each has a name of its own, so that none is slowed down."""
    times: dict[str, list[float]] = {"a user": [], "nobody": []}
    with httpx2.Client(base_url=url, timeout=60) as client:
        form = {"username": "anna", "password": PASSWORD}
        token = client.post("/auth/token", data=form).raise_for_status().json()["access_token"]
        for number in range(tries):
            new = {"name": f"user{number}", "password": PASSWORD, "role": "viewer"}
            client.post("/users", json=new, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
            for kind, name in (("a user", f"user{number}"), ("nobody", f"none{number}")):
                began = time.perf_counter()
                client.post("/auth/token", data={"username": name, "password": "a wrong password"})
                times[kind].append(time.perf_counter() - began)
    worst = {kind: milliseconds(max(each)) for kind, each in times.items()}
    return [["name", "median (middle half)", "worst"], *([kind, spread(times[kind]), worst[kind]] for kind in times)]


if __name__ == "__main__":
    main()
