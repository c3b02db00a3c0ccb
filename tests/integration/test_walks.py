"""Lists walked by cursor=: every row that stays is seen once, whatever comes and goes meanwhile."""
import itertools
import uuid

import pytest

SORTS = ["id", "created_at", "updated_at", "priority", "status", "due"]


def walk(api, path, between=lambda: None, **query):
    """All items, page after page; `between` is done before each page but the first."""
    answer = api.get(path, cursor="", **query)
    while True:
        assert answer.status == 200, answer.body
        page = answer.json
        assert (page["page"], page["pages"], page["prev"]) == (None, None, None)
        assert len(page["items"]) <= page["per_page"]
        yield from page["items"]
        if page["next"] is None:
            return
        assert page["items"] and page["next"].startswith("/api/v1" + path + "?")
        between()
        answer = api.get(page["next"].removeprefix("/api/v1"))


@pytest.fixture(scope="module")
def tickets(desk):
    """25 of one tag, alike in some fields."""
    anna, tag = desk.api("anna"), uuid.uuid4().hex[:8]
    made = []
    for i in range(25):
        made.append(anna.post("/tickets", {
            "title": f"{tag} {i}", "description": "x", "tags": [tag],
            "priority": ("low", "high", "critical")[i % 3]}).json["id"])
    for i, ticket in enumerate(made):
        if i % 4 == 0:
            assert anna.patch(f"/tickets/{ticket}",
                              {"due_at": f"2030-01-{1 + i % 8:02}T00:00:00Z"}).status == 200
        if i % 5 == 0:
            assert anna.post(f"/tickets/{ticket}/commands", {"text": "#take"}).json["ok"]
    return tag, made


@pytest.mark.parametrize("sort", [*SORTS, *("-" + s for s in SORTS)])
def test_a_walk_has_the_order_of_the_pages(desk, tickets, sort):
    anna, (tag, made) = desk.api("anna"), tickets
    whole = [t["id"] for t in anna.get("/tickets", tag=tag, sort=sort, per_page=100).json["items"]]
    assert sorted(whole) == sorted(made)
    for per_page in (1, 4, 25, 100):
        walked = [t["id"] for t in walk(anna, "/tickets", tag=tag, sort=sort, per_page=per_page)]
        assert walked == whole, per_page


@pytest.mark.parametrize("sort", ["id", "-id", "-created_at", "priority", "-status"])
def test_tickets_that_come_and_go_move_nothing(desk, sort):
    anna, tag = desk.api("anna"), uuid.uuid4().hex[:8]
    body = {"title": "x", "description": "x", "tags": [tag]}
    stay = [anna.post("/tickets", body).json["id"] for _ in range(9)]
    gone = iter([anna.post("/tickets", body).json["id"] for _ in range(20)])
    admin = desk.api("admin")

    def between():
        anna.post("/tickets", body)
        assert admin.request("DELETE", f"/tickets/{next(gone)}").status == 204

    seen = [t["id"] for t in walk(anna, "/tickets", between, tag=tag, sort=sort, per_page=3)]
    assert len(seen) == len(set(seen)) and set(stay) <= set(seen)


def test_due_is_the_earlier_date_and_none_comes_last(desk, tickets):
    anna, (tag, _) = desk.api("anna"), tickets
    for sort in ("due", "-due"):
        rows = anna.get("/tickets", tag=tag, sort=sort, per_page=100).json["items"]
        dates = [t["due_at"] for t in rows]
        known = [d for d in dates if d]
        assert dates == known + [None] * (len(dates) - len(known))
        assert known == sorted(known, reverse=sort == "-due")


def make_people(desk):
    admin, name = desk.api("admin"), uuid.uuid4().hex[:8]
    for i in range(5):
        assert admin.post("/users", {"email": f"{name}{i}@x.test", "name": name,
                                     "role": "customer", "password": "a long password"}).status == 201
    return {"q": name}


@pytest.mark.parametrize("path, make", [
    ("/tickets/{id}/comments", lambda d, t: [d.api("anna").post(f"/tickets/{t}/comments",
                                                                {"body": str(i)}) for i in range(7)]),
    ("/tickets/{id}/history", lambda d, t: None),
    ("/tickets/{id}/messages", lambda d, t: None),
    ("/tickets/{id}/participants", lambda d, t: [
        d.api("anna").post(f"/tickets/{t}/participants", {"user": f"p{i}@x.test"})
        for i in range(5)]),
    ("/tickets/{id}/links", lambda d, t: [
        d.api("anna").post(f"/tickets/{t}/links", {"type": "relates", "ticket": t - 1 - i})
        for i in range(4)]),
    ("/users", lambda d, t: make_people(d)),
    ("/outbox", lambda d, t: None),
    ("/messages", lambda d, t: None),
    ("/teams", lambda d, t: [d.api("admin").post("/teams", {"name": f"Team {t} {i}"})
                             for i in range(5)]),
    ("/tags", lambda d, t: None),
    ("/blocked-senders", lambda d, t: [
        d.api("admin").post("/blocked-senders", {"domain": f"b{t}{i}.test"}) for i in range(5)]),
    ("/quarantine", lambda d, t: None),
    ("/mailboxes", lambda d, t: None),
    ("/api-keys", lambda d, t: [d.api("admin").post("/api-keys", {
        "name": f"k{i}", "scopes": ["tickets:read"]}) for i in range(4)]),
    ("/auth/sessions", lambda d, t: [d.api("admin") for _ in range(4)]),
])
def test_every_list_can_be_walked(desk, tickets, path, make):
    ticket = tickets[1][-1]
    path = path.replace("{id}", str(ticket))
    query = make(desk, ticket)
    query = query if isinstance(query, dict) else {}
    admin = desk.api("admin")
    whole = admin.get(path, per_page=100, **query).json["items"]
    for per_page in (1, 2, 100):
        walked = list(itertools.islice(walk(admin, path, per_page=per_page, **query), 101))
        assert walked[:100] == whole, per_page


def test_a_walk_by_rank(desk, tickets):
    anna, (tag, made) = desk.api("anna"), tickets
    whole = anna.get("/search", q=tag, per_page=100).json["items"]
    assert list(walk(anna, "/search", q=tag, per_page=4)) == whole


def test_what_is_no_cursor_of_this_list(desk, tickets):
    anna, (tag, _) = desk.api("anna"), tickets
    page = anna.get("/tickets", tag=tag, per_page=2, cursor="", sort="id").json
    cursor = page["next"].partition("cursor=")[2].partition("&")[0]
    for path, query in (("/tickets", {"cursor": "x"}), ("/tickets", {"cursor": cursor}),
                        ("/tickets", {"cursor": cursor[:-3], "sort": "id"}),
                        ("/tickets", {"cursor": "AAAA", "sort": "id"}),
                        ("/users", {"cursor": cursor}),
                        ("/tickets", {"cursor": "", "page": 1}),
                        ("/tickets", {"cursor": "y" * 601})):
        answer = anna.get(path, **query)
        assert answer.status == 400, query
        assert answer.json["code"] == "invalid_parameter"
        assert [e["field"] for e in answer.json["errors"]] == ["cursor"]
