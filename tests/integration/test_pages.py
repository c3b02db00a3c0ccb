"""Sentences of the pages on tickets, service levels and mails that only a running desk can keep."""
import datetime
import json
import sys
import time

import lib
from lib import TREE, new_mail, ok, reply_to, run, text_of, wait_for

sys.path.insert(0, str(TREE / "tests" / "faults"))
from fakes import Smtp  # noqa: E402

SUPPORT = "support@desk.test"


def read(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds(since, until):
    return (read(until) - read(since)).total_seconds()


def say(world, subject, to=SUPPORT):
    world.send(new_mail("Carol <carol@customer.test>", to, subject, "Hello.\n"), login="carol")
    return world.api("anna").wait_ticket(subject, lambda t: t["title"] == subject)


# ---- tickets ----

def test_a_ticket_says_which_way_it_came(desk, tmp_path):
    account = desk.accounts["carol"]
    signed_in = desk.api().post("/auth/token", {"email": account["address"], "cookie": True,
                                                "password": account["password"]})
    console = lib.Api(desk["http"])
    console.token = ok(signed_in)["access_token"]
    body = {"title": "One way", "description": "x"}
    made = {"console": ok(console.post("/tickets", body), 201)["id"],
            "api": ok(desk.api("carol").post("/tickets", body), 201)["id"],
            "mail": say(desk, "Another way")["id"]}
    done = run("ticket", "new", "By hand", "--as", account["address"], "--json",
               "--config", desk["config"], input="Hello.\n")
    assert done.returncode == 0, done.stderr
    made["cli"] = json.loads(done.stdout)["ticket"]
    anna = desk.api("anna")
    for channel, ticket in made.items():
        shown = ok(anna.get(f"/tickets/{ticket}"))
        first = ok(anna.get(f"/tickets/{ticket}/history"))["items"][0]
        assert (shown["channel"], first["action"], first["source"]) == (channel, "created", channel)


def test_the_bin_is_emptied_after_thirty_days(desk):
    admin = desk.api("admin")
    made = [ok(admin.post("/tickets", {"title": "Bin", "description": "x"}), 201)["id"] for _ in "ab"]
    for ticket, days in zip(made, (30.1, 29.9)):
        assert admin.request("DELETE", f"/tickets/{ticket}").status == 204
        at = int((time.time() - days * 86400) * 1000)
        lib.execute(desk, f"UPDATE tickets SET deleted_at = {at} WHERE id = {ticket}")
    done = run("purge", "--json", "--config", desk["config"])
    assert json.loads(done.stdout)["deleted_tickets"] == 1, done
    assert admin.get(f"/tickets/{made[0]}").status == 404
    assert ok(admin.post(f"/tickets/{made[1]}/restore", {}))["deleted_at"] is None


def test_the_requesters_organisation_is_the_tickets(desk):
    admin = desk.api("admin")
    acme = ok(admin.post("/organisations", {"name": "Of the page", "domains": ["page.test"]}), 201)
    erin = ok(admin.post("/users", {"name": "Erin", "email": "erin@page.test", "role": "customer"}), 201)
    made = ok(admin.post("/tickets", {"title": "x", "description": "x", "requester": erin["id"]}), 201)
    assert made["organisation"] == {"id": acme["id"], "name": "Of the page"}
    assert [t["id"] for t in admin.tickets(organisation=acme["id"])] == [made["id"]]


# ---- service levels ----

QUICK = ('sla "quick" { warn = {50}  first_response { high = "4s"  medium = "1h" }\n'
         '\tescalate "up" { metric = "first_response"  after = "1s"  tag = "late" } }\n')


def events(api, ticket):
    """(action, at) of what the clock did, once it did all three."""
    seen = {h["action"]: h["at"] for h in ok(api.get(f"/tickets/{ticket}/history", per_page=100))["items"]
            if h["action"].startswith(("sla_", "escalated"))}
    return seen if len(seen) == 3 else None


def test_timers_are_on_time_and_make_up_after_a_restart(start_world):
    """Before anything that looks once a minute could have; to the millisecond it is in the unit tests."""
    world = start_world(fragment=QUICK)
    anna, carol = world.api("anna"), world.api("carol")
    made = ok(carol.post("/tickets", {"title": "On time", "description": "x", "priority": "high"}), 201)
    seen = wait_for("all three", lambda: events(anna, made["id"]))
    for action, due in ("sla_warning", 2), ("sla_breach", 4), ("escalated", 5):
        assert due <= seconds(made["created_at"], seen[action]) < due + lib.AT_ONCE, (action, seen)

    made = ok(carol.post("/tickets", {"title": "While away", "description": "x"}), 201)
    world.sandbox("stop", "desk")
    hours = 2 * 3600000  # that passed meanwhile
    lib.execute(world, f"UPDATE clocks SET started_at = started_at - {hours}, since_at = since_at - {hours},"
                       f" due_at = due_at - {hours} WHERE ticket_id = {made['id']}")
    lib.execute(world, f"UPDATE timers SET due_at = due_at - {hours} WHERE ticket_id = {made['id']}")
    begun = datetime.datetime.now(datetime.timezone.utc).isoformat()
    world.sandbox("start", "desk")
    seen = wait_for("all three", lambda: events(anna, made["id"]))
    assert all(0 <= seconds(begun, at) < lib.AT_ONCE for at in seen.values()), (begun, seen)


OFFICE = """
calendar "office" { timezone = "Europe/Berlin"  %s  holidays_file = "%s" }
sla "all" { calendar = "office"  first_response { medium = "400h" }  next_response { medium = "400h" }
	update { medium = "400h" }  resolution { medium = "400h" } }
"""


def test_each_second_of_a_clock_is_explained(start_world, tmp_path):
    """Whole days before, through a closed day with a name, a pause and a snooze, to the millisecond."""
    now = datetime.datetime.now(datetime.timezone.utc)
    closed = (now - datetime.timedelta(days=3)).date()
    days = "  ".join(f'{d} = {{"00:00-09:30", "10:00-24:00"}}'
                     for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    calendar = tmp_path / "days.ics"
    calendar.write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1@x\r\n"
                        f"DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:{closed:%Y%m%d}\r\n"
                        "SUMMARY:Founders' Day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    calendar.chmod(0o644)
    world = start_world(fragment=OFFICE % (days, calendar))
    anna, carol = world.api("anna"), world.api("carol")
    path = "/tickets/%d" % ok(carol.post("/tickets", {"title": "x", "description": "x"}), 201)["id"]
    # a week of it lies behind
    lib.execute(world, "UPDATE clocks SET started_at = started_at - 604800000,"
                       " since_at = since_at - 604800000")
    for change in ({"assignee": "anna@desk.test"}, {"status": "pending"}, {"status": "in_progress"},
                   {"snoozed_until": (now + datetime.timedelta(days=1)).isoformat()[:19] + "Z"},
                   {"snoozed_until": None}):
        ok(anna.patch(path, change))
    shown = ok(carol.get(path + "/sla"))["clocks"]
    assert {c["metric"] for c in shown} == {"first_response", "next_response", "update", "resolution"}
    for clock in shown:
        lines = clock["explain"]
        assert lines[0]["from"] == clock["started_at"]
        assert all(a["to"] == b["from"] for a, b in zip(lines, lines[1:]))
        counted = sum(seconds(x["from"], x["to"]) for x in lines if x["counted"])
        assert int(round(counted, 3)) == clock["used"] and clock["used"] + clock["rest"] in (
            1440000, 1439999), clock
        why = {x["why"] for x in lines}
        assert {"open", "outside hours", "closed: Founders' Day"} <= why, why
        assert ({"paused: pending", "paused: snoozed"} <= why) == (
            clock["metric"] in ("update", "resolution")), why
        for x in lines:
            if x["why"].startswith("closed"):
                assert not x["counted"] and seconds(x["from"], x["to"]) in (82800, 86400, 90000)


# ---- mails ----

def test_each_mailbox_has_its_sender_and_a_sender_its_connections(start_world):
    with Smtp() as first, Smtp() as second:
        world = start_world(fragment=(
            f'smtp "main" {{ port = {first.port}  connections = 1 }}\n'
            f'smtp "second" {{ host = "127.0.0.1"  port = {second.port}  tls = "none"  connections = 1 }}\n'
            'mailbox "support" { smtp = "second" }\n'))
        ticket = say(world, "By the second")["id"]
        anna = world.api("anna")
        for n in range(5):
            ok(anna.post(f"/tickets/{ticket}/comments", {"body": f"Answer {n}."}), 201)
            wait_for("it to be sent", lambda n=n: any(b"Answer %d." % n in m for m in second.texts))
        assert second.connections == 1, "five mails and more by one connection"
        assert first.connections == 0


def test_what_the_server_says_is_kept_with_the_message(start_world):
    """A provider's own id stands in its answer, and only there."""
    with Smtp({"end": ["250 2.0.0 Ok 0102018f5c2a-7d3e6f-000000"] * 9}) as server:
        world = start_world(fragment=f'smtp "main" {{ port = {server.port} }}\n')
        ticket = say(world, "Kept")["id"]
        anna = world.api("anna")
        sent = wait_for("its delivery", lambda: next(
            (m for m in anna.get("/messages", ticket=ticket, direction="out").json["items"]
             if m["state"] == "sent" and m["to"] == ["carol@customer.test"]), None))
        assert sent["smtp_reply"] == "250 2.0.0 Ok 0102018f5c2a-7d3e6f-000000"


def test_new_tickets_go_round(start_world):
    world = start_world(fragment='desk { assign = "round_robin" }\nmailbox "support" { signature = "The desk" }\n')
    seen = [wait_for("its assignee", lambda t=say(world, f"Turn {n}")["id"]: ok(
        world.api("anna").get(f"/tickets/{t}"))["assignee"])["name"] for n in range(4)]
    assert seen == ["Anna", "Bob"] * 2
    with world.mailbox("anna") as box:
        told = box.wait_mail("her turn", lambda m: "Turn 0" in str(m["Subject"]))
    world.send(reply_to(told, "Anna <anna@desk.test>", "I look at it.\n\n-- \nAnna of the train"), login="anna")
    with world.mailbox("carol") as box:
        mail = box.wait_mail("the answer", lambda m: "I look at it." in text_of(m))
    assert "The desk\n" in text_of(mail).replace("\r\n", "\n") and "train" not in text_of(mail)
