"""``data/sqlQuery`` as liquid_decisions.md §6 has it."""

import json
import signal
import subprocess
import sys

import httpx
import pytest

from sandbox.liquid_decisions.settings import Settings
from tests.sandbox.liquid_decisions.service import BASE, LOGIN, Service, item, service

TABLE = "acme_entity_Account"
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r WHERE n < 0"


async def _fill(liquid: Service) -> None:
    await liquid.upsert(
        item("a", name="Ann", size=2, good=True, days=["Mon"], phones=[{"number": "1"}]),
        item("b", name="Bob's", size=1.5),
        item("c", size=None),
    )


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        pytest.param(
            f"SELECT accountId, name, size, good FROM {TABLE} ORDER BY accountId",
            [
                {"accountId": "a", "name": "Ann", "size": 2, "good": 1},
                {"accountId": "b", "name": "Bob's", "size": 1.5, "good": None},
                {"accountId": "c", "name": None, "size": None, "good": None},
            ],
            id="§6 TableData: rows as flat objects",
        ),
        pytest.param(
            f"SELECT accountId FROM {TABLE} WHERE accountId IN ('a', 'c', 'x')",
            [{"accountId": "a"}, {"accountId": "c"}],
            id="§6 keys by IN",
        ),
        pytest.param(f"SELECT accountId FROM {TABLE} WHERE name = 'Bob''s'", [{"accountId": "b"}], id="§6 ' doubled"),
        pytest.param(f"SELECT t.name FROM {TABLE} t ORDER BY t.size DESC LIMIT 1", [{"name": "Ann"}], id="§6 alias"),
        pytest.param("SELECT count(*) AS n FROM ACME_ENTITY_ACCOUNT", [{"n": 3}], id="§6 names in any case"),
        pytest.param("SELECT path FROM acme_dimension_dimension", [], id="§6 an empty table"),
        pytest.param("SELECT count(*) AS n FROM acme_work_Order", [{"n": 0}], id="§6 another category"),
        pytest.param(
            f"SELECT h_type, h_category, h_clientId FROM {TABLE} WHERE accountId = 'a'",
            [{"h_type": "Account", "h_category": "entity", "h_clientId": None}],
            id="§6 header columns",
        ),
        pytest.param(f"SELECT * FROM {TABLE} WHERE 1 = 0;", [], id="a closing semicolon"),
        pytest.param(f"-- all\nWITH x AS (SELECT 1 AS n) SELECT n FROM x, {TABLE} LIMIT 1", [{"n": 1}], id="WITH"),
    ],
)
async def test_rows_come_back_flat(liquid: Service, sql: str, rows: list[dict[str, object]]) -> None:
    await _fill(liquid)
    assert await liquid.query(sql) == rows


async def test_the_wikis_sample_comes_back_in_its_bytes(liquid: Service) -> None:
    """§6 TableData [docs], from a table named like the wiki's ``liquid_dimension_dimension``."""
    headers = {"category": "dimension", "type": "dimension", "action": "Merge"}
    await liquid.upsert({"headers": headers, "data": {"path": "/Data/x[Y]", "level": 2, "display": "Y"}})
    sql = "SELECT path, level, display FROM acme_dimension_dimension"
    answer = await liquid.post("data/sqlQuery", query=sql)
    assert answer.text == '[{"path":"/Data/x[Y]","level":2,"display":"Y"}]'


async def test_blocks_and_arrays_are_no_columns(liquid: Service) -> None:
    await _fill(liquid)
    [row] = await liquid.query(f"SELECT * FROM {TABLE} WHERE accountId = 'a'")
    assert [name for name in row if not name.startswith("h_")] == ["accountId", "name", "size", "good"]


@pytest.mark.parametrize(
    ("flags", "has_blocks"),
    [
        pytest.param({}, False, id="§6 faultBlocks absent"),
        pytest.param({"faultBlocks": "false"}, False, id="§6 faultBlocks false"),
        pytest.param({"faultBlocks": "True", "tableType": "Item"}, True, id="§6 faultBlocks true"),
    ],
)
async def test_with_an_item_type_full_items_come_back(liquid: Service, flags: dict[str, str], has_blocks: bool) -> None:
    await _fill(liquid)
    liquid.http.headers["x-liquidplatform-community"] = "OTHER"
    ignored = {"queryName": "q", "preserveEnvironmentsList": "x"}
    sql = f"SELECT h_id, name FROM {TABLE} ORDER BY accountId DESC"
    found = await liquid.query(sql, itemType="Account", **flags, **ignored)
    assert [one["data"]["accountId"] for one in found] == ["c", "b", "a"]
    assert (found[2]["headers"]["type"], found[2]["data"]["days"]) == ("Account", ["Mon"])
    assert ("phones" in found[2]["data"]) == has_blocks


async def test_item_options_count_only_with_an_item_type(liquid: Service) -> None:
    assert await liquid.query("SELECT 1 AS n", faultBlocks="perhaps", tableType="Nothing") == [{"n": 1}]


async def test_an_item_is_found_by_its_h_id(liquid: Service) -> None:
    await _fill(liquid)
    h_id = (await liquid.items())[1]["headers"]["id"]
    assert await liquid.query(f"SELECT name FROM {TABLE} WHERE h_id = '{h_id}'") == [{"name": "Bob's"}]


