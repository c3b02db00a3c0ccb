"""Reports: figures of a story that is known, as JSON and as CSV."""
import csv
import datetime
import io

import pytest


@pytest.fixture(scope="module")
def story(start_shared):
    world = start_shared(
        'desk { timezone = "Europe/Berlin" }\n'
        'sla "standard" { first_response { medium = "4h"  high = "4h" }  resolution { medium = "24h" } }\n'
        'limits { user_per_minute = 0  anonymous_per_minute = 0  auto_per_address_hour = 0 }\n')
    anna, carol = world.api("anna"), world.api("carol")
    made = []
    for n in range(4):
        answer = carol.post("/tickets", {"title": f"=Case {n}", "description": "x"})
        assert answer.status == 201
        made.append(answer.json["id"])
    for ticket in made[:3]:
        assert anna.patch(f"/tickets/{ticket}", {"assignee": "anna@desk.test",
                                                 "category": "=1+1"}).status == 200
    for ticket in made[:2]:
        assert anna.post(f"/tickets/{ticket}/comments", {"body": "Done"}).status == 201
    assert anna.post(f"/tickets/{made[0]}/comments", {"body": "x", "is_internal": True}).status == 201
    assert anna.patch(f"/tickets/{made[0]}", {"status": "resolved"}).status == 200
    return world, anna


def rows(api, name, **query):
    answer = api.get(f"/reports/{name}", **query)
    assert answer.status == 200, (answer.status, answer.body)
    return answer.json["rows"]


def test_volume(story):
    _, anna = story
    days = rows(anna, "volume")
    assert 30 <= len(days) <= 32
    assert (sum(d["created"] for d in days), sum(d["resolved"] for d in days)) == (4, 1)
    assert [d["group"] for d in days] == sorted(d["group"] for d in days)
    first = datetime.date.fromisoformat(days[0]["group"])
    assert [d["group"] for d in days] == [str(first + datetime.timedelta(n)) for n in range(len(days))]
    weeks = rows(anna, "volume", group="week")
    assert all(datetime.date.fromisoformat(w["group"]).weekday() == 0 for w in weeks)
    assert weeks[-1]["created"] + weeks[-2]["created"] == 4
    assert rows(anna, "volume", group="month")[-1]["group"] == days[-1]["group"][:7]
    agents = {(r["group"], r["id"] is None): (r["created"], r["resolved"])
              for r in rows(anna, "volume", group="agent")}
    assert agents == {("Anna", False): (3, 1), (None, True): (1, 0)}
    assert {r["group"]: r["created"] for r in rows(anna, "volume", group="category")} == {
        "=1+1": 3, None: 1}
    assert [r["group"] for r in rows(anna, "volume", group="priority")] == ["medium"]
    assert rows(anna, "volume", to="2020-01-01T00:00:00Z", group="status") == []


def test_periods_are_the_desks_own(story):
    """Midnight in Berlin; with the days on which clocks are put forward and back."""
    _, anna = story
    for start, end, days in (("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", 3),
                             ("2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", 3)):
        seen = rows(anna, "volume", **{"from": start, "to": end})
        assert len(seen) == days, seen
    seen = rows(anna, "volume", **{"from": "2026-10-24", "to": "2026-10-27"})
    assert [d["group"] for d in seen] == ["2026-10-24", "2026-10-25", "2026-10-26"]
    assert anna.get("/reports/volume", **{"from": "2026-10-24", "to": "2026-10-27"}).json["from"] == \
        "2026-10-23T22:00:00.000Z"
    for bad in "2026-02-30", "2026-1-01", "today":
        answer = anna.get("/reports/volume", **{"from": bad})
        assert (answer.status, answer.json["errors"][0]["code"]) == (400, "no_day"), answer.body
    months = rows(anna, "volume", group="month", **{"from": "2025-12-31T23:00:00Z",
                                                    "to": "2026-12-31T23:00:00Z"})
    assert [m["group"] for m in months] == [f"2026-{n:02}" for n in range(1, 13)]


def test_service_levels(story):
    _, anna = story
    seen = {r["metric"]: r for r in rows(anna, "sla")}
    assert (seen["first_response"]["met"], seen["first_response"]["running"]) == (2, 2)
    assert seen["first_response"]["met_share"] == 1 and seen["resolution"]["met"] == 1
    assert seen["resolution"]["breached"] == 0
    assert {r["group"] for r in rows(anna, "sla", group="policy")} == {"standard"}
    by_agent = {(r["group"], r["metric"]): r["met"] for r in rows(anna, "sla", group="agent")}
    assert by_agent[("Anna", "first_response")] == 2
    assert sum(r["met"] for r in rows(anna, "sla", group="day")) == 3


def test_agents(story):
    _, anna = story
    seen, = rows(anna, "agents")
    assert seen["group"] == "Anna"
    assert (seen["assigned"], seen["resolved"], seen["replies"]) == (3, 1, 2)
    assert 0 <= seen["first_response_p50"] <= seen["first_response_p90"] < 60
    assert 0 <= seen["resolution_p50"] < 60


def test_csv_has_no_formulas(story):
    _, anna = story
    answer = anna.get("/reports/volume", group="category", format="csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"volume.csv\""
    table = list(csv.reader(io.StringIO(answer.body.decode())))
    assert table[0] == ["group", "id", "created", "resolved"]
    assert {r[0]: r[2] for r in table[1:]} == {"'=1+1": "3", "": "1"}
    for name in "sla", "agents":
        body = anna.get(f"/reports/{name}", format="csv").body.decode()
        assert body.count("\r\n") == len(body.splitlines())
        assert len({len(r) for r in csv.reader(io.StringIO(body))}) == 1


def test_what_cannot_be_asked(story):
    world, anna = story
    assert world.api("carol").get("/reports/volume").status == 403
    assert anna.get("/reports/other").status == 404
    for bad in ({"group": "colour"}, {"format": "xls"}, {"from": "yesterday"}, {"x": 1},
                {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
                {"from": "1990-01-01T00:00:00Z"}):
        assert anna.get("/reports/volume", **bad).status == 400, bad
    assert anna.get("/reports/agents", group="day").status == 400
