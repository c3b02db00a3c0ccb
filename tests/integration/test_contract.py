"""Sentences of the API's contract that its other tests leave out, one by one."""

import concurrent.futures

import pytest

from lib import Api, new_mail, ok, refused, wait_for


def fields_of(answer):
    return [error["field"] for error in answer.json["errors"]]


def new_ticket(api, **more):
    answer = api.post("/tickets", {"title": "t", "description": "d", **more})
    assert answer.status == 201, answer.body
    return answer.json


def ids(api, **query):
    return {ticket["id"] for ticket in api.tickets(**query)}


def test_a_comma_inside_any_filter_is_or(desk):
    admin, anna, carol = desk.api("admin"), desk.api("anna"), desk.api("carol")
    team = admin.post("/teams", {"name": "Blue", "members": ["bob@desk.test"]}).json["id"]
    free = new_ticket(carol, category="hardware")
    bobs = new_ticket(anna, requester="dave@customer.test", tags=["or-a"], category="software",
                      assignee="bob@desk.test")
    mine = new_ticket(anna, tags=["or-b"], assignee="anna@desk.test")
    assert anna.patch(f"/tickets/{mine['id']}", {"team": team}).status == 200
    bob, everything = bobs["assignee"]["id"], {free["id"], bobs["id"], mine["id"]}
    for query, found in (
            ({"assignee": f"{bob},none"}, {free["id"], bobs["id"]}),
            ({"assignee": f"me,{bob}"}, {bobs["id"], mine["id"]}),
            ({"assignee": "none,none"}, {free["id"]}),
            ({"requester": f"{free['requester']['id']},{bobs['requester']['id']}"},
             {free["id"], bobs["id"]}),
            ({"reporter": f"me,{bobs['requester']['id']}"}, {bobs["id"], mine["id"]}),
            ({"tag": "or-a,or-b"}, {bobs["id"], mine["id"]}),
            ({"tag": "or-b,nothing"}, {mine["id"]}),
            ({"category": "hardware,software"}, {free["id"], bobs["id"]}),
            ({"team": f"{team},{team + 1}"}, {mine["id"]}),
            ({"mailbox": "support,other"}, set()),
            ({"organisation": "1,2"}, set()),
            ({"tag": "or-a,or-b", "assignee": "me,none"}, {mine["id"]})):
        assert ids(anna, **query) & everything == found, query
    for query in ("assignee=me,", "assignee=me,you", "team=1,x", "tag=", "requester=none",
                  "category=a,,b", "organisation=0", "team=" + ",".join(["1"] * 51)):
        answer = anna.request("GET", "/tickets?" + query)
        assert (answer.status, answer.json["code"]) == (400, "invalid_parameter"), query
        assert fields_of(answer) == [query.split("=")[0]]
    for ticket in free, bobs:  # mails to carol and dave
        assert anna.post(f"/tickets/{ticket['id']}/comments", {"body": "x"}).status == 201
    for path, query, key, found in (
            ("/messages", {"ticket": f"{free['id']},{bobs['id']}"}, "ticket", {free["id"], bobs["id"]}),
            ("/messages", {"ticket": bobs["id"], "direction": "in,out"}, "ticket", {bobs["id"]}),
            ("/outbox", {"ticket": f"{free['id']},{bobs['id']}"}, "ticket", {free["id"], bobs["id"]}),
            ("/outbox", {"to": "dave@customer.test,Carol@customer.test"}, "to",
             {"dave@customer.test", "carol@customer.test"})):
        seen = wait_for("its mails", lambda: (lambda s: s if s >= found else None)(
            {i[key] for i in anna.get(path, per_page=100, **query).json["items"]}))
        assert seen == found, (path, query)
    some = anna.get("/messages", per_page=100).json["items"]
    wanted = {m["message_id"] for m in some[:3]}
    assert {m["message_id"] for m in anna.get(
        "/messages", message_id=",".join([f"<{i}>" for i in wanted])).json["items"]} == wanted
    for path in ("/messages?ticket=x", "/messages?ticket=1,,2", "/outbox?ticket=0", "/outbox?to=",
                 "/messages?kind=" + ",".join(["bounce"] * 51)):
        refused = anna.request("GET", path)
        assert (refused.status, refused.json["code"]) == (400, "invalid_parameter"), path
    tags = [admin.post("/tags", {"name": f"or-audit-{i}"}).json["id"] for i in range(3)]
    for query, found in (({"about_id": f"{tags[0]},{tags[2]}", "about": "tag,team"}, {tags[0], tags[2]}),
                         ({"action": "tag.add,tag.remove"}, set(tags))):
        assert {r["about_id"] for r in admin.get("/audit", per_page=100, **query).json["items"]} \
            & set(tags) == found
    answer = anna.get("/users", role="agent,admin", per_page=100)
    assert {user["role"] for user in answer.json["items"]} == {"agent", "admin"}


