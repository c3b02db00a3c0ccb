"""The daemon dies when a request has had its effect and nobody has been told."""
import http.client
import urllib.error

import pytest

from lib import Api, wait_for


def sign_in(desk):
    account = desk.world.accounts["anna"]

    def attempt():
        try:
            return Api(desk.world["http"], {"email": account["address"],
                                            "password": account["password"]})
        except (urllib.error.URLError, ConnectionError):
            return None
    return wait_for("the API", attempt)


@pytest.mark.parametrize("path, body, status", [
    ("/tickets", {"title": "Once", "description": "x"}, 201),
    ("/tickets/1/comments", {"body": "Once", "is_internal": True}, 201),
    ("/tickets/1/commands", {"text": "#note\nOnce"}, 200),
    ("/tickets/bulk", {"ids": [1, 2], "text": "#note\nOnce"}, 200),
])
def test_a_retry_after_the_death_doubles_nothing(desk, path, body, status):
    fields = {"Idempotency-Key": "after-the-death"}
    desk.start()
    anna = sign_in(desk)
    for title in ("First", "Second"):
        assert anna.post("/tickets", {"title": title, "description": "x"}).status == 201
    desk.kill()
    desk.start(fault="api_done")
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        sign_in(desk).request("POST", path, body, fields)
    desk.wait_death()
    effects = effects_of(desk)
    assert effects == (2 if "bulk" in path else 1)
    desk.start()
    again = sign_in(desk).request("POST", path, body, fields)
    assert again.status == status, again.body
    kept = sign_in(desk).request("POST", path, body, fields)
    assert (kept.status, kept.body) == (again.status, again.body)
    assert effects_of(desk) == effects
    desk.stop()


@pytest.mark.parametrize("path, body, secret", [
    ("/api-keys", {"name": "k", "scopes": ["admin"]}, "key"),
    ("/webhooks", {"url": "https://example.com/", "events": ["ticket.created"], "active": False},
     "secret"),
])
def test_a_secret_is_told_after_the_death(desk, path, body, secret):
    """It is made once, and shown once: the answer is kept with it."""
    fields, table = {"Idempotency-Key": "after-the-death"}, path[1:].replace("-", "_")
    desk.start()
    sign_in(desk)
    desk.kill()
    desk.execute("UPDATE users SET role = 'admin' WHERE email = 'anna@desk.test'")
    desk.start(fault="api_done")
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        sign_in(desk).request("POST", path, body, fields)
    desk.wait_death()
    desk.start()
    answers = [sign_in(desk).request("POST", path, body, fields) for _ in range(2)]
    assert [a.status for a in answers] == [201] * 2 and answers[0].body == answers[1].body
    assert desk.value(f"SELECT count(*) FROM {table}") == 1
    assert desk.value(f"SELECT count(*) FROM audit_log WHERE action = '{table[:-1]}.add'") == 1
    told = answers[0].json[secret]
    if path == "/api-keys":
        program = Api(desk.world["http"])
        program.token = told
        assert program.get("/webhooks").status == 200
    else:
        assert answers[0].headers["Location"] == f"/api/v1/webhooks/{answers[0].json['id']}"
        assert told.startswith("whsec_")
    kept = str([tuple(r) for r in desk.rows("SELECT * FROM kept_answers")])
    assert told not in kept
    desk.stop()


def effects_of(desk):
    return (desk.value("SELECT count(*) FROM tickets WHERE title = 'Once'") +
            desk.value("SELECT count(*) FROM comments WHERE body LIKE 'Once%'"))
