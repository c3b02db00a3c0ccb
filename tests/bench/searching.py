"""Searches on a desk of generated tickets, beside a bare FTS5 query over the same index.

Words are as frequent as in a language (Zipf), of 50,000. A query has three of them; in every third
one all are among the twenty commonest.
"""
import itertools
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import time
import urllib.parse

from lib import wait_for

QUERIES, VOCABULARY, COMMON = 300, 50000, 20
BASE = 10_000_000  # ids of what is generated


def word(i):
    text, i = "", i + 1
    while i:
        text += "bcdfghklmnprstvz"[i % 16] + "aeiou"[i // 16 % 5]
        i //= 80
    return text


WORDS = [word(i) for i in range(VOCABULARY)]
WEIGHTS = list(itertools.accumulate(1 / (i + 3) for i in range(VOCABULARY)))


def fill(path, tickets):
    """Tickets with one or two comments of 40 to 120 words each; the number of comments."""
    rnd, comment = random.Random(5), BASE

    def text(n):
        return " ".join(rnd.choices(WORDS, cum_weights=WEIGHTS, k=n))

    with sqlite3.connect(path) as db:
        user = db.execute("SELECT min(id) FROM users").fetchone()[0]
        for i in range(tickets):
            db.execute("INSERT INTO tickets (id, title, status, priority, requester_id, channel,"
                       " created_at, updated_at) VALUES (?, ?, 'open', 1, ?, 'api', ?, ?)",
                       (BASE + i, text(6), user, i + 1, i + 1))
            for _ in range(1 + i % 2):
                comment += 1
                db.execute("INSERT INTO comments (id, ticket_id, is_internal, channel, body,"
                           " created_at) VALUES (?, ?, 0, 'api', ?, 1)",
                           (comment, BASE + i, text(rnd.choice((40, 80, 120)))))
    db.close()
    return comment - BASE


def questions():
    rnd = random.Random(9)
    for i in range(QUERIES):
        yield " ".join(rnd.choices(WORDS[:COMMON], k=3) if i % 3 == 0 else
                       rnd.choices(WORDS, cum_weights=WEIGHTS, k=3))


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def build(maildesk, config, comments):
    """CPU of building the index of a desk at rest."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([maildesk, "search", "rebuild", "--config", config], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / comments * 1e6


def bare(path):
    db, took = sqlite3.connect(f"file:{path}?mode=ro", uri=True), []
    for question in questions():
        begun = time.thread_time()
        db.execute("SELECT rowid FROM search_index WHERE search_index MATCH ? ORDER BY rank"
                   " LIMIT 10", (question,)).fetchall()
        took.append(time.thread_time() - begun)
    db.close()
    return took


def ask(person, desk):
    """Wall time of each request, and the daemon's CPU a request."""
    took, before = [], sum(desk.cpu().values())
    for question in questions():
        begun = time.monotonic()
        answer = person.request("GET", "/search?q=" + urllib.parse.quote(question))
        took.append(time.monotonic() - begun)
        if answer.status != 200:
            raise AssertionError(f"{question}: {answer.status} {json.dumps(answer.json)}")
    return took, (sum(desk.cpu().values()) - before) / QUERIES


def sign_in(world):
    try:
        return world.api("anna")
    except OSError:  # it does not listen yet
        return None


def measure(maildesk, world, open_desk, tickets):
    path = world.dir / "state" / "desk.db"
    comments = fill(path, tickets)
    anna = world.accounts["anna"]
    subprocess.run([maildesk, "user", "add", "--config", world["config"], "--role", "agent", "--email",
                    anna["address"], "--password-file", "-"], input=anna["password"] + "\n",
                   text=True, check=True, stdout=subprocess.DEVNULL)
    built = build(maildesk, world["config"], comments)
    with open_desk() as desk:
        person = wait_for("the API", lambda: sign_in(world))
        ask(person, desk)  # once, for the caches of all
        bare(path)
        took, cpu = ask(person, desk)
        reference = bare(path)
    return {"tickets": tickets, "comments": comments, "build_cpu_us": built, "cpu_ms": cpu * 1e3,
            "median_ms": statistics.median(took) * 1e3, "p99_ms": percentile(took, 0.99) * 1e3,
            "bare_cpu_ms": statistics.mean(reference) * 1e3,
            "bare_p99_ms": percentile(reference, 0.99) * 1e3}
