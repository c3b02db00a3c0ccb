"""What is done to tickets by the API, beside their fields, and the lists that an admin keeps."""
import pytest

from lib import refused, reply_to, text_of, wait_for


@pytest.fixture(scope="module")
def people(desk):
    return {name: desk.api(name) for name in ("admin", "anna", "bob", "carol", "dave")}


def made(answer, status=201):
    assert answer.status == status, (answer.status, answer.body)
    return answer.json


def new_ticket(api, title="Printer on fire"):
    return made(api.post("/tickets", {"title": title, "description": "It burns."}))["id"]


def put(api, path, body):
    return api.request("PUT", path, body)


def delete(api, path, body=None):
    return api.request("DELETE", path, body)


def test_teams_and_organisations(people):
    admin, anna = people["admin"], people["anna"]
    team = made(admin.post("/teams", {"name": "Hardware", "members": ["anna@desk.test"]}))
    assert team["members"] == [made(anna.get("/auth/me"), 200)["id"]]
    refused(admin.post("/teams", {"name": "Hardware"}), 409, "taken")
    refused(admin.post("/teams", {"name": "X", "members": ["carol@customer.test"]}), 422,
            "members.0")
    refused(anna.post("/teams", {"name": "X"}), 403)
    refused(people["carol"].get("/teams"), 403)
    path = f"/teams/{team['id']}"
    assert made(admin.patch(path, {"name": "Paper"}), 200)["members"] == team["members"]
    assert "Paper" in [t["name"] for t in made(anna.get("/teams"), 200)["items"]]
    ticket = new_ticket(people["carol"])
    shown = made(anna.patch(f"/tickets/{ticket}", {"team": "Paper"}), 200)
    assert shown["team"] == {"id": team["id"], "name": "Paper"}
    assert ticket in [t["id"] for t in anna.tickets(team=team["id"])]
    refused(anna.patch(f"/tickets/{ticket}", {"team": "Nobody"}), 422, "no such team")
    refused(delete(admin, path), 409, "has tickets")
    made(anna.patch(f"/tickets/{ticket}", {"team": None}), 200)
    assert delete(admin, path).status == 204
    refused(admin.get(path), 404)

    o = made(admin.post("/organisations", {"name": "Acme", "domains": ["Acme.example"]}))
    assert o["domains"] == ["acme.example"]
    refused(admin.post("/organisations", {"name": "B", "domains": ["a@b"]}), 422, "domains")
    erin = made(admin.post("/users", {"name": "Erin", "email": "erin@acme.example",
                                      "role": "customer"}))
    assert erin["organisation"] == o["id"]
    assert made(admin.patch(f"/users/{erin['id']}", {"organisation": None}),
                200)["organisation"] is None
    assert made(admin.patch(f"/users/{erin['id']}", {"organisation": "Acme"}),
                200)["organisation"] == o["id"]
    refused(admin.patch(f"/users/{erin['id']}", {"organisation": "?"}), 422, "organisation")


def test_tags_and_canned_replies(people):
    admin, anna = people["admin"], people["anna"]
    tag = made(admin.post("/tags", {"name": "vip", "color": "#ff0000"}))
    refused(admin.post("/tags", {"name": "red", "color": "red"}), 422, "color")
    ticket = new_ticket(people["carol"])
    shown = made(anna.patch(f"/tickets/{ticket}", {"tags": ["vip"]}), 200)
    assert shown["tags"] == [{"name": "vip", "color": "#ff0000"}]
    made(admin.patch(f"/tags/{tag['id']}", {"name": "important"}), 200)
    assert delete(admin, f"/tags/{tag['id']}").status == 204
    assert made(anna.get(f"/tickets/{ticket}"), 200)["tags"] == []
    reply = {"name": "thanks", "body": "Thank you, {{requester.name}}.", "commands": "#close",
             "tags": ["a", "b"]}
    shown = made(admin.post("/canned-replies", reply))
    assert {k: shown[k] for k in reply} == reply
    refused(admin.post("/canned-replies", {"name": "empty"}), 422, "body")
    refused(anna.patch(f"/canned-replies/{shown['id']}", {"body": "x"}), 403)
    for bad, field, why in (({"body": "Hi {{#x}}"}, "body", "is not closed"),
                            ({"commands": "#priority urgent"}, "commands", "low, medium, high"),
                            ({"commands": "#frob"}, "commands", "no such command"),
                            ({"commands": "#canned thanks"}, "commands", "nothing for a canned reply")):
        refused(admin.post("/canned-replies", {"name": "bad", "body": "x", **bad}), 422, why)
        answer = admin.patch(f"/canned-replies/{shown['id']}", bad)
        assert answer.status == 422 and answer.json["errors"][0]["field"] == field, answer.body
    assert made(admin.get(f"/canned-replies/{shown['id']}"), 200) == shown


