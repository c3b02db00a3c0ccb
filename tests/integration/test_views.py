"""What agents look at: saved views, and who has which ticket before them."""
import pytest

from lib import ok, refused
from watch import Watch


@pytest.fixture(scope="module")
def people(desk):
    return {name: desk.api(name) for name in ("admin", "anna", "bob", "carol")}


def names(api):
    return [v["name"] for v in ok(api.get("/saved-views"))["items"]]


def test_views_are_ones_own_or_shared_by_admins(people):
    admin, anna, bob, carol = (people[n] for n in ("admin", "anna", "bob", "carol"))
    mine = ok(anna.post("/saved-views", {"name": "mine", "query": "assignee=me&sort=due"}), 201)
    assert (mine["query"], mine["shared"]) == ("assignee=me&sort=due", False)
    all_ = ok(admin.post("/saved-views", {"name": "all", "query": "status=open,pending",
                                          "shared": True}), 201)
    path, shared = f"/saved-views/{mine['id']}", f"/saved-views/{all_['id']}"
    assert names(anna) == ["all", "mine"] and names(bob) == ["all"]
    refused(carol.get("/saved-views"), 403)
    refused(bob.get(path), 404)
    refused(bob.request("DELETE", path), 404)
    refused(admin.patch(path, {"name": "x"}), 404)
    assert ok(bob.get(shared))["name"] == "all"
    refused(bob.patch(shared, {"name": "x"}), 403, "admin")
    refused(bob.request("DELETE", shared), 403)
    refused(anna.patch(path, {"shared": True}), 403, "only admins")
    refused(anna.post("/saved-views", {"name": "x", "query": "", "shared": True}), 403)
    refused(anna.post("/saved-views", {"name": "mine", "query": ""}), 409, "taken")
    assert ok(bob.post("/saved-views", {"name": "mine", "query": ""}), 201)["id"] != mine["id"]
    assert ok(anna.patch(path, {"query": "q=a%20b"}))["query"] == "q=a%20b"
    assert ok(admin.patch(shared, {"shared": False}))["shared"] is False
    assert names(bob) == ["mine"]
    assert anna.request("DELETE", path).status == 204
    refused(anna.get(path), 404)


@pytest.mark.parametrize("query, why", [
    ("colour=red", "colour"), ("status=open&status=closed", "status"), ("priority=urgent", "priority"),
    ("status=open,opne", "status: is no status of this desk"), ("field=colour:red", "field: must be"),
    ("assignee=anna", "assignee: must be"), ("q=%zz", "q"), ("sort=size", "sort"), ("a" * 2001, "query")])
def test_a_view_that_the_list_would_refuse(people, query, why):
    refused(people["anna"].post("/saved-views", {"name": "bad", "query": query}), 422, why)


def test_who_looks(people):
    admin, anna, bob, carol = (people[n] for n in ("admin", "anna", "bob", "carol"))
    ticket = ok(carol.post("/tickets", {"title": "Looked at", "description": "x"}), 201)["id"]
    path = f"/tickets/{ticket}/viewing"
    assert ok(anna.get(path)) == {"viewers": []}
    with Watch(bob) as watch, Watch(carol) as owner:
        for _ in range(3):
            seen = ok(anna.request("PUT", path, {}))["viewers"]
        assert [v["user"]["name"] for v in seen] == ["Anna"]
        ok(admin.request("PUT", path, {}))
        told = watch.until(lambda kind, data: data["actor"]["name"] == "Admin")
        looks = [data for _, kind, data in told if kind == "ticket.viewing"]
        # she said so three times within 15 s, and others are told once
        assert [d["actor"]["name"] for d in looks] == ["Anna", "Admin"]
        assert all(d["ticket"] == ticket for d in looks)
        end = ok(carol.post("/tickets", {"title": "End", "description": "x"}), 201)["id"]
        assert {kind for _, kind, _ in owner.until(lambda _, d: d["ticket"] == end)} == {
            "ticket.created"}
    assert {v["user"]["name"] for v in ok(bob.get(path))["viewers"]} == {"Admin", "Anna"}
    refused(carol.request("PUT", path, {}), 403)
    refused(anna.request("PUT", path, {"x": 1}), 422, "x")
    refused(anna.request("PUT", "/tickets/999999/viewing", {}), 404)
