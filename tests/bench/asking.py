"""The API asked by programs: one ticket, its comments, a filtered list; beside a bare program that
answers the same from the same database with libmicrohttpd, SQLite and jansson (bare_http.c), both
asked by bare_load.c. CPU is that of the server a request; p99 is with 64 connections at once."""
import json
import pathlib
import os
import random
import sqlite3
import subprocess
import urllib.parse

from lib import MAILDESK, Api, wait_for

TICKETS, COMMENTS, FEW, MANY = 10_000, 3, 8, 64
BASE = 5_000_000  # ids of what is generated: "50" and five digits
TICKS = os.sysconf("SC_CLK_TCK")
ONE, LIST = "50%05lld", "?status=open"


def fill(path):
    rnd = random.Random(7)
    with sqlite3.connect(path) as db:
        user, agent = (db.execute("SELECT min(id) FROM users WHERE role = ?", (role,)).fetchone()[0]
                       for role in ("customer", "agent"))
        for i in range(1, TICKETS + 1):
            status = ("open", "in_progress", "pending", "closed")[i % 4]
            db.execute("INSERT INTO tickets (id, title, status, priority, requester_id, assignee_id,"
                       " created_by, channel, created_at, updated_at)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, 'api', ?, ?)",
                       (BASE + i, f"Printer {i} in room {rnd.randrange(900)}", status, i % 4, user,
                        agent if i % 3 else None, user, i, i))
            db.execute("INSERT INTO ticket_participants (ticket_id, user_id, role, since_at)"
                       " VALUES (?, ?, 'requester', ?)", (BASE + i, user, i))
            for k in range(COMMENTS):
                db.execute("INSERT INTO comments (id, ticket_id, author_id, is_internal, channel,"
                           " body, created_at) VALUES (?, ?, ?, 0, 'api', ?, ?)",
                           (BASE + i * COMMENTS + k, BASE + i, user if k % 2 else agent,
                            "It is on fire again, as it was. " * 8, i))
    db.close()


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / TICKS


def ask(pid, port, path, requests, connections, token=None, ids=TICKETS):
    """{cpu_us, p99_ms} of the server."""
    command = [MAILDESK.parent / "bare_load", port, connections, requests, ids, path]
    before = cpu_of(pid)
    done = subprocess.run([*map(str, command), *([f"Bearer {token}"] if token else [])], text=True,
                          stdout=subprocess.PIPE, check=True)
    result = json.loads(done.stdout)
    return {"cpu_us": (cpu_of(pid) - before) / requests * 1e6, "p99_ms": result["p99_ms"]}


def both(pid, port, path, requests, token=None, ids=TICKETS):
    ask(pid, port, path, requests // 10, FEW, token, ids)  # for the caches of all
    return {**ask(pid, port, path, requests, FEW, token, ids),
            "p99_ms": ask(pid, port, path, requests, MANY, token, ids)["p99_ms"]}


def bare(path, requests):
    child = subprocess.Popen([MAILDESK.parent / "bare_http", path], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        port = int(child.stdout.readline())
        return {"get": both(child.pid, port, f"/tickets/{ONE}", requests),
                "list": both(child.pid, port, "/list", requests)}
    finally:
        child.communicate("")


def sign_in(world, account):
    try:
        return Api(world["http"], {"email": account["address"], "password": account["password"]})
    except OSError:  # it does not listen yet
        return None


def add_agent(world, account):
    subprocess.run([MAILDESK, "user", "add", "--config", world["config"], "--role", "agent",
                    "--email", account["address"], "--password-file", "-"], text=True, check=True,
                   input=account["password"] + "\n", stdout=subprocess.DEVNULL)


def measure(world, open_desk, requests):
    path, bob = world.dir / "state" / "desk.db", world.accounts["bob"]
    add_agent(world, bob)
    fill(path)
    with open_desk() as desk:
        token = wait_for("the API", lambda: sign_in(world, bob)).token
        port = urllib.parse.urlsplit(world["http"]).port
        ours = {name: both(desk.child.pid, port, "/api/v1/tickets" + where, requests, token)
                for name, where in (("get", f"/{ONE}"), ("comments", f"/{ONE}/comments"),
                                    ("list", LIST))}
    return {"requests": requests, "ours": ours, "bare": bare(path, requests)}