def test_put_replaces_everything(people):
    anna, carol = people["anna"], people["carol"]
    path = f"/tickets/{new_ticket(carol)}"
    t = made(anna.patch(path, {"category": "x", "tags": ["a"], "assignee": "anna@desk.test",
                               "due_at": "2030-01-01T00:00:00Z",
                               "snoozed_until": "2030-01-01T00:00:00Z"}), 200)
    assert t["due_at"] == t["snoozed_until"] == "2030-01-01T00:00:00.000Z"
    whole = {"title": "New", "status": t["status"], "priority": "low"}
    refused(put(anna, path, whole), 422, "version")
    refused(put(carol, path, dict(whole, version=t["version"])), 403)
    refused(put(anna, path, dict(whole, version=1)), 409, "version_conflict")
    t = made(put(anna, path, dict(whole, version=t["version"])), 200)
    assert (t["title"], t["priority"], t["category"], t["tags"], t["assignee"], t["due_at"],
            t["snoozed_until"]) == ("New", "low", None, [], None, None, None)
    refused(anna.patch(path, {"snoozed_until": "2020-01-01T00:00:00Z"}), 422, "future")
    refused(anna.patch(path, {"fields": {"colour": "red"}}), 422, "fields.colour")
    refused(anna.get("/tickets?field=colour:red"), 400, "field")
    refused(carol.patch(path, {"due_at": None}), 403)
    t = made(anna.patch(path, {"requester": "dave@customer.test"}), 200)
    assert t["requester"]["email"] == "dave@customer.test"


def test_deleted_and_restored(people):
    carol, admin = people["carol"], people["admin"]
    path = f"/tickets/{new_ticket(carol)}"
    refused(delete(people["anna"], path), 403)
    assert delete(carol, path).status == 204
    refused(carol.get(path), 404)
    refused(people["anna"].get(path), 404)
    assert made(admin.get(path), 200)["deleted_at"]
    refused(admin.patch(path, {"title": "x"}), 409, "restore")
    refused(people["anna"].post(path + "/restore", {}), 404)
    assert made(admin.post(path + "/restore", {}), 200)["deleted_at"] is None
    assert carol.get(path).status == 200


