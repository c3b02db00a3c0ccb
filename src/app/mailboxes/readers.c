/* The desk's side of the readers: who reads what, and what became of it. */
#include <maildesk/base/log.h>

#include "mailboxes_priv.h"

static struct job *oldest_of(const struct mailboxes *m, int reader)
{
	struct job *oldest = NULL;

	for (struct job *j = m->jobs; j; j = j->next)
		if (j->state == JOB_READING && j->reader == reader &&
		    (!oldest || j->seq < oldest->seq))
			oldest = j;
	return oldest;
}

/* Whoever it was reading did it; the others were only queued behind. */
static void lose_reader(struct mailboxes *m, int reader, const char *cause)
{
	struct reader *r = &m->readers[reader];
	struct job *culprit = oldest_of(m, reader);
	int status = role_end(&r->role);

	r->role.channel = NULL;
	r->failures++;
	r->again_ms = mono(m) + mailboxes_backoff_ms(r->failures);
	mailboxes_log_end("read", status);
	for (struct job *j = m->jobs; j; j = j->next)
		if (j->state == JOB_READING && j->reader == reader)
			j->state = JOB_WAITING;
	if (!culprit)
		return;
	log_warn(&(struct log_ctx){ .mailbox = mailboxes_title(m, culprit->mailbox),
				    .uid = culprit->uid },
		 "%s, attempt %d of %d", cause, ++culprit->crashes, READER_ATTEMPTS);
	culprit->suspect = true;
	culprit->state = JOB_SUSPECT;
	if (culprit->crashes >= READER_ATTEMPTS)
		mailboxes_give_up(m, culprit, cause);
}

static int on_fields(struct mailboxes *m, int reader, const struct frame *f, struct md_err *err)
{
	struct job *j = oldest_of(m, reader);
	struct frame_fields fields;
	int rc;

	if (!j)
		return md_fail(err, MD_INPUT, 0, "an answer to nothing");
	rc = reader_answer(f, &j->arena, &fields, err);
	if (rc == MD_OK && fields.seq != j->seq)
		rc = md_fail(err, MD_INPUT, 0, "an answer to something else");
	if (rc != MD_OK)
		return rc;
	j->message = fields.message;
	j->state = JOB_READY;
	j->ready_ms = mono(m);
	m->readers[reader].failures = 0;
	j = oldest_of(m, reader);
	if (j)
		j->sent_ms = mono(m); /* its turn begins now */
	return MD_OK;
}

static void hear_reader(struct mailboxes *m, int reader)
{
	struct channel *ch = m->readers[reader].role.channel;
	struct md_err err = { 0 };
	struct job *j;
	int rc = channel_flush(ch, &err);

	while (rc == MD_OK) {
		struct frame f;

		rc = channel_receive(ch, &f, &err);
		if (rc == MD_OK)
			rc = on_fields(m, reader, &f, &err);
	}
	if (rc != MD_AGAIN) {
		lose_reader(m, reader, "parser_crashed");
		return;
	}
	j = oldest_of(m, reader);
	if (j && mono(m) - j->sent_ms > READER_TIMEOUT_MS)
		lose_reader(m, reader, "parser_timed_out");
}

void mailboxes_hear_readers(struct mailboxes *m)
{
	for (int i = 0; i < m->n_readers; i++)
		if (m->readers[i].role.channel)
			hear_reader(m, i);
}

/* A suspect has its reader for itself, and so has what takes long: nobody queues behind it. */
static int load_of(const struct mailboxes *m, int reader)
{
	int n = 0;

	for (const struct job *j = m->jobs; j; j = j->next)
		if (j->state == JOB_READING && j->reader == reader)
			n += j->suspect || j->fd >= 0 || mono(m) - j->sent_ms > SLOW_MS
				     ? READER_QUEUE
				     : 1;
	return n;
}

bool mailboxes_readers_have_enough(const struct mailboxes *m)
{
	size_t waiting = mailboxes_count_jobs(m, JOB_WAITING), room = 0;

	for (int i = 0; i < m->n_readers && waiting; i++) {
		int load = m->readers[i].role.channel ? load_of(m, i) : READER_QUEUE;

		room += load < READER_QUEUE ? (size_t)(READER_QUEUE - load) : 0;
	}
	return waiting > room;
}

/* The one with least to do, but less than `least`; -1: none. */
static int idlest_reader(const struct mailboxes *m, int least)
{
	int best = -1;

	for (int i = 0; i < m->n_readers; i++) {
		int load = m->readers[i].role.channel ? load_of(m, i) : READER_QUEUE;

		if (load < least) {
			least = load;
			best = i;
		}
	}
	return best;
}

static void start_reader(struct mailboxes *m, struct reader *r)
{
	struct md_err err = { 0 };

	r->used = false;
	if (role_spawn("read", -1, &r->role, &err) == MD_OK)
		return;
	r->role.channel = NULL;
	r->again_ms = mono(m) + mailboxes_backoff_ms(++r->failures);
	log_error(NULL, "read cannot be started: %s", err.text);
}

/* The reader for a mail, or NULL: its last try is by one that no earlier mail can have spoilt. */
static struct reader *choose_reader(struct mailboxes *m, const struct job *j)
{
	int i = idlest_reader(m, j->suspect ? 1 : READER_QUEUE);
	struct reader *r = i < 0 ? NULL : &m->readers[i];

	if (r && r->used && j->crashes == READER_ATTEMPTS - 1) {
		role_end(&r->role);
		start_reader(m, r);
	}
	return r && r->role.channel ? r : NULL;
}

static void flush_readers(struct mailboxes *m)
{
	struct md_err err = { 0 };

	for (int i = 0; i < m->n_readers; i++)
		if (m->readers[i].role.channel &&
		    channel_flush(m->readers[i].role.channel, &err) != MD_OK)
			lose_reader(m, i, "parser_crashed");
}

static void feed(struct mailboxes *m)
{
	for (struct job *j = m->jobs; j; j = j->next) {
		struct md_err err = { 0 };
		struct reader *r;

		if (j->state != JOB_WAITING)
			continue;
		r = choose_reader(m, j);
		if (!r)
			return; /* those behind a suspect wait, or no reader would ever be idle */
		r->used = true;
		j->state = JOB_READING;
		j->reader = (int)(r - m->readers);
		j->seq = ++m->next_seq;
		j->sent_ms = mono(m);
		if (reader_send(r->role.channel, j->seq, j->raw, j->n, j->fd,
				rules_fields(m->d->rules), &err) != MD_OK)
			lose_reader(m, j->reader, "parser_crashed");
	}
}

void mailboxes_feed_readers(struct mailboxes *m)
{
	feed(m);
	flush_readers(m);
}

void mailboxes_keep_readers(struct mailboxes *m)
{
	for (int i = 0; i < m->n_readers; i++) {
		struct reader *r = &m->readers[i];

		if (!r->role.channel && r->again_ms <= mono(m))
			start_reader(m, r);
	}
}

void mailboxes_end_readers(struct mailboxes *m)
{
	for (int i = 0; i < m->n_readers; i++)
		if (m->readers[i].role.channel)
			role_end(&m->readers[i].role);
}
