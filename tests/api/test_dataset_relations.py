"""How columns go together and what makes a target doubtful, in a profile with a target."""

import random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.parts import Parts
from shared.datasets.rows import DatasetVersionRow

CHANCE = random.Random(5)  # noqa: S311 - no secret


def orders() -> str:
    lines = ["id,size,weight,<b>age,paid_on,colour,shipped,kind"]
    for number in range(400):
        size = CHANCE.gauss(0, 1)
        shipped = size + CHANCE.gauss(0, 0.5) > 0
        kind = "rare" if number in {7, 90, 300} else CHANCE.choice("ab")
        gap = "" if shipped else CHANCE.randint(1, 9)
        age = "" if number % 9 == 0 else CHANCE.randint(20, 80)
        lines.append(f"{number},{size:.4f},{size**3:.6f},{age},{gap},{CHANCE.choice('rgb')},{shipped},{kind}")
    return "\n".join([*lines, ""])


def upload(client: TestClient, text: str) -> None:
    files = {"file": ("orders.csv", text)}
    assert client.post("/datasets/upload", files=files, data={"name": "orders"}).status_code == 201


def relations_of(client: TestClient, target: str) -> dict[str, Any]:
    answer = client.get("/datasets/orders/profile", params={"target": target})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["relations"]
    return found


def warnings_of(client: TestClient, target: str) -> dict[str, tuple[str, int | None]]:
    return {each["code"]: (each["column"], each["count"]) for each in relations_of(client, target)["warnings"]}


@pytest.mark.any_stack
def test_the_pairs_of_numbers_that_correlate_most_come_first(client: TestClient) -> None:
    upload(client, orders())
    found = relations_of(client, "kind")
    first = found["correlations"][0]
    assert set(first["columns"]) == {"size", "weight"}
    assert (first["spearman"], 0.6 < first["pearson"] < 0.95, first["rows"]) == (1.0, True, 400)
    assert {"<b>age", "size"} in [set(each["columns"]) for each in found["correlations"]]
    assert "id" not in found["matrix"]["columns"]
    size = found["matrix"]["columns"].index("size")
    assert found["matrix"]["spearman"][size][size] == 1.0


@pytest.mark.any_stack
def test_a_column_that_predicts_the_target_alone_is_named(client: TestClient) -> None:
    upload(client, orders())
    found = relations_of(client, "shipped")
    assert [(each["code"], each["column"]) for each in found["warnings"]] == [("predicts_alone", "paid_on")]
    scores = {each["column"]: each["score"] for each in found["scores"]}
    assert scores["paid_on"] == 1.0
    assert 0.3 < scores["size"] < 0.9
    assert scores["colour"] < 0.2


@pytest.mark.any_stack
def test_rare_classes_are_named_with_their_rows(client: TestClient) -> None:
    upload(client, orders())
    assert warnings_of(client, "kind") == {"rare_classes": ("kind", 1)}
    (warning,) = relations_of(client, "kind")["warnings"]
    assert warning["detail"].startswith("1 class has fewer than 10 rows: rare (3).")


def test_rows_that_come_again_are_counted_with_their_targets(client: TestClient) -> None:
    rows = [f"{number},{number / 7:.3f},{number % 2}" for number in range(100)]
    again = [rows[3], rows[3], rows[4], f"5,{5 / 7:.3f},0", f"6,{6 / 7:.3f},1"]
    upload(client, "\n".join(["a,b,target", *rows, *again, ""]))
    found = warnings_of(client, "target")
    assert found["duplicate_rows"] == ("target", 3)
    assert found["different_targets"] == ("target", 4)
    assert found["few_numbers"] == ("target", 2)


def test_a_number_that_follows_another_is_predicted_by_it_alone(client: TestClient) -> None:
    rows = [f"{CHANCE.random():.4f},{number}.5,{3 * number + 2}.25" for number in range(200)]
    CHANCE.shuffle(rows)
    upload(client, "\n".join(["a,b,target", *rows, ""]))
    assert warnings_of(client, "target") == {"predicts_alone": ("b", None)}
    assert warnings_of(client, "a") == {}


def test_a_version_of_an_older_release_has_relations_too(client: TestClient, parts: Parts) -> None:
    upload(client, orders())
    today = relations_of(client, "shipped")
    with parts.database.write() as session:
        session.execute(update(DatasetVersionRow).values(profile=None))
    assert relations_of(client, "shipped") == today


@pytest.mark.any_stack
def test_the_page_shows_warnings_and_a_shaded_table(client: TestClient) -> None:
    upload(client, orders())
    ask = {"Accept": "text/html"}
    plain = client.get("/datasets/orders/profile", headers=ask).text
    assert 'href="/datasets/orders/profile?version=1&amp;target=%3Cb%3Eage"' in plain
    page = client.get("/datasets/orders/profile?target=shipped", headers=ask).text
    assert "<h2>To predict shipped</h2>" in page
    assert "paid_on&#x27; alone predicts" in page
    assert 'class="matrix"' in page
    assert "&lt;b&gt;age" in page
    assert "<b>" not in page
    assert "<script" not in page


def test_odd_tables_have_relations_without_an_error(client: TestClient) -> None:
    upload(client, "a,b,c,d\n" + "".join(f"{row % 3},,1e308,{'-' if row % 2 else ''}1e308\n" for row in range(40)))
    for target in "abcd":
        assert relations_of(client, target)["rows_looked_at"] == 40
    upload(client, "a\n1\n")
    assert relations_of(client, "a")["correlations"] == []


def test_an_unknown_target_is_refused_with_the_one_that_may_be_meant(client: TestClient) -> None:
    upload(client, orders())
    answer = client.get("/datasets/orders/profile?target=shiped")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_column")
    assert (answer.json()["did_you_mean"], answer.json()["errors"][0]["loc"]) == ("shipped", ["query", "target"])
    assert client.get("/datasets/orders/profile").json()["relations"] is None
