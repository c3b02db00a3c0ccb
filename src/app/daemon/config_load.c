/* A configuration with all it names: what is looked at before it counts. */
#include <maildesk/app/config.h>
#include <maildesk/app/templates.h>

enum { PROBLEMS_MAX = 1 << 20 };

static int check_templates(const struct config *c, struct buf *errors, struct buf *warnings)
{
	md_auto(templates_free_p) struct templates *t = NULL;
	int rc = templates_load(c->desk.templates_dir, &t, errors, NULL);

	if (rc == MD_OK)
		rc = templates_check(t, errors, warnings, NULL);
	return rc == MD_OK && errors->len ? MD_INPUT : rc;
}

int config_load_all(const char *file, struct config **ret, struct buf *problems)
{
	md_auto(buf_done) struct buf found = BUF_INIT(PROBLEMS_MAX);
	md_auto(buf_done) struct buf warnings = BUF_INIT(PROBLEMS_MAX);
	md_auto(config_free_p) struct config *c = NULL;
	int rc = config_load(file, &c, &found);

	if (rc == MD_OK && *c->desk.templates_dir)
		rc = check_templates(c, problems, &warnings);
	buf_adds(problems, buf_str(&found));
	buf_adds(problems, buf_str(&warnings));
	if (rc == MD_OK)
		*ret = md_take(c);
	return rc;
}