def test_two_tags_one_in_the_words_are_both_meant(desk):
    anna = desk.api("anna")
    both, one = new_ticket(anna, tags=["and-a", "and-b"]), new_ticket(anna, tags=["and-b"])
    assert ids(anna, tag="and-a", q="tag:and-b") == {both["id"]}
    assert ids(anna, q="tag:and-b") == {both["id"], one["id"]}


def test_customers_use_the_tags_there_are(desk):
    anna, carol = desk.api("anna"), desk.api("carol")
    new_ticket(anna, tags=["known"])
    assert [tag["name"] for tag in new_ticket(carol, tags=["known"])["tags"]] == ["known"]
    answer = carol.post("/tickets", {"title": "t", "description": "d", "tags": ["known", "new"]})
    assert (answer.status, answer.json["code"], fields_of(answer)) == (422, "validation", ["tags.1"])
    assert "new" not in {tag["name"] for tag in anna.get("/tags", per_page=100).json["items"]}


def test_an_admin_changes_an_address(desk):
    admin = desk.api("admin")
    user = admin.post("/users", {"email": "old@customer.test", "name": "O", "role": "customer",
                                 "password": "0123456789"}).json
    path = f"/users/{user['id']}"
    answer = admin.patch(path, {"email": "New@Customer.test"})
    assert answer.status == 200 and answer.json["email"] == "new@customer.test"
    assert admin.get(path + "/addresses").json["addresses"] == ["new@customer.test"]
    sign_in = {"password": "0123456789"}
    assert Api(desk["http"]).post("/auth/token", {"email": "old@customer.test",
                                                   **sign_in}).status == 401
    assert Api(desk["http"]).post("/auth/token", {"email": "new@customer.test",
                                                   **sign_in}).status == 200
    assert admin.post(path + "/addresses", {"address": "third@customer.test"}).status == 201
    assert admin.patch(path, {"email": "third@customer.test"}).json["email"] == "third@customer.test"
    assert admin.patch(path, {"email": "third@customer.test"}).status == 200
    answer = admin.patch(path, {"email": "carol@customer.test"})
    assert (answer.status, answer.json["code"]) == (409, "conflict")
    answer = admin.patch(path, {"email": "nonsense"})
    assert (answer.status, fields_of(answer)) == (422, ["email"])


def test_people_are_made_disabled_and_admins_stay(desk):
    admin = desk.api("admin")
    answer = admin.post("/users", {"email": "off@customer.test", "name": "O", "role": "customer",
                                   "password": "0123456789", "disabled": True})
    assert answer.status == 201 and answer.json["disabled"] is True
    assert Api(desk["http"]).post("/auth/token", {"email": "off@customer.test",
                                                   "password": "0123456789"}).status == 401
    me = admin.get("/auth/me").json["id"]
    for change in ({"role": "agent"}, {"disabled": True}):
        assert admin.patch(f"/users/{me}", change).status == 409
    assert admin.patch(f"/users/{me}", {"role": "admin", "name": "Admin"}).status == 200


def test_a_conflict_carries_what_is_there(desk):
    anna = desk.api("anna")
    gone, kept = new_ticket(anna), new_ticket(anna)
    assert anna.post(f"/tickets/{gone['id']}/merge", {"into": kept["id"]}).status == 200
    path = f"/tickets/{gone['id']}"
    for answer in (anna.patch(path, {"title": "x"}), anna.post(path + "/comments", {"body": "x"}),
                   anna.post(path + "/watch", {}), anna.patch(path, {"title": "x", "version": 99})):
        assert answer.status == 409
        assert answer.json["current"]["merged_into"] == kept["id"], answer.body


