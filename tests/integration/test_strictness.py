"""Nothing is taken half: what is wrong has its name, what is asked is what is answered."""
import itertools

import pytest

from lib import Api, ok, refused, wait_for


def fields_of(answer):
    return [error["field"] for error in answer.json["errors"]]


def new_ticket(api, **more):
    return ok(api.post("/tickets", {"title": "t", "description": "d", **more}), 201)


# ---- queries ----

@pytest.mark.parametrize("query, field, code", [
    ("q=%00", "q", "invalid_parameter"), ("q=a%00b&page=1", "q", "invalid_parameter"),
    ("q=%ff", "q", "invalid_parameter"), ("q=%c3", "q", "invalid_parameter"),
    ("q=%zz", "q", "invalid_parameter"), ("q=%4", "q", "invalid_parameter"),
    ("tag=%ed%a0%80", "tag", "invalid_parameter"), ("cursor=%00", "cursor", "invalid_parameter"),
    ("%00=1", "%00", "unknown_parameter"), ("q%00=1", "q%00", "unknown_parameter"),
    ("%ff=1", "%ff", "unknown_parameter"), ("nobody=%00", "nobody", "unknown_parameter")])
def test_a_parameter_that_cannot_be_read_is_named(desk, query, field, code):
    answer = desk.api("anna").request("GET", "/tickets?" + query)
    refused(answer, 400, code)
    assert answer.json["code"] == code and fields_of(answer) == [field]


def test_1970_is_an_instant(desk):
    """And not what stands for none."""
    anna, admin = desk.api("anna"), desk.api("admin")
    mine = new_ticket(anna)
    for when in "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T01:00:00%2B01:00":
        assert ok(anna.request("GET", f"/tickets?created_before={when}"))["total"] == 0
        assert mine["id"] in {t["id"] for t in ok(anna.request(
            "GET", f"/tickets?created_after={when}&updated_after={when}&sort=-id"))["items"]}
        assert ok(admin.request("GET", f"/audit?to={when}"))["total"] == 0
    answer = anna.patch(f"/tickets/{mine['id']}", {"due_at": "1970-01-01T00:00:00Z"})
    refused(answer, 422, "validation")
    assert fields_of(answer) == ["due_at"]


def test_no_message_id_of_many_is_left_out(desk):
    anna = desk.api("anna")
    ticket = new_ticket(desk.api("carol"))["id"]
    last = wait_for("the acknowledgement", lambda: anna.get(
        "/messages", ticket=ticket).json["items"])[0]["message_id"]
    many = [f"{i}@nowhere.test" for i in range(50)]
    listed = ok(anna.get("/messages", message_id=",".join([*many[1:], last])))
    assert [m["message_id"] for m in listed["items"]] == [last]
    answer = anna.get("/messages", message_id=",".join([*many, last]))
    refused(answer, 400, "invalid_parameter")
    assert fields_of(answer) == ["message_id"]


def test_what_is_named_twice_leaves_nothing_out(desk):
    anna = desk.api("anna")
    mine = new_ticket(anna, priority="critical")["id"]
    found = lambda **query: {t["id"] for t in anna.tickets(**query)}
    assert mine in found(priority=",".join(["low"] * 4 + ["critical"]))
    ok(anna.patch(f"/tickets/{mine}", {"status": "closed"}))
    assert mine in found(status=",".join(["open"] * 16 + ["closed"]))


# ---- bodies ----

def test_each_422_says_where(desk):
    admin, anna, carol = (desk.api(name) for name in ("admin", "anna", "carol"))
    ticket, mine = new_ticket(carol), new_ticket(anna)
    path = f"/tickets/{ticket['id']}"
    me = ok(admin.get("/auth/me"))["id"]
    key = {"Idempotency-Key": "once", "Content-Type": "application/json"}
    ok(anna.request("POST", path + "/comments", {"body": "x"}, key), 201)
    for answer, field in (
            (anna.request("POST", path + "/comments", {"body": "y"}, key), "Idempotency-Key"),
            (anna.post(path + "/comments", {"body": "x", "commands": "#prio never"}), "commands"),
            (anna.post(path + "/comments", {"body": "x", "is_internal": True, "attachments": [9999]}),
             "attachments.0"),
            (carol.request("POST", "/attachments", b"", {"Content-Type": "text/plain"}), ""),
            (carol.post("/tickets", {"title": "t", "description": "d", "attachments": [1, 1]}),
             "attachments.0"),
            (admin.post(f"/users/{me}/merge", {"into": me}), "into"),
            (anna.post(path + "/merge", {"into": ticket["id"]}), "into"),
            (anna.patch(path, {"title": "x", "assignee": ticket["requester"]["id"]}), "assignee"),
            (anna.patch(path, {"title": "x", "fields": {"none": "x"}}), "fields.none"),
            (anna.patch(path, {"title": "x", "status": "gone"}), "status"),
            (anna.patch(path, {"priority": "low", "tags": ["a b", "c,d"]}), "tags"),
            (anna.request("PUT", path, {"title": "x", "status": "open", "priority": "low"}), "version"),
            (admin.post("/users", {"email": "a@b.test", "name": "A", "role": "customer",
                                   "organisation": "none"}), "organisation"),
            (admin.post("/users", {"email": "a@b.test", "name": "A", "role": "customer",
                                   "password": "short"}), "password"),
            (admin.post("/teams", {"name": "T", "members": [ticket["requester"]["id"]]}), "members.0"),
            (anna.post("/auth/otp", {"otp": "000000"}), "otp"),
            (anna.request("DELETE", "/auth/otp", {"otp": "000000"}), "otp"),
            (desk.api().post("/auth/password/reset", {"token": "x", "password": "0123456789"}), "token"),
            (desk.api().post("/auth/verify", {"token": "x"}), "token"),
            (desk.api().post("/auth/refresh", {}), "refresh_token"),
            (anna.post(f"/tickets/{mine['id']}/participants/{me}/approve", {}), "")):
        if answer.status in (401, 404, 409):  # some of these are no fault of the body
            continue
        assert answer.status == 422 and fields_of(answer) == [field], (field, answer.status, answer.body)


