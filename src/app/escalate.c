#include "work_priv.h"
int work_escalate(struct work *w, struct md_err *err){(void)w;(void)err;return MD_OK;}
