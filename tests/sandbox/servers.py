"""Configuration, start and readiness of the sandbox's Dovecot and Postfix.

`view` is DIR as the servers see it (processes.py). Postfix hands mail to Dovecot's LMTP, so the
same Dovecot that serves IMAP stores it and an idling client hears of it at once.
"""
import os
import shutil
import socket
import subprocess

from processes import SandboxError, wait_until

AUTHSERV_ID = "mx.desk.test"
DOMAINS = ("desk.test", "customer.test")
MAIL_USER = "mail"  # of Debian's base system: no user has to be made
MESSAGE_BYTES = 64 << 20

DOVECOT_COMMON = """\
base_dir = {view}/run/{instance}
state_dir = {view}/run/{instance}
log_path = {view}/log/{instance}.log
instance_name = sandbox-{instance}
auth_mechanisms = plain login
auth_username_format = %Lu
auth_failure_delay = 0
{oauth}
passdb {{
	driver = passwd-file
	args = {view}/dovecot.users
}}
userdb {{
	driver = static
	args = uid={user} gid={user} home={view}/mail/%u
}}
# A wrong password is answered at once, however often it was tried.
service anvil {{
	unix_listener anvil-auth-penalty {{
		mode = 0
	}}
}}
"""

# Before the passwords, for its own mechanism only.
DOVECOT_OAUTH = """\
auth_mechanisms = plain login xoauth2
passdb {{
	driver = oauth2
	mechanisms = xoauth2
	args = {view}/dovecot.oauth
}}
"""
# Dovecot asks for each token, each time: what was withdrawn is known at once.
INTROSPECTION = """\
introspection_mode = post
introspection_url = {url}
force_introspection = yes
username_attribute = username
username_format = %Lu
active_attribute = active
active_value = true
"""

DOVECOT = DOVECOT_COMMON + """
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{view}/tls/server.pem
ssl_key = <{view}/tls/server.key
disable_plaintext_auth = no
recipient_delimiter = +
mail_location = maildir:{view}/mail/%u
mail_max_userip_connections = 1000
# The folder is thrown away after use; nobody needs it to survive a power cut.
mail_fsync = never
first_valid_uid = 1
first_valid_gid = 1
lmtp_add_received_header = no
lmtp_rcpt_check_quota = no

service imap-login {{
	inet_listener imap {{
		port = {imap}
	}}
	inet_listener imaps {{
		port = {imaps}
		ssl = yes
	}}
}}
service lmtp {{
	unix_listener lmtp {{
		mode = 0666
	}}
}}
"""

# Postfix's way to check passwords, apart from the mailboxes so that it works while those are down.
DOVECOT_AUTH = DOVECOT_COMMON + """
protocols =
ssl = no
service auth {{
	unix_listener sasl {{
		mode = 0666
	}}
}}
"""

POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {view}/postfix/queue
data_directory = {view}/postfix/data
maillog_file = {view}/log/postfix.log
maillog_file_prefixes = {view}
master_service_disable =
multi_instance_enable = no

myhostname = {authserv_id}
myorigin = desk.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:5.1.1 no local users
disable_dns_lookups = yes
smtpd_peername_lookup = no
# Mail comes as from elsewhere: no missing field is added, no address completed.
local_header_rewrite_clients =
# Nothing leaves the sandbox.
relay_domains =
default_transport = error:5.4.4 no way out of the sandbox

virtual_mailbox_domains = {domains}
virtual_mailbox_maps = texthash:{view}/postfix/mailboxes, regexp:{view}/postfix/bounces
virtual_transport = lmtp:unix:{view}/run/dovecot/lmtp
recipient_delimiter = +
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
message_size_limit = {size}
mailbox_size_limit = 0
virtual_mailbox_limit = 0

smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {view}/run/auth/sasl
smtpd_sasl_security_options = noanonymous
smtpd_milters = unix:{view}/run/authmilter
milter_default_action = tempfail

# No patience: a test that stops a part waits seconds for what is retried, and no client is slowed.
# But three at least: qmgr takes a file that is due in a second, so after less it may come back to a
# mail that its delivery agent has not let go yet, which it then leaves alone for a minute.
queue_run_delay = 1s
minimal_backoff_time = 3s
maximal_backoff_time = 4s
transport_retry_time = 1s
service_throttle_time = 1s
in_flow_delay = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 10000
smtpd_hard_error_limit = 10001
smtpd_client_connection_count_limit = 0
smtpd_recipient_limit = 1000
default_process_limit = 50
"""

POSTFIX_MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
# Such a mail lies in the incoming queue, which only new mail and this wakeup have qmgr look through.
qmgr unix n - n 2 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# What `postfix check` would make, which takes a second.
POSTFIX_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
                  "maildrop", "private", "public", "saved", "trace")

CA_EXTENSIONS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
SERVER_EXTENSIONS = ("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                     "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n")


def _openssl(*args):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True)
    if done.returncode:
        raise SandboxError(f"openssl {args[0]}: {done.stderr.strip()}")


def make_certificates(tls):
    """A CA of the sandbox's own and a certificate of it for 127.0.0.1 and localhost."""
    tls.mkdir(mode=0o755)
    for name, subject, extensions, signer in (
            ("ca", "/CN=maildesk sandbox CA", CA_EXTENSIONS, ()),
            ("server", "/CN=localhost", SERVER_EXTENSIONS,
             ("-CA", tls / "ca.pem", "-CAkey", tls / "ca.key", "-CAcreateserial"))):
        key, request, conf = tls / f"{name}.key", tls / f"{name}.csr", tls / f"{name}.ext"
        conf.write_text(extensions)
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", subject, "-keyout", str(key), "-out", str(request))
        _openssl("x509", "-req", "-in", str(request), "-days", "3650", "-extfile", str(conf),
                 "-out", str(tls / f"{name}.pem"),
                 *(map(str, signer) if signer else ("-signkey", str(key))))
        key.chmod(0o600)
        request.unlink()
        conf.unlink()


