#include <maildesk/cmd/progress.h>

#include <maildesk/base/clock.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_EACH_MS = 200, LINE_EACH_MS = 2000, BAR_WIDTH = 30 };

struct progress progress_start(bool json)
{
	struct progress p = { .json = json, .terminal = isatty(STDERR_FILENO) && !json };

	p.each_ms = p.terminal ? BAR_EACH_MS : LINE_EACH_MS;
	return p;
}

void put_json(json_t *j)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 20);

	if (j)
		json_write(&out, j);
	if (j && out.status == MD_OK) {
		puts(buf_str(&out));
		fflush(stdout);
	}
	json_decref(j);
}

static void show_text(const struct progress *p, const char *what, const char *unit, int64_t done,
		      int64_t total, int64_t per_second)
{
	int part = total > 0 ? (int)(done * BAR_WIDTH / total) : 0;

	part = part > BAR_WIDTH ? BAR_WIDTH : part;
	if (p->terminal)
		fprintf(stderr, "\r[%.*s%*s] ", part, "##############################",
			BAR_WIDTH - part, "");
	fprintf(stderr, "%s %s: %lld", p->phase, what, (long long)done);
	if (total)
		fprintf(stderr, " of %lld", (long long)total);
	fprintf(stderr, " %s, %lld %s/s%s", unit, (long long)per_second, unit,
		p->terminal ? "\033[K" : "\n");
}

void progress_tell(struct progress *p, const char *phase, const char *what, const char *unit,
		   int64_t done, int64_t total, int64_t fresh)
{
	int64_t now = clock_mono(&clock_system), took;

	if (!p->phase || strcmp(p->phase, phase) != 0) {
		p->phase = phase;
		p->begun_ms = now;
	} else if (now - p->shown_ms < p->each_ms) {
		return;
	}
	p->shown_ms = now;
	took = now - p->begun_ms;
	took = fresh * 1000 / (took > 0 ? took : 1);
	if (p->json)
		put_json(json_pack("{s:s, s:s, s:I, s:I, s:I}", "phase", phase, "table", what, unit,
				   (json_int_t)done, "total", (json_int_t)total, "rows_per_second",
				   (json_int_t)took));
	else
		show_text(p, what, unit, done, total, took);
}

void progress_end(struct progress *p, bool broken)
{
	if (p->terminal && p->phase)
		fputs(broken ? "\n" : "\r\033[K", stderr);
}

void progress_transfer(const struct transfer_progress *t, void *ctx)
{
	static const char *const phases[TRANSFER_PHASES] = { "copying", "comparing", "checking" };

	progress_tell(ctx, phases[t->phase], t->table, "rows", t->rows, t->total, t->fresh);
}