def test_what_is_refused_is_named(desk):
    admin, anna, carol = desk.api("admin"), desk.api("anna"), desk.api("carol")
    ticket = new_ticket(carol)
    path = f"/tickets/{ticket['id']}"
    for answer, field in (
            (anna.post(path + "/merge", {"into": ticket["id"]}), "into"),
            (anna.post(path + "/split", {"comment": 999999}), "comment"),
            (anna.post(path + "/links", {"type": "relates", "ticket": 999999}), "ticket"),
            (anna.post(path + "/participants", {"user": 999999, "role": "cc"}), "user"),
            (carol.post(path + "/comments", {"body": "x", "attachments": [999999]}), "attachments.0"),
            (anna.patch(path, {"tags": ["a,b"]}), "tags"),
            (admin.patch(f"/users/{ticket['requester']['id']}", {"organisation": 999999,
                                                                 "name": "Carol"}), "organisation")):
        assert (answer.status, fields_of(answer)) == (422, [field]), answer.body


def test_a_category_is_one_of_the_desks(start_world):
    desk = start_world(fragment='desk { categories = {"hardware", "software"} }\n')
    for who in ("anna", "carol"):
        answer = desk.api(who).post("/tickets", {"title": "t", "description": "d",
                                                 "category": "garden"})
        assert (answer.status, fields_of(answer)) == (422, ["category"])
    assert new_ticket(desk.api("carol"), category="hardware")["category"] == "hardware"
    assert new_ticket(desk.api("carol"), category="")["category"] is None


def test_long_strange_names_break_no_answer(desk):
    anna = desk.api("anna")
    path = f"/tickets/{new_ticket(anna)['id']}"
    for letter in ("k" * 5, "é", "字", "👩"):
        answer = anna.patch(path, {"fields": {letter * 20000: "x"}})
        assert answer.status == 422 and fields_of(answer)[0].startswith("fields." + letter)
        answer = anna.post(path + "/commands", {"text": "#assign " + letter * 300})
        assert answer.status == 200 and answer.json["ok"] is False
        assert letter in answer.json["lines"][0]["reason"]
    for sender in ({"address": "x y"}, {"domain": "x y"}):
        answer = anna.post("/blocked-senders", sender)
        assert (answer.status, fields_of(answer)) == (422, list(sender))


def test_every_write_to_a_ticket_minds_its_version(desk):
    anna, carol = desk.api("anna"), desk.api("carol")
    ticket = new_ticket(carol)
    path, other = f"/tickets/{ticket['id']}", new_ticket(carol)["id"]
    comment = anna.post(path + "/comments", {"body": "x"}).json["id"]
    writes = (("POST", path + "/comments", {"body": "x"}), ("POST", path + "/watch", {}),
              ("POST", path + "/commands", {"text": "#prio low"}),
              ("POST", path + "/mute", {"muted": True}),
              ("POST", path + "/participants", {"user": "dave@customer.test"}),
              ("DELETE", f"{path}/participants/{ticket['requester']['id']}", {}),
              ("POST", path + "/links", {"type": "relates", "ticket": other}),
              ("POST", path + "/merge", {"into": other}),
              ("PATCH", f"/comments/{comment}", {"body": "y"}), ("DELETE", f"/comments/{comment}", {}))
    for method, where, body in writes:
        answer = anna.request(method, where, {**body, "version": 99})
        assert answer.status == 409 and answer.json["code"] == "version_conflict", (method, where)
        assert answer.json["current"]["id"] == ticket["id"]
    assert carol.request("DELETE", path, {"version": 99}).status == 409
    answer = anna.request("POST", path + "/commands", {"text": "#prio low"},
                          {"If-Match": f'"{ticket["id"]}-99-a"'})
    assert answer.status == 409
    now = carol.get(path).json
    assert now["priority"] == "medium"
    assert anna.post(path + "/commands", {"text": "#prio low",
                                          "version": now["version"]}).json["ok"] is True
    assert carol.request("DELETE", path, {"versoin": 99}).status == 422
    assert carol.request("DELETE", path, {"version": now["version"] + 1}).status == 204


def test_a_typo_in_a_body_that_could_be_left_out_is_a_fault(desk):
    admin = desk.api("admin")
    tag = admin.post("/tags", {"name": "typo", "color": "#123456"}).json["id"]
    answer = admin.request("DELETE", f"/tags/{tag}", {"force": True})
    assert (answer.status, fields_of(answer)) == (422, ["force"])
    assert admin.request("DELETE", f"/tags/{tag}", {}).status == 204


