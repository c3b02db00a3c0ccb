"""Signing in to the running daemon: links by mail, sessions, second factors, keys, and strangers."""
import base64
import concurrent.futures
import hmac
import re
import struct
import subprocess
import time

import pytest

from lib import MAILDESK, Api, text_of, wait_for

PASSWORD = "a long enough password"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/#/([a-z-]+)\?token=([A-Za-z0-9_-]{43})\s")


def tokens_of(desk, who, page, subject=None):
    """The tokens of that page which were mailed to them so far, oldest first."""
    with desk.mailbox(who) as box:
        mails = [m for m in box.mails() if subject is None or subject in str(m["Subject"])]
    found = [LINK.search(text_of(m)) for m in mails]
    return [f[2] for f in found if f and f[1] == page]


def next_token(desk, who, page, ask):
    """The token that ask() causes to be mailed."""
    before = len(tokens_of(desk, who, page))
    ask()
    return wait_for(f"a mail with #{page}", lambda: tokens_of(desk, who, page)[before:])[0]


def ask(desk, path, **body):
    answer = desk.api().post(path, body)
    assert answer.status == 202 and answer.json == {"accepted": True}, answer.body
    return answer


def sign_in(desk, email, password, **more):
    return desk.api().post("/auth/token", {"email": email, "password": password, **more})


def as_user(desk, access):
    api = Api(desk["http"])
    api.token = access
    return api


@pytest.fixture
def person(desk, request):
    """Somebody new with a password; nobody else signs in as them."""
    number = person.n = getattr(person, "n", 0) + 1
    email = f"carol+p{number}@customer.test"
    made = desk.api("admin").post("/users", {"email": email, "name": f"Person {number}",
                                             "role": "customer", "password": PASSWORD})
    assert made.status == 201, made.body
    return {"email": email, "id": made.json["id"]}


# ---- links by mail ----

def test_registering_takes_the_link_of_the_mail(desk):
    email = "carol+new@customer.test"
    body = {"email": email, "password": PASSWORD, "name": "Buy\u202e pills"}
    token = next_token(desk, "carol", "verify", lambda: ask(desk, "/auth/register", **body))
    assert sign_in(desk, email, PASSWORD).status == 401, "not before the link"
    with desk.mailbox("carol") as box:
        mail = next(m for m in box.mails() if token in text_of(m))
    assert mail["To"] == email and "pills" not in mail.as_string(), "no word of a stranger"
    assert mail["Auto-Submitted"] == "auto-generated" and "confirm" in mail["Subject"]
    made = desk.api().post("/auth/verify", {"token": token})
    assert made.status == 200 and made.json["role"] == "customer"
    assert made.json["name"] == "Buy pills"
    assert sign_in(desk, email, PASSWORD).status == 200
    assert desk.api().post("/auth/verify", {"token": token}).status == 401, "once"


def test_registering_again_changes_nobodys_password(desk, person):
    """The mail leads to a password of one's own choice, not to that of who asked."""
    token = next_token(desk, "carol", "reset", lambda: ask(
        desk, "/auth/register", email=person["email"], password="of somebody else"))
    assert desk.api().post("/auth/verify", {"token": token}).status == 401, "another kind of link"
    assert sign_in(desk, person["email"], "of somebody else").status == 401
    assert sign_in(desk, person["email"], PASSWORD).status == 200


def test_a_forgotten_password(desk, person):
    old = sign_in(desk, person["email"], PASSWORD).json
    reset = lambda token, password: desk.api().post(
        "/auth/password/reset", {"token": token, "password": password})
    first, second = (next_token(desk, "carol", "reset", lambda: ask(
        desk, "/auth/password/forgot", email=person["email"].upper())) for _ in range(2))
    assert reset(first, "short").status == 422
    assert reset(first, "another long one").status == 204
    assert reset(second, PASSWORD).status == 401, "other links end with it"
    assert as_user(desk, old["access_token"]).get("/auth/me").status == 401
    assert desk.api().post("/auth/refresh", {"refresh_token": old["refresh_token"]}).status == 401
    assert sign_in(desk, person["email"], PASSWORD).status == 401
    assert sign_in(desk, person["email"], "another long one").status == 200


