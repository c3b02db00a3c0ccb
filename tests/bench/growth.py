"""What a desk of years costs beside a young one: the same questions, timers and start, on a desk of
generated tickets (million.py)."""
import contextlib
import pathlib
import sqlite3
import time
import urllib.parse

import asking
import million
import searching
from lib import wait_for

SORTS = [way + field for field in ("id", "created_at", "updated_at", "priority", "status", "due")
         for way in ("", "-")]
DEEP = 100  # pages that a walk goes
FIRINGS, LEAD_MS = 90, 8000  # timers that fire, so long after they are set


def prepare(world, tickets):
    asking.add_agent(world, world.accounts["bob"])
    million.fill(world.dir / "state" / "desk.db", tickets, int(time.time() * 1000))


def cpu_ns(pid):
    """Of its threads, finer than ticks."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def best(person, path):
    """Milliseconds of the fastest of three, from outside."""
    took = []
    for _ in range(3):
        begun = time.monotonic()
        answer = person.get(path)
        took.append((time.monotonic() - begun) * 1e3)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {answer.body}")
    return min(took)


def walk(person):
    """Milliseconds of the last of so many pages by cursor."""
    path = "/tickets?sort=-created_at&per_page=100&cursor="
    for _ in range(DEEP):
        begun = time.monotonic()
        answer = person.get(path)
        took = (time.monotonic() - begun) * 1e3
        if not answer.json["next"]:
            break
        path = answer.json["next"].removeprefix("/api/v1")
    return took


def ask(world, pid, tickets, requests):
    person = wait_for("the API", lambda: asking.sign_in(world, world.accounts["bob"]))
    port = urllib.parse.urlsplit(world["http"]).port
    r = {name: asking.both(pid, port, "/api/v1/tickets" + where, requests, person.token, tickets)
         for name, where in (("get", "/%lld"), ("comments", "/%lld/comments"),
                             ("list", asking.LIST))}
    r["sorts_ms"] = {s: best(person, f"/tickets?sort={s}") for s in SORTS}
    r["walk_ms"] = walk(person)
    for name in ("dashboard", "reports/volume", "reports/sla", "reports/agents"):
        r[name + "_ms"] = best(person, "/" + name)
    took = []
    for question in searching.questions():
        begun = time.monotonic()
        person.get("/search?q=" + urllib.parse.quote(question))
        took.append(time.monotonic() - begun)
    bare = searching.bare(world.dir / "state" / "desk.db")
    r["search_p99_ms"] = searching.percentile(took, 0.99) * 1e3
    r["bare_search_p99_ms"] = searching.percentile(bare, 0.99) * 1e3
    return r, person.token


def set_timers(world):
    """So many resolved tickets are closed by the clock, in a moment; the instant."""
    at = int(time.time() * 1000) + LEAD_MS
    with sqlite3.connect(world.dir / "state" / "desk.db") as db:
        db.execute("UPDATE timers SET due_at = ? WHERE ticket_id IN (SELECT id FROM tickets"
                   " WHERE status = 'resolved' ORDER BY id DESC LIMIT ?)", (at, FIRINGS))
    db.close()
    return at


def fire(desk, at):
    """CPU of one firing, in microseconds."""
    wait_for("the timers", lambda: time.time() * 1000 > at - 100)
    before = cpu_ns(desk.child.pid)
    wait_for("all to fire",
             lambda: desk.query(f"SELECT NOT EXISTS (SELECT 1 FROM timers WHERE due_at <= {at})"))
    return (cpu_ns(desk.child.pid) - before) / FIRINGS / 1e3


def first_answer(world, desk, token):
    """Milliseconds from its start to a list of tickets."""
    person = asking.Api(world["http"])
    person.token = token
    while True:
        with contextlib.suppress(OSError):
            if person.get("/tickets").status == 200:
                return (time.monotonic() - desk.started) * 1e3
        if time.monotonic() > desk.started + 60:
            raise AssertionError("no answer for a minute")
        time.sleep(0.002)
