"""Rows 1 and 7 of the fault matrix: a desk of the first schema under the program of today.

$MAILDESK_UPGRADE_TICKETS makes it as large as wanted."""
import json
import os
import re
import signal
import time

import pytest

import old_desk
from lib import TREE, wait_for
from test_backup import maildesk

TICKETS = int(os.environ.get("MAILDESK_UPGRADE_TICKETS", 300))
NEWEST = int(re.search(r"NEWEST = (\d+)", (TREE / "src/store/schema.c").read_text())[1])


@pytest.fixture
def old(desk):
    old_desk.fill(desk, TICKETS)
    return desk


def version(desk):
    return desk.value("SELECT version FROM schema_version")


def test_everything_is_kept(old):
    before = old_desk.contents(old)
    assert len(before["tickets"][1]) == TICKETS and len(before["comments"][1]) == 2 * TICKETS
    began = time.monotonic()
    old.run("user", "list")
    print(f"{TICKETS} tickets brought up to date in {time.monotonic() - began:.1f} s")
    assert version(old) == NEWEST
    after = old_desk.contents(old)
    for table, rows in before.items():
        assert after[table] == rows, table
    shown = maildesk(old, "ticket", "show", str(TICKETS), "--json")
    assert shown.returncode == 0 and f"Matter {TICKETS}" in json.loads(shown.stdout)["title"]
    old.start()
    wait_for("it to work", lambda: " is up" in old.log())
    old.stop()


@pytest.mark.parametrize("point", ["migration_step", "migrated"])
def test_a_migration_dies_at(point, old):
    before = old_desk.contents(old)
    assert maildesk(old, "user", "list", fault=point).returncode == -signal.SIGKILL
    assert version(old) == (1 if point == "migration_step" else 2)
    assert old_desk.contents(old) == before
    old.run("user", "list")
    assert version(old) == NEWEST and old_desk.contents(old) == before


def test_no_step_back(old):
    """A program that is older than the database says so, and touches nothing."""
    with old_desk.open_for_change(old) as c:
        c.execute(f"UPDATE schema_version SET version = {NEWEST + 1}")
    before = old_desk.contents(old)
    for command in (("user", "list"), ("serve",), ("backup", old.dir / "b")):
        done = maildesk(old, *command)
        assert done.returncode == 77 and "the newer maildesk" in done.stderr, done.stderr
    assert old_desk.contents(old) == before and not (old.dir / "b").exists()


def test_no_backup_of_what_is_not_up_to_date(old):
    done = maildesk(old, "backup", old.dir / "b")
    assert done.returncode == 77 and "older maildesk" in done.stderr
    assert version(old) == 1 and not list(old.dir.glob("b*"))