@pytest.mark.parametrize(
    ("sql", "fields"),
    [
        pytest.param("", {}, id="no query"),
        pytest.param(f"DELETE FROM {TABLE}", {}, id="§6 DELETE"),
        pytest.param('WITH x AS (SELECT 1) DELETE FROM "items Account"', {}, id="§6 DELETE behind WITH"),
        pytest.param("DROP TABLE x", {}, id="§6 DROP"),
        pytest.param("PRAGMA table_list", {}, id="§6 PRAGMA"),
        pytest.param("SELECT * FROM pragma_table_list", {}, id="PRAGMA as a table"),
        pytest.param("SELECT * FROM sqlite_master", {}, id="the schema"),
        pytest.param("ATTACH 'x' AS y", {}, id="ATTACH a file"),
        pytest.param("VACUUM INTO 'x'", {}, id="VACUUM into a file"),
        pytest.param("SELECT load_extension('x')", {}, id="load_extension"),
        pytest.param("SELECT readfile('x')", {}, id="readfile"),
        pytest.param("SELECT 1; SELECT 2", {}, id="two statements"),
        pytest.param("SELECT \0", {}, id="a NUL"),
        pytest.param("SELECT nonsense FROM nowhere", {}, id="§6 SQL error"),
        pytest.param("SELECT zeroblob(100000000)", {}, id="a value too large"),
        pytest.param("SELECT CAST(x'ff' AS TEXT)", {}, id="text that is no UTF-8"),
        pytest.param(ENDLESS, {}, id="a query without end"),
        pytest.param(f"SELECT a.size FROM {TABLE} a, {TABLE} b", {}, id="too many rows"),
        pytest.param("SELECT hex(zeroblob(2000))", {}, id="too long an answer"),
        pytest.param(f"SELECT name FROM {TABLE}", {"itemType": "Account"}, id="§6 itemType without h_id"),
        pytest.param("SELECT 'x' AS h_id", {"itemType": "Account"}, id="§6 h_id that is none"),
        pytest.param(f"SELECT h_id FROM {TABLE}", {"itemType": "Order"}, id="§6 h_id of another table"),
        pytest.param(f"SELECT h_id FROM {TABLE}", {"itemType": "Nothing"}, id="§6 unknown itemType"),
        pytest.param(f"SELECT h_id FROM {TABLE}", {"itemType": "Account", "tableType": "History"}, id="§6 History"),
        pytest.param(f"SELECT h_id FROM {TABLE}", {"itemType": "Account", "tableType": "x"}, id="§6 tableType"),
        pytest.param(f"SELECT h_id FROM {TABLE}", {"itemType": "Account", "faultBlocks": "x"}, id="§6 faultBlocks"),
    ],
)
async def test_a_wrong_query_is_a_400_and_changes_nothing(sql: str, fields: dict[str, str]) -> None:
    bounds = Settings(sql_timeout_s=0.2, max_sql_rows=8, max_sql_answer_bytes=2000)
    async with service(bounds) as liquid:
        await _fill(liquid)
        answer = await liquid.post("data/sqlQuery", query=sql, **fields)
        kept = await liquid.data()
    assert (answer.status_code, list(answer.json())) == (400, ["error", "error_description"])
    assert len(kept) == 3


async def test_writes_go_on_after_a_refused_query(liquid: Service) -> None:
    await liquid.post("data/sqlQuery", query="SELECT * FROM sqlite_master")
    await liquid.upsert(item("a", name="x"))
    assert await liquid.query(f"SELECT name FROM {TABLE}") == [{"name": "x"}]


def test_a_query_and_the_items_share_a_bounded_memory() -> None:
    """Run in a process of its own: SQLite's limit is one for all, and cannot be raised again."""
    arguments = ("liquid-decisions", "--json", "--sql-memory", "32")
    with subprocess.Popen([sys.executable, "-m", "sandbox", *arguments], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            token = http.post(f"{BASE}/oauth2/token", data=LOGIN).json()["access_token"]
            http.headers["authorization"] = f"Bearer {token}"
            many = ENDLESS.replace("n < 0", "n < 3000")
            query = http.post(f"{BASE}/data/sqlQuery", data={"query": f"{many} ORDER BY randomblob(1000000)"})
            batches = [[item(f"{batch}-{key}", text="x" * 500_000) for key in range(10)] for batch in range(10)]
            statuses = [http.post(f"{BASE}/items/upsert", json=batch).status_code for batch in batches]
            state = http.get("/_sandbox/state").json()["items"]["ACME"]["Account"]
        process.send_signal(signal.SIGTERM)
    assert (query.status_code, "memory" in query.text) == (400, True)
    assert set(statuses) == {200, 503}
    assert state == 10 * statuses.count(200)


async def test_a_key_is_found_by_sql_only_as_it_was_typed(liquid: Service) -> None:
    """§15: ``IN ('5')`` does not find a stored 5, though both are one key on write."""
    await liquid.upsert(item("7"), {"headers": {"type": "Account", "action": "Merge"}, "data": {"accountId": 5}})
    query = "SELECT accountId FROM acme_entity_Account WHERE accountId IN ({})"
    found = [len(await liquid.query(query.format(keys))) for keys in ("'5'", "5", "'7'", "7", "'5', 5, '7', 7")]
    assert found == [0, 1, 1, 0, 2]
