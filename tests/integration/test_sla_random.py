"""`maildesk sla` beside a stepper that asks Python's time zones about every minute of a scenario."""
import datetime
import json
import random
import subprocess
import zoneinfo

import pytest

from lib import MAILDESK

pytestmark = pytest.mark.engine("sqlite")
UTC = datetime.timezone.utc
MINUTE = datetime.timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Instants near which clocks change: by an hour, by half of one, over a date line, by three hours; to
# and fro in Ramadan; a zone where winter time is the exception; one without any.
PLACES = (
    ("Europe/Berlin", "2026-03-29T01:00", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00", "2026-10-03T15:30"),
    ("Asia/Kathmandu", "2026-05-05T05:00", "1985-12-31T18:30"),
    ("Pacific/Apia", "2011-12-30T10:00", "2010-09-26T11:00"),
    ("Pacific/Chatham", "2026-04-04T14:00", "2026-09-26T14:00"),
    ("America/St_Johns", "2026-03-08T05:30", "2026-11-01T04:30"),
    ("Africa/Casablanca", "2026-02-15T02:00", "2026-03-22T02:00"),
    ("Europe/Dublin", "2026-03-29T01:00", "2026-10-25T01:00"),
    ("America/Santiago", "2026-04-05T03:00", "2026-09-06T04:00"),
    ("Antarctica/Troll", "2026-03-29T01:00", "2026-10-25T01:00"),
    ("Asia/Kolkata", "2026-07-01T00:00", "1945-10-14T17:30"),
    ("Pacific/Kwajalein", "1993-08-20T12:00", "2026-01-01T00:00"),
)


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def windows(rng):
    marks = sorted(rng.sample([*range(0, 1440, 15), 1440], 2 * rng.randint(0, 3)))
    return list(zip(marks[::2], marks[1::2]))


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


class Hours:
    def __init__(self, rng, zone, about):
        self.zone = zoneinfo.ZoneInfo(zone)
        self.week = {day: windows(rng) for day in DAYS}
        near = [(about + datetime.timedelta(days=d)).date() for d in range(-2, 6)]
        self.closed = set(rng.sample(near, rng.randint(0, 2)))
        self.special = {d: windows(rng) for d in rng.sample(near, rng.randint(0, 2))}
        spans = lambda all_: [f"{clock(a)}-{clock(b)}" for a, b in all_]
        self.json = {"timezone": zone, "hours": {d: spans(w) for d, w in self.week.items()},
                     "holidays": [str(d) for d in self.closed],
                     "special": {str(d): spans(w) for d, w in self.special.items()}}

    def is_open(self, at):
        local = at.astimezone(self.zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        spans = (self.special[day] if day in self.special else
                 [] if day in self.closed else self.week[DAYS[day.weekday()]])
        return any(a <= minute < b for a, b in spans)


def step_through(start, target, warn, hours, events, days):
    """What the clock is at its last event, and what it would be if nothing else happened."""
    used, state, at, due, told = 0, "running", start, None, {}
    left = list(events)
    end = (events[-1]["when"] if events else start)
    horizon = end + datetime.timedelta(days=days)
    elapsed_at_end = None
    while True:
        if state == "running":  # reached at the instant of a pause is reached
            for p in warn:
                if p not in told and used * 100 >= p * target:
                    told[p] = at
        while left and left[0]["when"] == at:
            e = left.pop(0)
            if e["do"] == "pause" and state == "running":
                state, due = "paused", None  # laid anew when it goes on
            elif e["do"] == "resume" and state == "paused":
                state = "running"
        if not left and elapsed_at_end is None and at >= end:
            elapsed_at_end = used
            if state != "running":
                return state, used, None if state == "paused" else due, told
        if state == "running" and used >= target and due is None:
            due = at
        if due is not None and not left and at >= end:
            return state, elapsed_at_end, due, told
        if at >= horizon:
            return state, elapsed_at_end, None, told
        if state == "running" and hours.is_open(at):
            used += 1
        at += MINUTE


def scenario(rng, n):
    zone, *places = PLACES[n % len(PLACES)]
    about = datetime.datetime.fromisoformat(rng.choice(places)).replace(tzinfo=UTC)
    hours = Hours(rng, zone, about)
    start = about + rng.randint(-2000, 600) * MINUTE
    target = rng.choice([0, 2, 30, 60, 2 * rng.randint(1, 1000)])  # half of it is whole minutes
    events, at, running = [], start, True
    for _ in range(rng.randint(0, 4)):
        at += rng.randint(1, 900) * MINUTE
        events.append({"when": at, "do": "pause" if running else "resume"})
        running = not running
    return {"name": f"{zone} {n}", "start": start, "target": target, "warn": [50],
            "events": events}, hours


def test_by_the_minute():
    rng, lines, expected = random.Random(20261201), [], []
    for n in range(13 * 30):
        s, hours = scenario(rng, n)
        state, used, due, told = step_through(s["start"], s["target"], s["warn"], hours,
                                              s["events"], days=12)
        expected.append((s, state, used, due, told))
        lines.append(json.dumps({**s, "calendar": hours.json, "start": text(s["start"]), "events": [
            {"at": text(e["when"]), "do": e["do"]} for e in s["events"]]}))
    done = subprocess.run([MAILDESK, "sla"], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True)
    compared = 0
    for line, asked, (s, state, used, due, told) in zip(done.stdout.splitlines(), lines, expected):
        got = json.loads(line)
        assert got["elapsed"] == (used if s["events"] else 0), (asked, got)
        assert got["state"] == state, (asked, got)
        if due is not None:
            assert got["due"] == text(due), (asked, got)
            compared += 1
        if 50 in told:
            assert text(told[50]) in got["warnings"], (asked, got)
    assert compared > 200
