"""`maildesk sla` beside a clock that asks Python's time zones about every minute of a scenario: pauses,
other targets and calendars in mid-flight, stops, at any second."""
import copy
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
SECOND = datetime.timedelta(seconds=1)
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


class Clock:
    """The specification, walked in steps of at most a minute. It looks nothing up and adds nothing."""

    def __init__(self, start, target, warn, hours):
        self.at, self.target, self.warn, self.hours = start, target * 60, warn, hours
        self.used, self.state, self.due, self.breached, self.told = 0, "running", None, None, {}
        self.counted = 0
        self.look()

    def look(self):
        """What is reached at this instant is reached."""
        if self.state != "stopped":
            for p in self.warn:
                if p not in self.told and self.used * 100 >= p * self.target:
                    self.told[p] = self.at
        if self.state == "running" and self.due is None and self.used >= self.target:
            self.due = self.at

    def walk(self, to):
        while self.at < to:
            end = min(to, self.at.replace(second=0) + MINUTE)
            if self.state == "running" and self.hours.is_open(self.at):
                marks = [self.target, *(-(-p * self.target // 100) for p in self.warn)]
                whole = (end - self.at) // SECOND
                step = min([whole, *(m - self.used for m in marks if m > self.used)])
                self.used += step
                end = self.at + step * SECOND
            self.at = end
            self.look()

    def event(self, e):
        self.walk(e["when"])
        if self.state == "running" and self.due is not None and self.at > self.due:
            self.breached = self.breached or self.due
        what = e["do"]
        if what == "pause" and self.state == "running":
            self.state, self.due = "paused", None
        elif what == "resume" and self.state == "paused":
            self.state = "running"
        elif what == "stop" and self.state in ("running", "paused"):
            if self.state == "running" and self.due is None:
                self.due = self.ahead().due
            self.state = "stopped"
        elif what in ("target", "calendar") and self.state in ("running", "paused"):
            self.target = e["minutes"] * 60 if what == "target" else self.target
            self.hours = e["hours"] if what == "calendar" else self.hours
            self.due = None
            if self.used >= self.target:
                self.breached = self.breached or self.at
        self.look()

    def ahead(self):
        """The clock as it will be if nothing else happens, in twelve days at most."""
        later = copy.copy(self)
        later.told = dict(self.told)
        end = self.at + datetime.timedelta(days=12)
        while later.due is None and later.at < end:
            later.walk(later.at + datetime.timedelta(hours=6))
        return later

    def answer(self):
        """State, and what is told of a clock that runs on."""
        if self.state == "running":
            later = self.ahead()
            self.due, self.told = later.due, later.told
        if self.state != "stopped":
            return self.state
        return "breached" if self.breached else "met"


def scenario(rng, n):
    zone, *places = PLACES[n % len(PLACES)]
    about = datetime.datetime.fromisoformat(rng.choice(places)).replace(tzinfo=UTC)
    start = about + rng.randint(-120000, 36000) * SECOND
    minutes = lambda: rng.choice([0, 1, 30, 60, rng.randint(1, 2000)])
    s = {"name": f"{zone} {n}", "start": start, "target": minutes(),
         "warn": rng.choice([[75, 90], [50], [1, 33, 100], []]), "events": []}
    hours, at = Hours(rng, zone, about), start
    clock = Clock(start, s["target"], s["warn"], hours)
    for _ in range(rng.randint(0, 5)):
        due = clock.ahead().due if clock.state == "running" and rng.random() < 0.3 else None
        if due and due > at:
            at = due + rng.choice([0, 0, 1]) * SECOND  # met, and breached
        else:
            at += rng.choice([MINUTE * rng.randint(1, 900), SECOND * rng.randint(0, 50000)])
        do = rng.choice(["pause", "resume", "pause", "resume", "target", "calendar", "stop"])
        e = {"when": at, "do": do}
        if do == "target":
            e["minutes"] = minutes()
        if do == "calendar":
            e["hours"] = Hours(rng, rng.choice([zone, rng.choice(PLACES)[0]]), about)
        clock.event(e)
        s["events"].append(e)
        if do == "stop":
            break
    return s, hours, clock


def as_json(s, hours):
    events = []
    for e in s["events"]:
        more = {"minutes": e["minutes"]} if e["do"] == "target" else {}
        more |= {"calendar": e["hours"].json} if e["do"] == "calendar" else {}
        events.append({"at": text(e["when"]), "do": e["do"], **more})
    return json.dumps({**s, "calendar": hours.json, "start": text(s["start"]), "events": events})


def seconds(stretch):
    read = lambda t: datetime.datetime.fromisoformat(t.replace("Z", "+00:00"))
    return (read(stretch["to"]) - read(stretch["from"])) // SECOND


def test_beside_a_clock_that_walks():
    rng, lines, clocks = random.Random(20261201), [], []
    for n in range(13 * 25):
        s, hours, clock = scenario(rng, n)
        lines.append(as_json(s, hours))
        clocks.append((s, clock, clock.used, clock.answer()))
    done = subprocess.run([MAILDESK, "sla"], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True)
    seen = {"due": 0, "breached_at": 0, "warnings": 0, "elapsed": 0}
    for line, asked, (s, clock, used, state) in zip(done.stdout.splitlines(), lines, clocks):
        got = json.loads(line)
        assert got["state"] == state, (asked, got)
        assert got["elapsed"] == (used // 60 if s["events"] else 0), (asked, got)
        assert got.get("breached_at") == (clock.breached and text(clock.breached)), (asked, got)
        if clock.due or clock.state == "paused":  # or beyond the days that were walked
            assert got["due"] == (clock.due and text(clock.due)), (asked, got)
        if clock.due or clock.state == "paused":
            assert got["warnings"] == [text(clock.told[p]) for p in sorted(clock.told)], (asked, got)
        # each second of the time line is told, and those that count are those that were used
        for a, b in zip(got["explain"], got["explain"][1:]):
            assert a["to"] == b["from"], (asked, got)
        if s["events"] and got["explain"]:
            assert got["explain"][0]["from"] == text(s["start"]), (asked, got)
            counted = sum(seconds(x) for x in got["explain"] if x["counted"])
            assert counted == used, (asked, got)
        for key in seen:
            seen[key] += bool(got.get(key))
    assert min(seen.values()) > 40, seen