def test_a_link_signs_in_once(desk, person):
    token = next_token(desk, "carol", "sign-in", lambda: ask(desk, "/auth/link",
                                                             email=person["email"]))
    use = lambda: desk.api().post("/auth/link/use", {"token": token})
    answer = use()
    assert answer.status == 200 and answer.json["user"]["id"] == person["id"]
    assert as_user(desk, answer.json["access_token"]).get("/auth/me").status == 200
    assert use().status == 401
    for path in ("/auth/link/use", "/auth/verify"):
        assert desk.api().post(path, {"token": "x" * 43}).status == 401
    disabled = next_token(desk, "carol", "sign-in", lambda: ask(desk, "/auth/link",
                                                                email=person["email"]))
    desk.api("admin").patch(f"/users/{person['id']}", {"disabled": True})
    assert desk.api().post("/auth/link/use", {"token": disabled}).status == 401


def test_three_mails_an_hour_and_none_to_strangers(desk, person):
    known, unknown = person["email"], "carol+nobody@customer.test"
    paths = ["/auth/link", "/auth/password/forgot"] * 3
    for path in paths:
        a, b = ask(desk, path, email=known), ask(desk, path, email=unknown)
        hide = lambda m: {k: v for k, v in m.items() if k not in ("Date", "X-Request-Id")}
        assert (a.body, hide(a.headers)) == (b.body, hide(b.headers)), "alike"
    # requests are done in order: with the mail of the last one, all others were sent
    next_token(desk, "carol", "verify", lambda: ask(
        desk, "/auth/register", email="carol+last@customer.test", password=PASSWORD))
    with desk.mailbox("carol") as box:
        to = [str(m["To"]) for m in box.mails()]
    assert sum(known in t for t in to) == 3 and not any(unknown in t for t in to)


def test_a_person_without_password_is_invited(desk):
    token = next_token(desk, "carol", "reset", lambda: desk.api("admin").post(
        "/users", {"email": "carol+guest@customer.test", "name": "Guest", "role": "customer",
                   "locale": "de"}))
    with desk.mailbox("carol") as box:
        assert any(token in text_of(m) and "Passwort" in m["Subject"] for m in box.mails())
    assert desk.api().post("/auth/password/reset",
                           {"token": token, "password": PASSWORD}).status == 204
    assert sign_in(desk, "carol+guest@customer.test", PASSWORD).status == 200


def test_nobody_else_reads_the_links(desk, person):
    """Neither an agent nor an admin: not in the outbox, nor the mail itself."""
    token = next_token(desk, "carol", "reset", lambda: ask(desk, "/auth/password/forgot",
                                                           email=person["email"]))
    for who in ("anna", "admin"):
        staff = desk.api(who)
        rows = staff.get("/outbox", per_page=100).json["items"]
        row = next(r for r in rows if r["to"] == person["email"])
        assert token not in str(rows)
        assert staff.get(f"/messages/{row['message']}/raw").status == 404
        assert token not in staff.get(f"/messages/{row['message']}").body.decode()


def test_registration_can_be_off(start_world):
    world = start_world(fragment="desk { registration = false }\n")
    for email in ("carol@customer.test", "new@customer.test"):
        answer = world.api().post("/auth/register", {"email": email, "password": PASSWORD})
        assert answer.status == 403 and answer.json["code"] == "registration_off"


# ---- oneself ----

