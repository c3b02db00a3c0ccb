"""A token server (RFC 6749, 8628, 7662) that a test commands: people who sign in, rotation, faults.

A refresh token is good once. One that comes again ends its family, as the strict servers do it.
"""
import contextlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse


class TokenServer:
    def __init__(self):
        self.lock, self.server, self.port = threading.Lock(), None, None
        self.reset()
        self.start()

    def reset(self):
        """As if it were new."""
        with self.lock:
            self.life = 3600     # of access tokens, in seconds
            self.access = {}     # token: {"username", "end", "family"}
            self.refresh = {}    # token: family
            self.used = {}       # the same of those that were used
            self.ended = set()   # families
            self.devices = {}    # device code: {"code", "user": str|None, "denied", "slow": int}
            self.asked = []      # (monotonic time, path, form) of each request
            self.answers = {}    # path: function of the form that answers instead, or None
            self.secret = None   # of the client, if it must show one
            self.service = None  # whose mailbox client credentials open
            self.gives_refresh = True
            self.slow = 0        # how often a sign-in is told to ask less often

    def start(self):
        """Again on the same port, if it does not run."""
        if self.server:
            return
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                form = dict(urllib.parse.parse_qsl(body.decode()))
                status, answer = owner.answer(self.path, form)
                raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    if 300 <= status < 400:
                        self.send_header("Location", self.path)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", self.port or 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()

    def stop(self):
        """Nobody listens any more."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def count(self, path, **form):
        with self.lock:
            return sum(p == "/" + path and all(f.get(k) == v for k, v in form.items())
                       for _, p, f in self.asked)

    def refreshes(self):
        return self.count("token", grant_type="refresh_token")

    # ---- what tests do ----

    def approve(self, user_code, user):
        with self.lock:
            self.device(user_code)["user"] = user

    def deny(self, user_code):
        with self.lock:
            self.device(user_code)["denied"] = True

    def device(self, user_code):
        return next(d for d in self.devices.values() if d["code"] == user_code)

    def withdraw_access(self):
        """No access token of now is good any more; refresh tokens are."""
        with self.lock:
            self.access.clear()

    def revoke(self):
        """Nor are those: an admin ended all sign-ins."""
        with self.lock:
            self.ended |= set(self.refresh.values())
            self.access.clear()

    def secrets(self):
        """All tokens there ever were."""
        with self.lock:
            return [*self.access, *self.refresh, *self.used, *self.devices]

    # ---- answers ----

    def answer(self, path, form):
        with self.lock:
            self.asked.append((time.monotonic(), path, form))
            special = self.answers.get(path.strip("/"))
        if special:
            answer = special(form)
            if answer:
                return answer
        with self.lock:
            return {"/token": self.token, "/device": self.begin, "/introspect": self.introspect}.get(
                path, lambda _: (404, {"error": "not_found"}))(form)

    def give(self, user, family, with_refresh):
        token = "at-" + secrets.token_urlsafe(24)
        self.access[token] = {"username": user, "end": time.time() + self.life, "family": family}
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
        if with_refresh and self.gives_refresh:
            again = "rt-" + secrets.token_urlsafe(24)
            self.refresh[again] = family
            answer["refresh_token"] = again
        return 200, answer

    def token(self, form):
        if form.get("client_id") != "desk":
            return 401, {"error": "invalid_client"}
        if self.secret and form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client", "error_description": "wrong secret"}
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self.give(self.service, None, False)
        if grant == "refresh_token":
            return self.rotate(form.get("refresh_token"))
        device = self.devices.get(form.get("device_code"))
        if not device:
            return 400, {"error": "expired_token"}
        if device["denied"]:
            return 400, {"error": "access_denied"}
        if device["slow"]:
            device["slow"] -= 1
            return 400, {"error": "slow_down"}
        if not device["user"]:
            return 400, {"error": "authorization_pending"}
        del self.devices[form["device_code"]]
        return self.give(device["user"], (secrets.token_hex(4), device["user"]), True)

    def rotate(self, token):
        if token in self.used:
            self.ended.add(self.used[token])
        family = self.refresh.pop(token, None)
        if family:
            self.used[token] = family
        if not family or family in self.ended:
            return 400, {"error": "invalid_grant", "error_description": f"{token} is over"}
        return self.give(family[1], family, True)

    def begin(self, form):
        code = secrets.token_hex(4).upper()
        code = f"{code[:4]}-{code[4:]}"
        self.devices["dc-" + secrets.token_urlsafe(24)] = {"code": code, "user": None,
                                                          "denied": False, "slow": self.slow}
        return 200, {"device_code": list(self.devices)[-1], "user_code": code,
                     "verification_uri": "https://login.test/device", "expires_in": 900,
                     "interval": 1}

    def introspect(self, form):
        known = self.access.get(form.get("token"))
        if not known or known["end"] < time.time() or known["family"] in self.ended:
            return 200, {"active": False}
        return 200, {"active": True, "username": known["username"]}
