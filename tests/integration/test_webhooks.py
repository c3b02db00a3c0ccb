"""Webhooks: who may make them, what is sent, what is tried again, and where none may go."""
import collections
import contextlib
import hashlib
import hmac
import http.server
import json
import socket
import threading
import time

import pytest

import lib
from lib import execute, ok, refused, wait_for

OPEN = 'webhooks { allow_private = true  retry_first = "100ms"  timeout = "2s"  give_up = "5s" }\n'
DESK = OPEN


class Target:
    """An HTTP server that answers as told: a list of statuses, the last one for ever."""

    def __init__(self, answers=(200,), headers=(), body=b"thanks"):
        self.calls, outer = [], self
        answers = list(answers)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls.append((self.path, dict(self.headers), text))
                status = answers.pop(0) if len(answers) > 1 else answers[0]
                if status == "cut":
                    return
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def do_GET(self):  # what most redirects would make of a POST
                outer.calls.append((self.path, dict(self.headers), b""))
                self.send_error(404)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def events(self):
        return [json.loads(text) for _, _, text in self.calls]


@pytest.fixture(scope="module")
def people(desk):
    return {name: desk.api(name) for name in ("admin", "anna", "carol")}


@contextlib.contextmanager
def hook(admin, url, *events, **more):
    made = ok(admin.post("/webhooks", {"url": url, "events": list(events), **more}), 201)
    yield made
    assert admin.request("DELETE", f"/webhooks/{made['id']}").status == 204


def calls(admin, made):
    return ok(admin.get(f"/webhooks/{made['id']}/deliveries", per_page=100))["items"]


def new_ticket(api, title="Call me"):
    return ok(api.post("/tickets", {"title": title, "description": "x"}), 201)["id"]


def test_for_admins_and_the_secret_is_shown_once(people):
    admin, anna = people["admin"], people["anna"]
    refused(anna.get("/webhooks"), 403)
    refused(anna.post("/webhooks", {"url": "https://example.com/", "events": ["ticket.created"]}), 403)
    body = {"url": "https://example.com/h", "events": ["ticket.created", "comment.created"]}
    made = ok(admin.post("/webhooks", body), 201)
    path = f"/webhooks/{made['id']}"
    assert made["secret"].startswith("whsec_") and made["active"] is True
    assert {k: made[k] for k in body} == body
    assert "secret" not in ok(admin.get(path)) and made["secret"] not in str(ok(admin.get("/webhooks")))
    assert "secret" not in ok(admin.patch(path, {"active": False}))
    again = ok(admin.patch(path, {"secret": None}))
    assert again["secret"] and again["secret"] != made["secret"] and again["active"] is False
    assert ok(admin.patch(path, {"secret": "my own secret words"}))["secret"] == "my own secret words"
    refused(admin.post(path + "/test", {}), 409, "off")
    for bad, word in (({"url": "ftp://example.com/"}, "https://"), ({"url": "https://u:p@example.com/"}, "user"),
                      ({"url": "example"}, "url"), ({"events": ["ticket.exploded"]}, "events"),
                      ({"events": []}, "events"), ({"secret": "short"}, "secret"), ({"x": 1}, "x")):
        refused(admin.patch(path, bad), 422, word)
    refused(admin.post("/webhooks", {"url": "https://example.com/"}), 422, "events")
    assert admin.request("DELETE", path).status == 204
    refused(admin.get(path), 404)