def test_merge_split_and_links(people):
    anna, carol = people["anna"], people["carol"]
    a, b = new_ticket(carol, "a"), new_ticket(people["dave"], "b")
    refused(anna.post(f"/tickets/{a}/merge", {"into": a}), 422, "itself")
    refused(anna.post(f"/tickets/{a}/merge", {"into": 99999}), 422, "no ticket")
    refused(carol.post(f"/tickets/{a}/merge", {"into": b}), 403)
    refused(anna.post(f"/tickets/{a}/merge", {"into": b, "version": 99}), 409, "version_conflict")
    merged = made(anna.post(f"/tickets/{a}/merge", {"into": b}), 200)
    assert merged["merged_into"] == b and merged["allowed_statuses"] == []
    refused(anna.post(f"/tickets/{a}/comments", {"body": "x"}), 409, "unmerge")
    refused(anna.post(f"/tickets/{b}/merge", {"into": a}), 422, "merged")
    assert len(carol.comments(b)) == 2
    assert made(carol.get(f"/tickets/{b}"), 200)["description"] == "It burns."
    assert made(anna.post(f"/tickets/{a}/unmerge", {}), 200)["merged_into"] is None
    refused(carol.get(f"/tickets/{b}"), 404)

    comment = made(carol.post(f"/tickets/{a}/comments", {"body": "And the door squeaks."}))
    split = anna.post(f"/tickets/{a}/split", {"comment": comment["id"]})
    new = made(split)
    assert split.headers["Location"] == f"/api/v1/tickets/{new['id']}"
    assert new["description"] == "And the door squeaks."
    assert [(k["type"], k["ticket"]) for k in new["links"]] == [("relates", a)]
    refused(anna.post(f"/tickets/{a}/split", {"comment": comment["id"]}), 422, "no such comment")

    links = f"/tickets/{a}/links"
    assert made(anna.post(links, {"type": "blocks", "ticket": b}))["inverse"] is False
    assert made(anna.get(f"/tickets/{b}/links"), 200)["items"][0] == {
        "type": "blocks", "ticket": a, "title": "a", "status": "open", "inverse": True}
    refused(anna.post(links, {"type": "loves", "ticket": b}), 422, "relates, duplicates")
    assert delete(anna, links, {"type": "blocks", "ticket": b}).status == 204
    refused(delete(anna, links, {"type": "blocks", "ticket": b}), 422, "no link")
    assert made(carol.get(f"/tickets/{a}"), 200)["links"] == []


def test_people_of_a_ticket(people):
    anna, carol, dave = people["anna"], people["carol"], people["dave"]
    path = f"/tickets/{new_ticket(carol)}"
    refused(dave.get(path), 404)
    added = made(carol.post(path + "/participants", {"user": "dave@customer.test"}))
    assert added["role"] == "cc" and dave.get(path).status == 200
    refused(carol.post(path + "/participants", {"user": added["user"]}), 422, "address")
    refused(delete(dave, f"{path}/participants/{made(carol.get('/auth/me'), 200)['id']}"), 403)
    refused(delete(anna, f"{path}/participants/99999"), 404)
    me = made(anna.get("/auth/me"), 200)["id"]
    parts = made(anna.post(path + "/watch", {}), 200)["participants"]
    assert [p["role"] for p in parts if p["user"] == me] == ["watcher"]
    parts = made(anna.post(path + "/mute", {"muted": True}), 200)["participants"]
    assert [p["muted"] for p in parts if p["user"] == me] == [True]
    made(anna.post(path + "/watch", {"watching": False}), 200)
    assert delete(dave, f"{path}/participants/{added['user']}").status == 204
    refused(dave.get(path), 404)
    assert len(made(carol.get(path + "/participants"), 200)["items"]) == 1


def test_what_was_held_is_let_through(desk, people):
    """A stranger answers a ticket; approved, the customer gets it as if it had been sent then."""
    anna = people["anna"]
    ticket = new_ticket(people["carol"], "Let me through")
    made(anna.post(f"/tickets/{ticket}/comments", {"body": "Who has the key?"}))
    with desk.mailbox("carol") as box:
        mail = box.wait_mail("Anna's question", lambda m: "the key" in text_of(m))
    answer = reply_to(mail, "Dave <dave@customer.test>", "I have the key, says Dave.")
    desk.send(answer, login="dave")

    def held():
        return next((c for c in anna.comments(ticket) if c["held"]), None)
    comment = wait_for("the held comment", held)
    assert comment["held"] == "not_participant" and comment["is_internal"]
    shown = made(anna.post(f"/comments/{comment['id']}/approve", {}), 200)
    assert shown["held"] is None and not shown["is_internal"]
    refused(anna.post(f"/comments/{comment['id']}/approve", {}), 422, "not held")
    with desk.mailbox("carol") as box:
        box.wait_mail("Dave's answer", lambda m: "says Dave" in text_of(m))
