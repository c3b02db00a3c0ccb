"""GET /events: who is told what, in which order, and for how long."""
import json
import pathlib
import re
import selectors
import socket
import urllib.parse

import pytest

import lib
from lib import new_mail, ok, wait_for
from watch import Watch

DESK = 'http { heartbeat = "200ms" }\nlimits { connections_per_address = 0 }\n'


@pytest.fixture(scope="module")
def people(desk):
    return {name: desk.api(name) for name in ("admin", "anna", "bob", "carol", "dave")}


def new_ticket(api, title="Printer on fire"):
    return ok(api.post("/tickets", {"title": title, "description": "It burns."}), 201)["id"]


def mark(api):
    """A ticket whose creation is the last event of a test."""
    return new_ticket(api, "The end")


def about(events, ticket):
    return [(kind, data.get("comment")) for _, kind, data in events if data["ticket"] == ticket]


def up_to(watch, ticket):
    events = watch.until(lambda kind, data: data["ticket"] == ticket)
    ids = [e[0] for e in events]
    assert ids == sorted(set(ids)), ids
    return events


def test_each_is_told_what_they_may_see(people):
    anna, carol, dave = (people[n] for n in ("anna", "carol", "dave"))
    with Watch(anna) as agent, Watch(carol) as owner, Watch(dave) as stranger:
        assert agent.headers["Content-Type"] == "text/event-stream"
        ticket = new_ticket(carol)
        path = f"/tickets/{ticket}"
        note = ok(anna.post(path + "/comments", {"body": "Secret", "is_internal": True}), 201)["id"]
        reply = ok(anna.post(path + "/comments", {"body": "Hello"}), 201)["id"]
        ok(anna.patch(path, {"priority": "high"}))
        ok(anna.patch(f"/comments/{reply}", {"body": "Hello Carol"}))
        assert anna.request("DELETE", f"/comments/{note}").status == 204
        version = ok(anna.get(path))["version"]
        told = agent.until(lambda kind, data: kind == "comment.deleted")
        assert carol.request("DELETE", path).status == 204
        theirs = mark(dave)
        told += up_to(agent, theirs)
        # a first reply also moves the ticket: it was answered
        assert about(told, ticket) == [
            ("ticket.created", None), ("comment.created", note), ("comment.created", reply),
            ("ticket.updated", None), ("ticket.updated", None), ("comment.updated", reply),
            ("comment.deleted", note), ("ticket.deleted", None)]
        first = told[0][2]
        assert first["actor"]["name"] == "Carol" and first["actor"]["role"] == "customer"
        assert [d["version"] for _, _, d in told if d["ticket"] == ticket][-2:] == \
            [version, version + 1]
        ours = mark(carol)
        assert about(up_to(owner, ours), ticket) == [
            ("ticket.created", None), ("comment.created", reply), ("ticket.updated", None),
            ("ticket.updated", None), ("comment.updated", reply), ("ticket.deleted", None)]
        assert [d["ticket"] for _, _, d in up_to(stranger, theirs)] == [theirs]


def test_a_mail_is_one_event(desk, people):
    with Watch(people["anna"]) as agent:
        desk.send(new_mail("carol@customer.test", "support@desk.test", "One mail, one event", "Hi"),
                  login="carol")
        ticket = people["anna"].wait_ticket("the mail", lambda t: t["title"] == "One mail, one event")
        end = mark(people["carol"])
        assert about(up_to(agent, end), ticket["id"]) == [("ticket.created", None)]


def test_who_comes_back_misses_nothing(people):
    anna, carol, dave = (people[n] for n in ("anna", "carol", "dave"))
    with Watch(anna) as agent:
        up_to(agent, new_ticket(carol))
        last = agent.last
    tickets = [new_ticket(carol) for _ in range(5)] + [new_ticket(dave)]
    with Watch(anna, last) as agent:
        assert agent.first is None
        assert [d["ticket"] for _, _, d in up_to(agent, tickets[-1])] == tickets
    with Watch(dave, last) as stranger:
        assert [d["ticket"] for _, _, d in up_to(stranger, tickets[-1])] == tickets[-1:]
        # passed over what was not for him: the heartbeat says how far
        wait_for("a position", lambda: stranger.block() and stranger.last >= agent.last)
    for unknown in "999999999", "x", "-1", "1e3", "9" * 30:
        with Watch(anna, unknown) as agent:
            assert agent.first == "reset", unknown
            assert agent.last >= last
            up_to(agent, mark(carol))


def test_a_slow_reader_gets_all_of_it_and_holds_up_nobody(people):
    anna, carol = people["anna"], people["carol"]
    at = urllib.parse.urlsplit(anna.base)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.settimeout(lib.PATIENCE)
    slow.connect((at.hostname, at.port))
    slow.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {anna.token}\r\n"
                 "\r\n".encode())
    with Watch(anna) as agent:
        ticket = new_ticket(carol)
        for i in range(150):
            ok(anna.patch(f"/tickets/{ticket}", {"title": f"Title {i}"}))
        end = mark(carol)
        assert about(up_to(agent, end), ticket) == [("ticket.created", None)] + 150 * [
            ("ticket.updated", None)]
    text = b""
    while f'"ticket":{end},'.encode() not in text:
        more = slow.recv(1000)
        assert more
        text += more
    slow.close()
    plain = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", text).decode()
    whole = plain.split("\n")[:-1]  # the last line may not be there to its end yet
    told = [json.loads(line[6:]) for line in whole if line.startswith("data: ")]
    versions = [d["version"] for d in told if d["ticket"] == ticket and d["type"] == "ticket.updated"]
    assert len(versions) == 150 and versions == sorted(versions)