def test_a_call_is_signed_and_tells_what_happened(people):
    admin, carol = people["admin"], people["carol"]
    with Target() as target, hook(admin, target.url, "ticket.created", "comment.created") as made:
        ticket = new_ticket(carol)
        note = ok(people["anna"].post(f"/tickets/{ticket}/comments",
                                      {"body": "x", "is_internal": True}), 201)["id"]
        ok(people["anna"].patch(f"/tickets/{ticket}", {"priority": "high"}))
        wait_for("two calls", lambda: len(target.calls) == 2)
        told = {e["type"]: e for e in target.events()}
        assert told["ticket.created"]["ticket"] == ticket
        assert told["ticket.created"]["actor"]["name"] == "Carol"
        assert told["comment.created"]["comment"] == note
        path, headers, text = target.calls[0]
        assert path == "/hook" and headers["Content-Type"] == "application/json"
        t, v1 = (part.partition("=")[2] for part in headers["X-Maildesk-Signature"].split(","))
        assert abs(int(t) - time.time()) < 60
        assert v1 == hmac.new(made["secret"].encode(), t.encode() + b"." + text,
                              hashlib.sha256).hexdigest()
        log = wait_for("the log", lambda: [c for c in calls(admin, made) if c["state"] == "delivered"][1:]
                       and calls(admin, made))
        assert [c["status"] for c in log] == [200, 200] and log[0]["reply"] == "thanks"
        assert {c["body"] for c in log} == {text.decode() for _, _, text in target.calls}
        ok(admin.post(f"/webhooks/{made['id']}/test", {}), 202)
        wait_for("the test", lambda: target.events()[-1]["type"] == "webhook.test")


def test_what_fails_is_tried_again_until_it_is_given_up(people):
    admin = people["admin"]
    with Target(("cut", 500, 302, 204), headers=(("Location", "http://127.0.0.1:1/"),)) as target, \
            hook(admin, target.url, "ticket.created") as made:
        new_ticket(people["carol"])
        done = wait_for("success", lambda: [c for c in calls(admin, made) if c["state"] == "delivered"])
        assert done[0]["attempts"] == 4 and done[0]["status"] == 204
        assert len({c[2] for c in target.calls}) == 1
        assert len({c[1]["X-Maildesk-Delivery"] for c in target.calls}) == 1
    with Target((500,)) as target, hook(admin, target.url, "ticket.created") as made:
        new_ticket(people["carol"])
        failed = wait_for("the end", lambda: [c for c in calls(admin, made) if c["state"] == "failed"])
        assert failed[0]["attempts"] > 2 and failed[0]["status"] == 500
    with Target((500,)) as target, hook(admin, target.url, "ticket.created") as made:
        new_ticket(people["carol"])
        wait_for("a call", lambda: target.calls)
        ok(admin.patch(f"/webhooks/{made['id']}", {"active": False}))
        wait_for("the end of them", lambda: {c["state"] for c in calls(admin, made)} == {"failed"})


@pytest.mark.parametrize("status", (301, 302, 303, 307, 308))
def test_nobody_is_led_on(people, status):
    """Where a target is allowed, where it sends us is not."""
    admin = people["admin"]
    with Target() as inner, Target((status,), headers=(("Location", inner.url),)) as target, \
            hook(admin, target.url, "ticket.created") as made:
        new_ticket(people["carol"])
        tried = wait_for("tries", lambda: inner.calls or [
            c for c in calls(admin, made) if c["attempts"] > 1])
        assert inner.calls == [] and tried[0]["status"] == status


def test_an_endless_answer_is_cut(people):
    admin = people["admin"]
    with Target(body=b"x" * 10_000_000) as target, hook(admin, target.url, "ticket.created") as made:
        new_ticket(people["carol"])
        done = wait_for("success", lambda: [c for c in calls(admin, made) if c["state"] == "delivered"])
        assert len(done[0]["reply"]) < 400