def test_what_was_made_is_where_it_says(desk):
    admin, anna = desk.api("admin"), desk.api("anna")
    for api, path, body in (
            (admin, "/users", {"email": "located@x.test", "name": "L", "role": "customer"}),
            (admin, "/teams", {"name": "located"}), (admin, "/organisations", {"name": "located"}),
            (admin, "/tags", {"name": "located"}),
            (admin, "/canned-replies", {"name": "located", "body": "x"}),
            (admin, "/api-keys", {"name": "located", "scopes": ["admin"]}),
            (admin, "/webhooks", {"url": "https://93.184.216.34/", "events": ["sla.warning"],
                                  "active": False}),
            (anna, "/saved-views", {"name": "located", "query": ""}),
            (anna, "/tickets", {"title": "located", "description": "x"})):
        made = api.post(path, body)
        assert made.status == 201 and made.headers["Location"] == f"/api/v1{path}/{made.json['id']}", path
        assert ok(api.get(f"{path}/{made.json['id']}"))["id"] == made.json["id"]
    ticket = f"/tickets/{new_ticket(anna)['id']}"
    comment = anna.post(ticket + "/comments", {"body": "x"})
    assert comment.headers["Location"] == f"/api/v1/comments/{ok(comment, 201)['id']}"
    split = anna.post(ticket + "/split", {"comment": comment.json["id"]})
    assert split.headers["Location"] == f"/api/v1/tickets/{ok(split, 201)['id']}"
    for where, body in ((ticket + "/participants", {"user": "dave@customer.test"}),
                        (ticket + "/links", {"type": "relates", "ticket": split.json["id"]}),
                        ("/blocked-senders", {"domain": "located.test"})):
        made = anna.post(where, body)  # it has no address of its own
        assert ok(made, 201) and "Location" not in made.headers, where


# ---- versions ----

def test_the_etag_of_a_key_is_of_what_can_be_changed(desk):
    """That it was used is no change."""
    admin = desk.api("admin")
    key = ok(admin.post("/api-keys", {"name": "busy", "scopes": ["tickets:read"]}), 201)
    path = f"/api-keys/{key['id']}"
    tag = admin.get(path).headers["ETag"]
    program = Api(desk["http"])
    program.token = key["key"]
    ok(program.get("/tickets"))
    used = wait_for("its use to be noted", lambda: ok(admin.get(path))["last_used_at"])
    assert used and admin.get(path).headers["ETag"] == tag
    answer = admin.request("PATCH", path, {"name": "busier"}, {"If-Match": tag})
    assert ok(answer)["name"] == "busier" and answer.headers["ETag"] != tag
    assert admin.get(path).headers["ETag"] == answer.headers["ETag"]


def test_whatever_shows_a_comment_says_its_version(desk):
    anna = desk.api("anna")
    ticket = new_ticket(anna)["id"]
    made = anna.post(f"/tickets/{ticket}/comments", {"body": "x"})
    path = f"/comments/{ok(made, 201)['id']}"
    changed = anna.request("PATCH", path, {"body": "y"}, {"If-Match": made.headers["ETag"]})
    again = anna.request("PATCH", path, {"body": "z"}, {"If-Match": changed.headers["ETag"]})
    assert ok(changed)["body"] == "y" and ok(again)["body"] == "z"
    assert anna.get(path).headers["ETag"] == again.headers["ETag"]
    assert anna.request("PATCH", path, {"body": "y"}, {"If-Match": made.headers["ETag"]}).status == 409


@pytest.fixture
def persons_things(desk):
    """(who, path, how it is changed) of what has no version but an ETag."""
    admin = desk.api("admin")
    number = next(NUMBERS)
    person = ok(admin.post("/users", {"email": f"own{number}@x.test", "name": "Own", "role": "agent",
                                      "password": "0123456789"}), 201)
    own = Api(desk["http"], {"email": f"own{number}@x.test", "password": "0123456789"})
    return ((own, "/auth/me", ("PATCH", {"name": "Other"})),
            (admin, f"/users/{person['id']}/addresses", ("POST", {"address": f"two{number}@x.test"})),
            (admin, f"/users/{person['id']}/addresses", ("DELETE", {"address": f"two{number}@x.test"})))


NUMBERS = itertools.count(1)


def test_what_is_a_persons_is_changed_by_who_saw_it(persons_things):
    for api, path, (method, change) in persons_things:
        seen = api.get(path)
        stale = api.request(method, path, change, {"If-Match": '"0123456789abcdef"'})
        refused(stale, 409, "version_conflict")
        assert stale.json["current"] == seen.json == ok(api.get(path))
        assert api.request(method, path, change, {"If-Match": seen.headers["ETag"]}).status < 300
        assert api.request(method, path, change, {"If-Match": seen.headers["ETag"]}).status == 409