def test_a_person_changes_themselves(desk, person):
    mine = sign_in(desk, person["email"], PASSWORD).json
    other = sign_in(desk, person["email"], PASSWORD).json
    me = as_user(desk, mine["access_token"])
    answer = me.patch("/auth/me", {"name": " New  name ", "locale": "de", "signature": "--\nN",
                                   "timezone": "Europe/Berlin"})
    assert answer.status == 200, answer.body
    assert {k: answer.json[k] for k in ("name", "locale", "timezone", "signature", "digest")} == {
        "name": "New name", "locale": "de", "timezone": "Europe/Berlin", "signature": "--\nN",
        "digest": "off"}
    assert me.patch("/auth/me", {"digest": "daily"}).json["digest"] == "daily"
    assert me.get("/auth/me").json["digest"] == "daily"
    for body, field in (({"timezone": "Mars/Olympus"}, "timezone"), ({"locale": "x"}, "locale"),
                        ({"digest": "weekly"}, "digest"), ({"digest": None}, "digest"),
                        ({"name": " "}, "name"), ({"role": "admin"}, "role"),
                        ({"password": "a new long one"}, "old_password"),
                        ({"password": "a new long one", "old_password": "x"}, "old_password"),
                        ({"password": "short", "old_password": PASSWORD}, "password")):
        answer = me.patch("/auth/me", body)
        assert answer.status == 422 and answer.json["errors"][0]["field"] == field, answer.body
    assert me.patch("/auth/me", {"password": "a new long one",
                                 "old_password": PASSWORD}).status == 200
    # every access token ends, and every session but the one in which it was done
    assert me.get("/auth/me").status == 401
    refresh = lambda s: desk.api().post("/auth/refresh", {"refresh_token": s["refresh_token"]})
    assert refresh(other).status == 401 and refresh(mine).status == 200
    assert sign_in(desk, person["email"], PASSWORD).status == 401


def test_sessions_are_listed_and_ended(desk, person):
    one, two, three = (sign_in(desk, person["email"], PASSWORD).json for _ in range(3))
    me = as_user(desk, one["access_token"])
    rows = me.get("/auth/sessions").json
    assert rows["total"] == 3 and [s["current"] for s in rows["items"]].count(True) == 1
    assert all("Python" in s["user_agent"] and s["id"] < 2 ** 53 for s in rows["items"])
    last = next(s["id"] for s in as_user(desk, three["access_token"]).get(
        "/auth/sessions").json["items"] if s["current"])
    assert desk.api("dave").request("DELETE", f"/auth/sessions/{last}").status == 404
    assert me.request("DELETE", f"/auth/sessions/{last}").status == 204
    assert as_user(desk, three["access_token"]).get("/auth/me").status == 401, "at once"
    assert me.request("DELETE", f"/auth/sessions/{last}").status == 404
    assert me.request("DELETE", "/auth/sessions").status == 204
    assert as_user(desk, two["access_token"]).get("/auth/me").status == 401
    assert desk.api().post("/auth/refresh", {"refresh_token": two["refresh_token"]}).status == 401
    assert me.get("/auth/sessions").json["total"] == 1 and me.get("/auth/me").status == 200


def totp(secret, step):
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 10 ** 6:06}"


def test_a_second_factor(desk, person):
    step = int(time.time()) // 30
    me = as_user(desk, sign_in(desk, person["email"], PASSWORD).json["access_token"])
    first = me.post("/auth/otp", {}).json
    offered = me.post("/auth/otp", {}).json
    assert offered["secret"] != first["secret"] and not offered["enabled"]
    assert offered["uri"].startswith("otpauth://totp/") and offered["secret"] in offered["uri"]
    assert sign_in(desk, person["email"], PASSWORD).status == 200, "not confirmed yet"
    assert me.post("/auth/otp", {"otp": totp(first["secret"], step)}).status == 422
    assert me.post("/auth/otp", {"otp": offered["recovery_codes"][0]}).status == 422
    assert me.post("/auth/otp", {"otp": totp(offered["secret"], step - 1)}).json == {
        "enabled": True}
    assert me.get("/auth/me").json["otp_enabled"]
    assert me.post("/auth/otp", {}).status == 409

    code = lambda a: (a.status, a.json.get("code"))
    with_otp = lambda otp: sign_in(desk, person["email"], PASSWORD, otp=otp)
    assert code(sign_in(desk, person["email"], PASSWORD)) == (401, "otp_required")
    assert code(sign_in(desk, person["email"], "wrong one")) == (401, "unauthorized")
    assert code(with_otp("000000")) == (401, "unauthorized")
    assert with_otp(totp(offered["secret"], step - 1)).status == 401, "spent by confirming"
    good = totp(offered["secret"], step)
    assert with_otp(good).status == 200 and with_otp(good).status == 401, "once"
    recovery = offered["recovery_codes"][3]
    assert with_otp(recovery.upper().replace("-", " ")).status == 200
    assert with_otp(recovery).status == 401, "once"
    assert with_otp(first["recovery_codes"][0]).status == 401, "of the offer before"
    # a link stands for the password only, and is not used up by the question
    token = next_token(desk, "carol", "sign-in", lambda: ask(desk, "/auth/link",
                                                             email=person["email"]))
    use = lambda **more: desk.api().post("/auth/link/use", {"token": token, **more})
    assert code(use()) == (401, "otp_required") and use(otp="1").status == 401
    assert use(otp=offered["recovery_codes"][4]).status == 200

    drop = lambda otp: me.request("DELETE", "/auth/otp", {"otp": otp})
    assert drop("000000").status == 422
    assert drop(offered["recovery_codes"][5]).status == 204
    assert sign_in(desk, person["email"], PASSWORD).status == 200
    assert drop("000000").status == 409