def write_configuration(folder, view, ports, accounts, oauth=None):
    """(Re)writes everything both servers read; queue and mailboxes are left as they are."""
    values = {"view": view, "user": MAIL_USER, "authserv_id": AUTHSERV_ID, "size": MESSAGE_BYTES,
              "domains": ", ".join(DOMAINS), "oauth": "", **ports}
    if oauth:
        values["oauth"] = DOVECOT_OAUTH.format(view=view)
        (folder / "dovecot.oauth").write_text(INTROSPECTION.format(url=oauth))
    for instance, text in (("dovecot", DOVECOT), ("auth", DOVECOT_AUTH)):
        (folder / f"{instance}.conf").write_text(text.format(instance=instance, **values))
    users = folder / "dovecot.users"
    users.write_text("".join(f"{a['user']}:{{PLAIN}}{a['password']}\n" for a in accounts))
    users.chmod(0o640)
    shutil.chown(users, group="dovecot")
    postfix = folder / "postfix"
    (postfix / "etc").mkdir(parents=True, exist_ok=True)
    (postfix / "queue" / "pid").mkdir(parents=True, exist_ok=True)
    for name in ("data", *(f"queue/{q}" for q in POSTFIX_QUEUES)):
        (postfix / name).mkdir(mode=0o700, exist_ok=True)
        shutil.chown(postfix / name, user="postfix")
    for name, text in (("main.cf", POSTFIX_MAIN), ("master.cf", POSTFIX_MASTER)):
        path = postfix / "etc" / name
        path.write_text(text.format(**values))
        # Postfix reads a file again and again until its last change is some seconds old.
        os.utime(path, (0, 0))
    (postfix / "mailboxes").write_text("".join(f"{a['address']} {a['user']}\n" for a in accounts))
    # Taken at the door, refused by LMTP: the sender gets a real DSN.
    (postfix / "bounces").write_text("/^bounce-[^@]*@customer\\.test$/ bounce\n")
    mail = folder / "mail"
    mail.mkdir(mode=0o700, exist_ok=True)
    shutil.chown(mail, MAIL_USER, MAIL_USER)


def greets(port, greeting):
    """Whether a server on loopback answers with this greeting."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            return s.recv(512).startswith(greeting)
    except OSError:
        return False


def _start_dovecot(processes, instance, ready):
    # Dovecot takes a pid that is still a zombie for a living master; we know that none lives.
    (processes.folder / "run" / instance / "master.pid").unlink(missing_ok=True)
    child = processes.spawn(instance, ["/usr/sbin/dovecot", "-F", "-c",
                                       f"{processes.view}/{instance}.conf"])
    _wait_for(processes, child, instance, ready)


def start_dovecot(processes, ports):
    _start_dovecot(processes, "dovecot", lambda: greets(ports["imap"], b"* OK"))


def start_postfix(processes, ports, milter):
    view = processes.view
    if not os.access(milter, os.X_OK):
        raise SandboxError(f"{milter}: not built (make {milter})")
    auth_socket, milter_socket = (processes.folder / "run" / s for s in ("auth/sasl", "authmilter"))
    for stale in (auth_socket, milter_socket):
        stale.unlink(missing_ok=True)
    _start_dovecot(processes, "auth", auth_socket.is_socket)
    child = processes.spawn("authmilter", [milter, f"unix:{view}/run/authmilter", AUTHSERV_ID])
    _wait_for(processes, child, "authmilter", milter_socket.is_socket)
    # -s: the master stays in the foreground and thus in the session it is given.
    child = processes.spawn("postfix", ["/usr/lib/postfix/sbin/master", "-c",
                                        f"{view}/postfix/etc", "-s"])
    _wait_for(processes, child, "postfix", lambda: greets(ports["smtp"], b"220 "))


def _wait_for(processes, child, name, ready):
    def answers():
        if child.poll() is not None:
            logs = [processes.log / f"{name}.out", processes.log / f"{name}.log"]
            text = "".join(f.read_text(errors="replace") for f in logs if f.exists())
            raise SandboxError(f"{name} ended with {child.returncode}:\n{text[-2000:]}")
        return ready()
    wait_until(f"{name} to answer", answers)