def test_the_etag_of_a_comment_is_good_for_its_changes(desk):
    anna = desk.api("anna")
    ticket = new_ticket(anna)["id"]
    comment = anna.post(f"/tickets/{ticket}/comments", {"body": "x"}).json["id"]
    path = f"/comments/{comment}"
    tag = anna.get(path).headers["ETag"]
    assert tag == f'"{comment}-{anna.get(f"/tickets/{ticket}").json["version"]}-a"'
    assert anna.request("GET", path, headers={"If-None-Match": tag}).status == 304
    assert anna.request("PATCH", path, {"body": "y"}, {"If-Match": tag}).status == 200
    assert anna.request("PATCH", path, {"body": "z"}, {"If-Match": tag}).status == 409
    assert anna.request("DELETE", path, headers={"If-Match": tag}).status == 409
    whole = anna.get(f"/tickets/{ticket}").headers["ETag"]
    assert anna.request("PATCH", path, {"body": "z"}, {"If-Match": whole}).status == 200
    tag = anna.get(path).headers["ETag"]
    assert anna.request("DELETE", path, headers={"If-Match": tag}).status == 204


def test_what_was_released_is_trusted_with_little(desk):
    anna = desk.api("anna")
    blocked = anna.post("/blocked-senders", {"address": "dave@customer.test"}).json["id"]
    desk.send(new_mail("Dave <dave@customer.test>", "support@desk.test", "Let me in", "Hello"),
              login="dave")
    held = wait_for("the held mail", lambda: anna.get("/quarantine").json["items"])[0]
    assert anna.request("DELETE", f"/blocked-senders/{blocked}").status == 204
    assert anna.get(f"/messages/{held['message']}").json["trust"] == 2
    assert anna.post(f"/quarantine/{held['id']}/release", {}).status == 200
    decision = anna.get(f"/messages/{held['message']}/decision").json
    assert (decision["outcome"], decision["trust"]) == ("ticket_created", 1)


def test_people_live_in_zones_there_are(desk):
    admin = desk.api("admin")
    who = admin.get("/users", role="customer").json["items"][0]["id"]
    for field, bad, good in (("timezone", "Mars/Base", "Europe/Paris"), ("locale", "d e", "de")):
        answer = admin.patch(f"/users/{who}", {field: bad})
        assert (answer.status, fields_of(answer)) == (422, [field])
        answer = admin.post("/users", {"email": "zone@customer.test", "name": "Z",
                                       "role": "customer", field: bad})
        assert (answer.status, fields_of(answer)) == (422, [field])
        assert admin.patch(f"/users/{who}", {field: good}).json[field] == good
        assert admin.patch(f"/users/{who}", {field: None}).json[field] is None


@pytest.mark.parametrize("path, body, change", [
    ("/users", {"email": "matched@x.test", "role": "customer"}, {"name": "Other"}),
    ("/teams", {}, {"name": "matched other"}), ("/tags", {}, {"color": "#112233"}),
    ("/organisations", {}, {"domains": ["matched.test"]}),
    ("/canned-replies", {"body": "x"}, {"body": "y"}),
    ("/saved-views", {"query": ""}, {"query": "status=open"}),
    ("/api-keys", {"scopes": ["admin"]}, {"scopes": ["tickets:read"]}),
    ("/webhooks", {"url": "https://93.184.216.34/", "events": ["sla.warning"], "active": False},
     {"events": ["sla.breached"]})])
def test_who_comes_second_changes_nothing(desk, path, body, change):
    """By the ETag that a GET has given."""
    admin = desk.api("admin")
    named = {} if path == "/webhooks" else {"name": "matched"}
    one = f"{path}/{ok(admin.post(path, {**body, **named}), 201)['id']}"
    seen = admin.get(one)
    tag = {"If-Match": seen.headers["ETag"]}
    assert ok(admin.request("PATCH", one, change, tag)) != seen.json
    now = admin.get(one)
    for method in "PATCH", "DELETE":
        for stale in (tag, {"If-Match": '"nonsense"'}, {"If-Match": "W/" + now.headers["ETag"]}):
            answer = admin.request(method, one, change if method == "PATCH" else None, stale)
            refused(answer, 409, "version_conflict")
            assert answer.json["current"] == now.json
    assert admin.get(one).json == now.json
    ok(admin.request("PATCH", one, {}, {"If-Match": f'"x", {now.headers["ETag"]}'}))
    assert admin.request("DELETE", one, None, {"If-Match": "*"}).status == 204


