"""Fixtures: desks to kill, on mail servers that all tests share."""
import pytest

import ledger
from serving import Desk


@pytest.fixture(scope="session")
def model(mail_world, tmp_path_factory):
    """What an undisturbed desk makes of a thread of mails (ledger.py)."""
    desk = Desk(tmp_path_factory.mktemp("model") / "desk", mail_world)
    desk.add_anna()
    desk.start()
    try:
        return ledger.make_model(desk)
    finally:
        desk.stop()


@pytest.fixture
def make_desk(tmp_path):
    """make_desk(world, fragment="", name="desk", database=None): a Desk that ends with the test."""
    made = []

    def make(world, fragment="", name="desk", database=None):
        first = not any(d.database and d.database == database for d in made)
        made.append(Desk(tmp_path / name, world, fragment, database))
        if first:
            made[-1].add_anna()
        return made[-1]

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
