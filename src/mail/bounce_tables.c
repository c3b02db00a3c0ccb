/* The words of mailers; a bounce format is one row in one or two of these tables. */
#include "bounce_tables.h"

#include <maildesk/base/mem.h>

static const char *const subjects[] = {
	"undeliver",
	"delivery status notification",
	"delivery failure",
	"delivery failed",
	"failure notice",
	"mail delivery failed",
	"mail delivery system",
	"returned mail",
	"mail system error",
	"mail could not be delivered",
	"could not send message",
	"delivery error",
	"delivery problem",
	"non-delivery",
	"nondeliverable",
	"message not delivered",
	"mail failure",
	"rejected mail",
	"returning message to sender",
	"unzustellbar",
	"mail delivery failure",
	"delivery has failed",
	"undelivered",
	"returned to sender",
	"error sending message",
	"message status - undeliverable",
	"no se puede entregar",
	"non remis",
	"mancata consegna",
	"deliver mail failed",
	"delivery report",
	"failed mail",
	"user unknown",
	"warning: could not send",
	"delivery status",
	"mail system error",
};
const struct bounce_words bounce_subjects = { MD_COUNT(subjects), subjects };

static const char *const senders[] = {
	"mailer-daemon", "postmaster",   "mail-daemon",  "mailerdaemon", "mdaemon",
	"mail delivery", "maildelivery", "mail-deliver", "<>",
};
const struct bounce_words bounce_senders = { MD_COUNT(senders), senders };

/* Only words that say that a mail did not arrive. */
static const char *const texts[] = {
	"could not be delivered",
	"couldn't be delivered",
	"cannot be delivered",
	"was not delivered",
	"undeliverable",
	"delivery to the following recipient",
	"unable to deliver",
	"wasn't able to deliver",
	"not able to deliver",
	"delivery failed",
	"delivery has failed",
	"user unknown",
	"unknown user",
	"no such user",
	"mailbox unavailable",
	"permanent fatal errors",
	"permanent error",
	"recipient address rejected",
	"mailbox full",
	"quota exceeded",
	"over quota",
	"does not exist",
	"failed recipient",
	"failed addresses",
	"not listed in",
	"message was rejected",
	"host unknown",
	"konnte nicht zugestellt",
	"could not deliver",
	"delivery error",
	"no mailbox",
	"mail is returned",
	"returned to sender",
	"undelivered message",
	"following address",
	"unrouteable",
	"did not reach",
};
const struct bounce_words bounce_texts = { MD_COUNT(texts), texts };

/* Lines behind which the mailer quotes the mail it gives back; with or without dashes before. */
static const char *const copies[] = {
	"below this line is a copy",
	"below is a copy",
	"this is a copy of",
	"original message",
	"returned message",
	"unsent message",
	"message header",
	"headers of the",
	"the header of the original",
	"received:",
	"return-path:",
	"forwarded message",
	"message follows",
	"headers follow",
	"text of the message",
	"message text follows",
	"included is a copy",
};
const struct bounce_words bounce_copies = { MD_COUNT(copies), copies };

static const char *const delays[] = {
	"not yet been delivered",
	"delivery attempts will continue",
	"will continue to try",
	"you do not need to resend",
	"no action is required on your part",
	"will keep trying",
	"still being retried",
	"delivery is delayed",
};
const struct bounce_words bounce_delays = { MD_COUNT(delays), delays };

/* Words that come right before the address in a sentence. */
static const char *const leads[] = {
	"delivering your mail to",
	"final delivery userid:",
	"rcpt to:",
	"recipient:",
	"delivery to the following recipient",
	"could not deliver message to",
	"user unknown:",
	"unknown user:",
	"your message to",
	"mail to",
	"message to",
	"delivered to",
	"recipient",
	"user",
	"mailbox",
	"address",
};
const struct bounce_words bounce_leads = { MD_COUNT(leads), leads };