def test_of_many_with_one_etag_one_is_first(desk):
    admin = desk.api("admin")
    one = f"/teams/{ok(admin.post('/teams', {'name': 'raced'}), 201)['id']}"
    tag = {"If-Match": admin.get(one).headers["ETag"]}
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: admin.request("PATCH", one, {"name": f"raced {n}"}, tag),
                                   range(8)))
    assert sorted(a.status for a in answers) == [200] + [409] * 7


def test_who_was_erased_is_not_filled_in_again(desk):
    admin = desk.api("admin")
    person = {"email": "gone@x.test", "name": "Gone", "role": "customer"}
    one = f"/users/{ok(admin.post('/users', person), 201)['id']}"
    assert admin.post(one + "/erase", {}).status == 202
    for change in {"name": "Back"}, {"disabled": False}, {"email": "back@x.test"}:
        refused(admin.patch(one, change), 409, "erased")
    refused(admin.post(one + "/addresses", {"address": "back@x.test"}), 409, "erased")


def test_who_cannot_be_assigned_is_named(desk):
    answer = desk.api("anna").post("/tickets", {"title": "x", "description": "x",
                                                "assignee": desk.address("carol")})
    refused(answer, 422, "only an active agent")
    assert fields_of(answer) == ["assignee"]


def test_a_comment_of_blanks_is_empty(desk):
    anna = desk.api("anna")
    path = f"/tickets/{new_ticket(anna)['id']}/comments"
    for body in " ", "\n\t ":
        answer = anna.post(path, {"body": body})
        refused(answer, 422, "must not be empty")
        assert fields_of(answer) == ["body"]


def test_refusals_name_the_field(desk):
    anna, both = desk.api("anna"), {"address": "a@x.test", "domain": "x.test"}
    for query in "outcome=x", "outcome=discarded,", "direction=x", "kind=x":
        answer = anna.get(f"/messages?{query}")
        refused(answer, 400, "invalid_parameter")
        assert fields_of(answer) == [query.partition("=")[0]]
    for body in {}, both:
        answer = anna.post("/blocked-senders", body)
        refused(answer, 422, "validation")
        assert fields_of(answer) == ["address"]


def test_what_is_said_has_a_name(desk):
    """Fields, conflicts, commands, many tickets, a mail: the sentence, its code, what stands in it."""
    anna = desk.api("anna")
    answer = anna.post("/tickets", {"title": "x" * 501, "description": "d", "priority": "urgent",
                                    "colour": 1})
    refused(answer, 422, "validation")
    assert sorted(answer.json["errors"], key=lambda e: e["field"]) == [
        {"field": "colour", "message": "is not known here", "code": "unknown", "values": []},
        {"field": "priority", "message": "must be one of low, medium, high, critical",
         "code": "not_one_of", "values": ["low, medium, high, critical"]},
        {"field": "title", "message": "must have at most 500 characters",
         "code": "too_long", "values": ["500"]}]
    ticket = new_ticket(anna)
    answer = anna.patch(f"/tickets/{ticket['id']}", {"assignee": "carol@customer.test"})
    assert answer.json["errors"][0]["code"] == "assignee_active", answer.body
    answer = anna.patch(f"/tickets/{ticket['id']}", {"status": "resolved"})
    assert (answer.status, answer.json["reason"]) == (400, {
        "code": "no_way", "values": ["open", "resolved", "in_progress, closed"]})
    path = f"/tickets/{ticket['id']}/commands"
    assert ok(anna.post(path, {"text": "#resolve"}))["lines"] == [
        {"line": "#resolve", "ok": False, "code": "take_first",
         "reason": "take it first, [take; resolve]: no way from open to resolved; "
                   "allowed: in_progress, closed",
         "values": ["open", "resolved", "in_progress, closed"]}]
    result = ok(anna.post("/tickets/bulk", {"ids": [ticket["id"]], "text": "#priority urgent"}))
    assert result["results"][0]["code"] == "priority_words"
    admin = desk.api("admin")
    made = ok(admin.post("/canned-replies", {"name": "twice", "body": "b"}), 201)
    again = admin.post("/canned-replies", {"name": "twice", "body": "b"})
    assert (again.status, again.json["reason"]) == (409, {"code": "canned_taken", "values": ["twice"]})
    assert admin.request("DELETE", f"/canned-replies/{made['id']}").status == 204
