/* api_key.h - keys for programs, made outside the API (docs: POST /api-keys). */
#ifndef MAILDESK_APP_API_KEY_H
#define MAILDESK_APP_API_KEY_H

#include <maildesk/app/desk.h>
#include <maildesk/store/api_keys.h>

enum { API_KEY_TEXT_MAX = 60 };

/* Makes and stores one of k->user_id, name, created_at, expires_at and these scopes (parted by
 * commas or spaces); sets k->id. The text is shown once. MD_INPUT: a scope that is none. */
int api_key_make(struct db *db, struct random *random, const char *scopes, struct api_key *k,
		 char ret_text[API_KEY_TEXT_MAX], struct md_err *err);

#endif