def test_one_that_hangs_holds_up_nobody(desk, people):
    """Row 19: mail goes on, and so do the others, while it has more waiting than it is called at once."""
    admin, carol = people["admin"], people["carol"]
    deaf = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
    with Target() as target, hook(admin, url, "ticket.created") as hangs, \
            hook(admin, target.url, "ticket.created"):
        began = time.monotonic()
        for n in range(12):
            new_ticket(carol, f"Hang {n}")
        wait_for("the other's calls", lambda: len(target.calls) == 12)
        desk.send(lib.new_mail("carol@customer.test", "support@desk.test", "While it hangs", "Hi"),
                  login="carol")
        people["anna"].wait_ticket("the mail", lambda t: t["title"] == "While it hangs")
        with desk.mailbox("carol") as box:
            box.wait_mail("the acknowledgement", lambda m: "While it hangs" in str(m["Subject"]))
        print(f"{time.monotonic() - began:.1f} s")
        assert {c["state"] for c in calls(admin, hangs)} <= {"queued", "sending", "retry", "failed"}
        states = collections.Counter(c["state"] for c in calls(admin, hangs))
        assert states["sending"] <= 4
        wait_for("its time-outs", lambda: any(c["reply"] for c in calls(admin, hangs)))
    deaf.close()


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]", "localhost", "a.localhost", "localhost.",
    "intranet"])
def test_no_private_address(closed, host):
    for scheme in "http", "https":
        refused(closed.post("/webhooks", {"url": f"{scheme}://{host}:8080/x",
                                          "events": ["ticket.created"]}), 422, "url")


@pytest.fixture(scope="module")
def closed(start_shared):
    """The admin of a desk that lets webhooks go to public addresses alone."""
    world = start_shared('webhooks { retry_first = "100ms" }\nlimits { user_per_minute = 0 }\n')
    api = world.api("admin")
    api.world = world
    return api


def test_a_public_address_is_fine(closed):
    for host in "93.184.216.34", "[2606:2800:220:1::1]", "example.com", "8.8.8.8":
        made = ok(closed.post("/webhooks", {"url": f"https://{host}/", "events": ["ticket.created"],
                                            "active": False}), 201)
        assert closed.request("DELETE", f"/webhooks/{made['id']}").status == 204


def test_a_name_that_leads_home_is_refused_as_it_is_called(closed):
    """The name passes when it is made; what it is resolved to does not."""
    name = socket.gethostname() + ".localdomain.example"
    with Target() as target:
        port = target.server.server_address[1]
        made = ok(closed.post("/webhooks", {"url": f"http://{name}:{port}/", "events": ["ticket.created"]}),
                  201)
        # behind the API's back, as a name would change its mind
        execute(closed.world, f"UPDATE webhooks SET url = 'http://localhost:{port}/' WHERE id = {made['id']}")
        ok(closed.post(f"/webhooks/{made['id']}/test", {}), 202)
        done = wait_for("the end", lambda: [c for c in calls(closed, made) if c["state"] == "failed"])
        assert done[0]["reply"] == "the address is private" and done[0]["attempts"] == 1
        assert target.calls == []
        assert closed.request("DELETE", f"/webhooks/{made['id']}").status == 204


def test_service_levels_call(start_world):
    world = start_world(fragment=OPEN + (
        'sla "quick" { warn = {50}  first_response { medium = "2s" }\n'
        '\tescalate "late" { metric = "first_response"  webhook = true  notify = {} } }\n'))
    admin = world.api("admin")
    with Target() as target, hook(admin, target.url, "sla.warning", "sla.breached", "sla.escalated"):
        ticket = new_ticket(world.api("carol"))
        wait_for("three calls", lambda: {e["type"] for e in target.events()} == {
            "sla.warning", "sla.breached", "sla.escalated"})
        assert all(e["ticket"] == ticket and e["actor"] is None for e in target.events())
        assert len(target.calls) == 3


def test_who_is_forgotten_is_so_in_the_log(desk, people):
    admin = people["admin"]
    key = {"email": "gina@customer.test", "password": "gina's own words"}
    gina = ok(admin.post("/users", {"name": "Gina Lollo", "role": "customer", **key}), 201)["id"]
    with Target() as target, hook(admin, target.url, "ticket.created") as made:
        new_ticket(lib.Api(desk["http"], key))
        done = wait_for("the call", lambda: [c for c in calls(admin, made) if c["state"] == "delivered"])
        assert "Gina Lollo" in done[0]["body"]
        ok(admin.post(f"/users/{gina}/erase", {}), 202)
        assert calls(admin, made)[0]["body"] is None
