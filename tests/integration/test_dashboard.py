"""The figures of the desk, against a desk whose story is known."""
import datetime

import lib


def test_the_figures_are_those_of_the_story(start_world):
    world = start_world()
    anna, carol = world.api("anna"), world.api("carol")
    assert carol.get("/dashboard").status == 403
    made = [carol.post("/tickets", {"title": f"Case {i}", "description": "x"}).json["id"]
            for i in range(4)]
    assert anna.patch(f"/tickets/{made[0]}", {"priority": "high"}).status == 200
    for ticket in made[:2]:
        assert anna.patch(f"/tickets/{ticket}", {"assignee": "anna@desk.test"}).status == 200
    assert anna.post(f"/tickets/{made[1]}/comments", {"body": "Done"}).status == 201
    assert anna.patch(f"/tickets/{made[1]}", {"status": "resolved"}).status == 200

    def figures():
        seen = anna.get("/dashboard")
        assert seen.status == 200, seen.body
        return seen.json if seen.json["by_status"]["resolved"] == 1 else None

    seen = lib.wait_for("figures not older than a few seconds", figures)
    assert seen["by_status"] == {"open": 2, "pending": 0, "in_progress": 1, "resolved": 1,
                                 "closed": 0, "reopened": 0}
    assert seen["by_priority"] == {"low": 0, "medium": 2, "high": 1, "critical": 0}
    assert [(a["name"], a["count"]) for a in seen["by_assignee"]] == [("Anna", 1)]
    assert (seen["unassigned"], seen["overdue"], seen["breached"]) == (2, 0, 0)
    lib.execute(world, "INSERT INTO clocks (ticket_id, metric, cycle, policy, state, started_at, target_ms,"
                       " since_at, used_ms, due_at, breached_at) SELECT id, 'first_response', 7, 'x',"
                       " 'breached', 1, 1, 3, 1, 2, 3 FROM tickets WHERE id IN"
                       f" ({made[0]}, {made[1]})")
    late = lambda value: {t["id"] for t in anna.tickets(breached=value)}
    assert (late("true"), late("false")) == ({made[0]}, {*made[1:]}), "resolved in the end is no breach"
    seen = lib.wait_for("it on the dashboard", lambda: (
        lambda f: f if f["breached"] == 1 else None)(anna.get("/dashboard").json))
    assert anna.get("/tickets", breached="maybe").status == 400
    for key, count in ("created_by_day", 4), ("resolved_by_day", 1):
        assert len(seen[key]) == 30
        assert sum(day["count"] for day in seen[key]) == count
        last = datetime.date.fromisoformat(seen[key][-1]["day"])
        assert datetime.date.fromisoformat(seen[key][0]["day"]) == last - datetime.timedelta(29)
    for key in "first_response", "resolution":
        assert 0 <= seen[key]["p50"] <= seen[key]["p90"] < 60


def test_the_tickets_that_missed_a_target_are_listed(start_world):
    world = start_world(fragment='sla "quick" { calendar = "24x7"  first_response { high = "1s" } }\n')
    anna, carol = world.api("anna"), world.api("carol")
    begin = datetime.datetime.now(datetime.timezone.utc)
    late, other = (carol.post("/tickets", {"title": "Case", "description": "x", "priority": p}).json["id"]
                   for p in ("high", "medium"))

    def since(at):
        answer = anna.get("/tickets", breached_after=at.isoformat().replace("+00:00", "Z"))
        assert answer.status == 200, answer.body
        return [t["id"] for t in answer.json["items"]]

    lib.wait_for("the target is missed", lambda: since(begin) == [late])
    assert anna.patch(f"/tickets/{late}", {"assignee": "anna@desk.test"}).status == 200
    assert since(begin) == [late], "it was missed, whatever is done now"
    assert since(datetime.datetime.now(datetime.timezone.utc)) == []
    assert anna.get("/tickets", breached_after="yesterday").status == 400
    assert anna.get(f"/tickets/{other}").status == 200
