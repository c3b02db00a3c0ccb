/* html_elements.h - what the elements of HTML do to its text. */
#ifndef MAILDESK_MAIL_HTML_ELEMENTS_H
#define MAILDESK_MAIL_HTML_ELEMENTS_H

enum html_effect {
	HTML_BLOCK = 1 << 0,     /* on lines of its own */
	HTML_PARAGRAPH = 1 << 1, /* an empty line around it */
	HTML_SKIP = 1 << 2,      /* its content is no text */
	HTML_PRE = 1 << 3,
	HTML_QUOTE = 1 << 4,
	HTML_LIST = 1 << 5,
	HTML_ITEM = 1 << 6,
	HTML_CELL = 1 << 7,
	HTML_BREAK = 1 << 8,
	HTML_RULE = 1 << 9,
	HTML_LINK = 1 << 10,
};

/* Bits of enum html_effect; 0 for an element that is only text. */
unsigned html_effect_of(const char *name);

#endif
