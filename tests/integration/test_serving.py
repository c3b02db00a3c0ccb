"""Of the API itself: its figures, and a line in the log for each request."""
import re

from lib import Api, wait_for


# ---- figures ----

LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+|# (HELP|TYPE) .+')


def figures(api, **headers):
    answer = api.request("GET", "//metrics", headers=headers)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.body.decode().splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    return dict(line.rpartition(" ")[::2] for line in lines if line[0] != "#")


def test_figures(desk):
    anna = desk.api("anna")
    ticket = anna.post("/tickets", {"title": "Counted", "description": "x"}).json
    assert anna.get(f"/tickets/{ticket['id']}").status == 200

    def read():
        now = figures(desk.api())
        return now if float(now.get('maildesk_tickets{status="open"}', 0)) >= 1 else None
    now = wait_for("the ticket among the figures", read)
    assert now['maildesk_mailbox_up{mailbox="support"}'] == "1"
    assert float(now['maildesk_mailbox_last_success_timestamp_seconds{mailbox="support"}']) > 1e9
    assert now["maildesk_database_up"] == "1"
    assert float(now["process_resident_memory_bytes"]) > 1e6
    assert float(now["process_start_time_seconds"]) > 1e9
    route = 'method="GET",route="/api/v1/tickets/{id}"'
    assert float(now["maildesk_http_request_duration_seconds_count{%s}" % route]) >= 1
    assert float(now['maildesk_http_request_duration_seconds_bucket{%s,le="+Inf"}' % route]) >= 1
    for name in ("maildesk_ingest_mails_total", "maildesk_quarantine_mails",
                 "maildesk_sla_breached_tickets", "maildesk_timers_lag_seconds"):
        assert any(key.partition("{")[0] == name for key in now), name


def test_figures_are_for_this_machine_or_an_admins_key(start_world):
    world = start_world(fragment='http { trusted_proxies = {"127.0.0.1"} }\n')
    admin = world.api("admin")
    key, weak = (admin.post("/api-keys", {"name": scope, "scopes": [scope]}).json["key"]
                 for scope in ("admin", "tickets:read"))
    far = {"X-Forwarded-For": "192.0.2.7"}

    def status(token=None, **headers):
        api = Api(world["http"])
        api.token = token
        return api.request("GET", "//metrics", headers=headers).status

    assert status() == 200 and status(**{"X-Forwarded-For": "127.0.0.1"}) == 200
    assert status(**far) == 401 and status(weak, **far) == 403 and status(key, **far) == 200
    assert status(world.api("anna").token, **far) == 403
    # neither this nor health counts against a limit
    for _ in range(70):
        assert status() == 200


# ---- the log ----

def test_a_request_is_found_in_the_log_by_its_id(desk):
    answer = desk.api("carol").get("/tickets", q="secretword")
    name = answer.headers["X-Request-Id"]

    def line():
        return next((x for x in log_text(desk).splitlines() if f"request {name}" in x), None)
    found = wait_for("its line", line)
    assert re.search(r"http GET /api/v1/tickets 200 \d+us from 127\.0\.0\.1 user \d+ ", found)
    assert "secretword" not in log_text(desk)


def log_text(desk):
    return (desk.dir / "log" / "maildesk.out").read_text(errors="replace")
