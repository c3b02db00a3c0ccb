"""Fixtures: desks to kill, on mail servers that all tests share."""
import contextlib

import pytest

import ledger
from serving import Desk


@pytest.fixture(scope="session")
def model(mail_world, tmp_path_factory, make_database):
    """What an undisturbed desk makes of a thread of mails (ledger.py)."""
    with contextlib.ExitStack() as stack:
        desk = Desk(tmp_path_factory.mktemp("model") / "desk", mail_world,
                    database=make_database(stack))
        stack.callback(desk.stop)
        desk.add_anna()
        desk.start()
        return ledger.make_model(desk)


@pytest.fixture
def make_desk(tmp_path, make_database):
    """make_desk(world, fragment="", name="desk", database=None): a Desk that ends with the test.

    database: one that desks of the test share."""
    made = []

    def make(world, fragment="", name="desk", database=None):
        first = not any(d.database and d.database == database for d in made)
        made.append(Desk(tmp_path / name, world, fragment, database or make_database(stack)))
        if first:
            made[-1].add_anna()
        return made[-1]

    with contextlib.ExitStack() as stack:
        yield make
        for desk in made:
            if desk.alive():
                desk.kill()


@pytest.fixture
def desk(make_desk, mail_world):
    return make_desk(mail_world)


@pytest.fixture
def book(desk, model):
    return ledger.Ledger(desk, model)