def threads(desk):
    """Of all roles of the daemon."""
    seen = 0
    for task in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = task.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == desk["pid"]:  # its process group
            seen += int(fields[17])
    return seen


def test_500_watch_and_no_thread_is_theirs(desk, people):
    at = urllib.parse.urlsplit(desk["http"])
    before, all_of_them = threads(desk), selectors.DefaultSelector()
    request = (f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {people['bob'].token}\r\n\r\n").encode()
    for _ in range(500):
        s = socket.create_connection((at.hostname, at.port), lib.PATIENCE)
        s.sendall(request)
        all_of_them.register(s, selectors.EVENT_READ, bytearray())
    started = 0

    def read(mark_, count):
        waiting = {key.fd for key in all_of_them.get_map().values() if mark_ not in key.data}

        def step():
            for key, _ in all_of_them.select(0.1):
                key.data.extend(key.fileobj.recv(65536))
                if mark_ in key.data:
                    waiting.discard(key.fd)
            return not waiting
        wait_for(f"{mark_} for {count}", step)

    read(b"retry: 3000", 500)
    assert threads(desk) == before
    ticket = new_ticket(people["carol"], "To all")
    read(f'"ticket":{ticket},'.encode(), 500)
    assert people["anna"].get("/auth/me").status == 200
    for key in list(all_of_them.get_map().values()):
        assert b"HTTP/1.1 200" in key.data
        key.fileobj.close()
    # as many again at once: who hung up makes room
    with Watch(people["bob"]) as once_more:
        assert once_more.status == 200


def test_ends_with_the_session_and_the_person(desk, people):
    admin = people["admin"]
    erin = ok(admin.post("/users", {"name": "Erin", "email": "erin@customer.test",
                                    "role": "customer", "password": "erin's own words"}), 201)

    def sign_in():
        return lib.Api(desk["http"], {"email": "erin@customer.test",
                                      "password": "erin's own words"})
    one, two = sign_in(), sign_in()
    with Watch(one) as first, Watch(two) as second:
        assert two.request("DELETE", "/auth/sessions").status == 204  # all but its own
        assert first.is_over()
        up_to(second, new_ticket(two))
        ok(admin.patch(f"/users/{erin['id']}", {"disabled": True}))
        assert second.is_over()
    key = ok(admin.post("/api-keys", {"name": "k", "scopes": ["tickets:read"]}), 201)
    program = lib.Api(desk["http"])
    program.token = key["key"]
    with Watch(program) as third:
        up_to(third, mark(people["carol"]))
        assert admin.request("DELETE", f"/api-keys/{key['id']}").status == 204
        assert third.is_over()


def test_visibility_follows_the_role(desk, people):
    admin = people["admin"]
    user = ok(admin.post("/users", {"name": "Fred", "email": "fred@desk.test", "role": "agent",
                                    "password": "fred's own words"}), 201)
    key = {"email": "fred@desk.test", "password": "fred's own words"}
    with Watch(lib.Api(desk["http"], key)) as agent:
        up_to(agent, new_ticket(people["carol"]))
        ok(admin.patch(f"/users/{user['id']}", {"role": "customer"}))
        assert agent.is_over()  # the role ends its tokens
    with Watch(lib.Api(desk["http"], key)) as customer:
        new_ticket(people["carol"])
        own = new_ticket(lib.Api(desk["http"], key))
        assert [d["ticket"] for _, _, d in up_to(customer, own)] == [own]


def test_what_is_no_stream(desk, people):
    anna = people["anna"]
    assert desk.api().get("/events").status == 401
    head = anna.request("HEAD", "/events")
    assert head.status == 405 and head.headers["Allow"] == "GET, OPTIONS"
    assert anna.get("/events", after=1).status == 400
    assert anna.post("/events", {}).status == 405
    with Watch(anna, headers={"Accept-Encoding": "gzip"}) as plain:
        assert plain.headers["Content-Encoding"] is None
        up_to(plain, mark(people["carol"]))
    key = ok(people["admin"].post("/api-keys", {"name": "w", "scopes": ["tickets:write"]}), 201)
    program = lib.Api(desk["http"])
    program.token = key["key"]
    with Watch(program) as refused:
        assert refused.status == 403


def test_customers_have_a_few(people):
    dave = people["dave"]
    watches = [Watch(dave) for _ in range(20)]
    with Watch(dave) as one_more:
        assert one_more.status == 503 and one_more.headers["Retry-After"]
    watches.pop().__exit__()
    with Watch(dave) as one_more:
        assert one_more.status == 200
    for w in watches:
        w.__exit__()


def test_an_open_desk_and_a_stop(start_world):
    world = start_world(fragment='desk { visibility = "open" }\n')
    carol, dave = world.api("carol"), world.api("dave")
    with Watch(dave) as watch:
        ticket = new_ticket(carol)
        note = ok(world.api("anna").post(f"/tickets/{ticket}/comments",
                                         {"body": "x", "is_internal": True}), 201)["id"]
        seen = up_to(watch, new_ticket(carol))
        assert ("ticket.created", None) in about(seen, ticket)
        assert ("comment.created", note) not in about(seen, ticket)
        last = watch.last
        world.sandbox("stop", "desk")
        assert watch.is_over()
        world.sandbox("start", "desk")
    with Watch(world.api("dave"), last) as watch:
        assert watch.first is None
        own = new_ticket(world.api("dave"))
        assert [d["ticket"] for _, _, d in up_to(watch, own)] == [own]
