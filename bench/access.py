"""What it costs a prediction that somebody has to say who they are.

Two platforms with the same forest on iris, one without accounts and one with, which an API key is sent to. They are
asked in turns with the same body. The one without accounts is sent the key, too, which it does not look at: so it shows
what the header itself costs. Beside it, how long a login takes for a user that there is, and for one that there is
not.
"""

import argparse
import statistics
import time

import httpx2

from bench.measuring import milliseconds, platform, print_table, spread
from bench.promotions import train
from bench.serving import IRIS_ROW
from bench.wire import ask

BODY = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [IRIS_ROW]}}
PASSWORD = "three-brown-owls-at-noon"
CONNECTIONS = (1, 8, 64)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="for each platform and number of connections")
    parser.add_argument("--seconds", type=int, default=3, help="of load for each round")
    parser.add_argument("--logins", type=int, default=20, help="tries with each kind of name")
    options = parser.parse_args()
    with platform() as free, platform() as closed:
        for url in (free, closed):
            train(url, 1)
        key = close(closed)
        rows = [["connections", "without accounts", "with the header alone", "with an API key", "ratios"]]
        header = {"X-API-Key": key}
        asked = [(free, {}), (free, header), (closed, header)]
        rows += [row(asked, each, options.rounds, options.seconds) for each in CONNECTIONS]
        print_table(f"Predictions in a second, {options.rounds} rounds of {options.seconds} s in turns", rows)
        print_table("Time of a refused login", rows_of_logins(closed, options.logins))


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


def row(asked: list[tuple[str, dict[str, str]]], connections: int, rounds: int, seconds: int) -> list[str]:
    """One number of connections: medians of each way to ask, and those of the ratios to the first within a round."""
    rates: list[list[float]] = [[] for _ in asked]
    for _ in range(rounds):
        for (url, headers), found in zip(asked, rates, strict=True):
            measured = ask(f"{url}/predict", BODY, connections=connections, seconds=seconds, core=1, headers=headers)
            found.append(measured.rate)
    without, *others = rates
    ratios = [statistics.median(one / free for free, one in zip(without, other, strict=True)) for other in others]
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return [str(connections), *(f"{statistics.median(each):,.0f}" for each in rates), told]


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