def test_links_and_second_factors_stand_nowhere_in_the_database(desk, person):
    me = as_user(desk, sign_in(desk, person["email"], PASSWORD).json["access_token"])
    secret = base64.b32decode(me.post("/auth/otp", {}).json["secret"])
    token = next_token(desk, "carol", "sign-in", lambda: ask(desk, "/auth/link",
                                                             email=person["email"]))
    with desk.db() as db:
        rows = db.execute("SELECT data FROM outbox WHERE event = 'sign_in_link'").fetchall()
        mails = db.execute("SELECT b.encoding, b.bytes FROM blobs b JOIN messages m"
                           " ON m.blob_id = b.id WHERE m.kind = 'account'").fetchall()
        kept = [bytes(r[0]) for r in db.execute("SELECT secret FROM user_otp").fetchall()]
    assert rows and all(token not in r[0] and '"link_url"' not in r[0] for r in rows)
    # sealed bytes cannot be made smaller, so they are kept as they are
    assert mails and all(r[0] == "identity" and bytes(r[1])[0] == 1 for r in mails)
    assert kept and all(secret not in k for k in kept)


def test_without_the_key_of_secrets_a_recovery_code_still_opens(start_world):
    """A desk that came back without its state_dir's desk.key: from a dump of the database alone."""
    world = start_world(fragment="limits { login_per_minute = 0  anonymous_per_minute = 0 }\n")
    carol = world.accounts["carol"]
    me = world.api("carol")
    offered = me.post("/auth/otp", {}).json
    step = int(time.time()) // 30
    assert me.post("/auth/otp", {"otp": totp(offered["secret"], step - 1)}).status == 200
    sign_in = lambda otp: world.api().post("/auth/token", {
        "email": carol["address"], "password": carol["password"], "otp": otp})
    world.sandbox("stop", "desk")
    key = world.dir / "state" / "desk.key"
    assert key.stat().st_mode & 0o777 == 0o600 and key.stat().st_size == 32
    key.unlink()
    world.sandbox("start", "desk")
    refused = sign_in(totp(offered["secret"], step + 1))
    assert refused.status == 401 and "recovery" in refused.json["detail"]
    assert me.get("/auth/me").status == 401, "access tokens were signed with what is lost"
    signed = sign_in(offered["recovery_codes"][0])
    assert signed.status == 200
    me.token = signed.json["access_token"]
    log = (world.dir / "log" / "maildesk.out").read_text()
    assert "a new one is used" in log
    new = me.request("DELETE", "/auth/otp", {"otp": offered["recovery_codes"][1]})
    assert new.status == 204
    again = me.post("/auth/otp", {}).json
    assert me.post("/auth/otp", {"otp": totp(again["secret"], int(time.time()) // 30)}).status == 200


def test_after_a_theft_of_the_database_no_token_of_before_is_good(start_world):
    world = start_world(fragment="limits { login_per_minute = 0  anonymous_per_minute = 0 }\n")
    carol = world.accounts["carol"]
    old = world.api().post("/auth/token", {"email": carol["address"],
                                           "password": carol["password"]}).json
    assert as_user(world, old["access_token"]).get("/auth/me").status == 200
    done = subprocess.run([MAILDESK, "token", "rotate", "--all", "--config", world["config"]],
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    wait_for("the running daemon forgets its keys",
             lambda: as_user(world, old["access_token"]).get("/auth/me").status == 401)
    # of refresh tokens the database has hashes only: nobody has to sign in again
    new = world.api().post("/auth/refresh", {"refresh_token": old["refresh_token"]})
    assert new.status == 200
    assert as_user(world, new.json["access_token"]).get("/auth/me").status == 200


def test_codes_are_guessed_slowly_from_everywhere(start_world):
    world = start_world(fragment="limits { login_per_minute = 6  anonymous_per_minute = 0 }\n"
                                 "http { trusted_proxies = {\"127.0.0.1\"} }\n")
    carol = world.accounts["carol"]
    me = world.api("carol")
    offered = me.post("/auth/otp", {}).json
    me.post("/auth/otp", {"otp": totp(offered["secret"], int(time.time()) // 30)})
    body = {"email": carol["address"], "password": carol["password"], "otp": "000000"}
    answers = [world.api().request("POST", "/auth/token", body,
                                   {"X-Forwarded-For": f"192.0.{i}.1"}).status for i in range(25)]
    # No slow machine hashes so slowly that one comes back with each: one in ten seconds does.
    assert answers.count(429) >= 4 and answers[:5] == [401] * 5


# ---- refreshing ----

def test_of_two_uses_at_once_nobody_goes_on(desk, person):
    token = sign_in(desk, person["email"], PASSWORD).json["refresh_token"]
    refresh = lambda t: desk.api().post("/auth/refresh", {"refresh_token": t})
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(refresh, [token] * 6))
    good = [a.json for a in answers if a.status == 200]
    assert len(good) == 1 and [a.status for a in answers].count(401) == 5
    assert refresh(good[0]["refresh_token"]).status == 401, "the family is ended"
    assert as_user(desk, good[0]["access_token"]).get("/auth/me").status == 401


def test_a_browser_keeps_its_token_in_a_cookie(desk, person):
    answer = sign_in(desk, person["email"], PASSWORD, cookie=True)
    assert "refresh_token" not in answer.json
    cookie, *flags = answer.headers["Set-Cookie"].split("; ")
    assert cookie.startswith("__Host-maildesk_refresh=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} <= set(flags)
    own = desk["http"]
    send = lambda path, cookie, **headers: desk.api().request(
        "POST", path, {}, {"Cookie": f"a=b; {cookie}; c=d", **headers})
    for origin in ({}, {"Origin": "https://evil.test"}, {"Origin": "null"},
                   {"Origin": own + ".evil.test"}, {"Origin": own + "/"}):
        assert send("/auth/refresh", cookie, **origin).status == 403, origin
    next_one = send("/auth/refresh", cookie, Origin=own)
    assert next_one.status == 200 and "refresh_token" not in next_one.json
    cookie = next_one.headers["Set-Cookie"].split("; ")[0]
    # whose token is in the cookie is at work in the console, also after a refresh
    for token, way in ((answer.json, "console"), (next_one.json, "console"),
                       (sign_in(desk, person["email"], PASSWORD).json, "api")):
        api = as_user(desk, token["access_token"])
        made = api.post("/tickets", {"title": "Where from", "description": "x"}).json
        assert made["channel"] == way
        assert {h["source"] for h in api.get(f"/tickets/{made['id']}/history").json["items"]} == {way}
    assert send("/auth/refresh", "x=y", Origin=own).status == 401
    assert send("/auth/logout", cookie).status == 401, "no origin, no session"
    gone = send("/auth/logout", cookie, Origin=own)
    assert gone.status == 204 and "Max-Age=0" in gone.headers["Set-Cookie"]
    assert send("/auth/refresh", cookie, Origin=own).status == 401


# ---- keys ----

def test_a_key_is_changed_and_ended(desk):
    admin = desk.api("admin")
    made = admin.post("/api-keys", {"name": "one", "scopes": ["tickets:read"]}).json
    path, key = f"/api-keys/{made['id']}", as_user(desk, made["key"])
    seen = admin.get(path).json
    assert seen == {k: v for k, v in made.items() if k != "key"} and "key" not in seen
    assert key.get("/tickets").status == 200 and key.get("/webhooks").status == 403
    changed = admin.patch(path, {"name": "two", "scopes": ["admin"]}).json
    assert (changed["name"], changed["scopes"]) == ("two", ["admin"]) and "key" not in changed
    assert key.get("/tickets").status == 403 and key.get("/webhooks").status == 200
    for bad, field in (({"scopes": ["root"]}, "scopes"), ({"scopes": []}, "scopes"), ({"name": ""}, "name"),
                       ({"user": 1}, "user"), ({"key": "x"}, "key"), ({"expires_at": "x"}, "expires_at"),
                       ({"expires_at": "1970-01-01T00:00:00Z"}, "expires_at")):
        refused = admin.patch(path, bad)
        assert refused.status == 422 and refused.json["errors"][0]["field"] == field, bad
    assert admin.patch(path, {"expires_at": "2020-01-01T00:00:00Z"}).json["expires_at"]
    assert key.get("/webhooks").status == 401
    assert admin.patch(path, {"expires_at": None}).json["expires_at"] is None
    assert key.get("/webhooks").status == 200
    assert key.patch(path, {"scopes": ["tickets:read", "tickets:write", "admin"]}).status == 200
    assert admin.request("DELETE", path).status == 204
    assert admin.get(path).status == admin.patch(path, {"name": "x"}).status == 404


def test_keys_act_as_their_maker_within_their_scopes(desk):
    admin = desk.api("admin")
    make = lambda *scopes, **more: admin.post("/api-keys", {"name": "sync",
                                                            "scopes": list(scopes), **more})
    reader, writer, chief = (make(s) for s in ("tickets:read", "tickets:write", "admin"))
    assert reader.status == 201 and reader.json["key"].startswith("mdk_")
    read, write, manage = (as_user(desk, k.json["key"]) for k in (reader, writer, chief))
    ticket = {"title": "By key", "description": "x"}
    made = write.post("/tickets", ticket)
    assert made.status == 201 and made.json["created_by"]["role"] == "admin"
    assert read.get(f"/tickets/{made.json['id']}").status == 200
    for key, method, path, body in ((read, "POST", "/tickets", ticket), (read, "GET", "/outbox", None),
                                    (write, "GET", "/tickets", None), (manage, "GET", "/tickets", None),
                                    (write, "POST", "/users", {}), (manage, "PATCH", "/auth/me", {}),
                                    (manage, "GET", "/auth/sessions", None),
                                    (manage, "POST", "/auth/otp", {})):
        answer = key.request(method, path, body)
        assert answer.status == 403 and answer.json["code"] == "forbidden", (method, path)
    assert manage.get("/outbox").status == 200 and read.get("/auth/me").json["role"] == "admin"
    rows = admin.get("/api-keys", per_page=100).json["items"]
    assert "mdk_" not in str(rows) and all(r["last_used_at"] for r in rows)
    for body, field in (({"name": "x", "scopes": ["root"]}, "scopes"),
                        ({"name": "x", "scopes": []}, "scopes"),
                        ({"name": "x", "scopes": ["admin"], "expires_at": "2001-01-01T00:00:00Z"},
                         "expires_at")):
        answer = admin.post("/api-keys", body)
        assert answer.status == 422 and answer.json["errors"][0]["field"] == field
    assert desk.api("anna").get("/api-keys").status == 403
    assert admin.request("DELETE", f"/api-keys/{reader.json['id']}").status == 204
    assert read.get("/tickets").status == 401
    soon = make("tickets:read", expires_at=time.strftime("%FT%TZ", time.gmtime(time.time() + 2)))
    briefly = as_user(desk, soon.json["key"])
    wait_for("the key's end", lambda: briefly.get("/tickets").status == 401)
