#include "charset_aliases.h"

#include <maildesk/base/mem.h>

#include <string.h>

/* What mail calls it -> what iconv calls it. A trailing '*' matches any rest. Names are compared
 * without '-', '_', ' ' and '.', and without "x" or "cs" before them. A new alias is one row. */
static const struct alias {
	const char *name, *iconv_name;
} aliases[] = {
	{ "usascii", "UTF-8" },
	{ "ascii", "UTF-8" },
	{ "ansix34*", "UTF-8" },
	{ "646", "UTF-8" },
	{ "iso646us", "UTF-8" },
	{ "7bit", "UTF-8" },
	{ "8bit", "UTF-8" },
	{ "utf8*", "UTF-8" },
	{ "unicode11utf8", "UTF-8" },
	{ "iso88591", "WINDOWS-1252" },
	{ "iso885911*", "TIS-620" },
	{ "iso885910*", "ISO-8859-10" },
	{ "iso885913*", "ISO-8859-13" },
	{ "iso885914*", "ISO-8859-14" },
	{ "iso885915*", "ISO-8859-15" },
	{ "iso885916*", "ISO-8859-16" },
	{ "iso88591*", "WINDOWS-1252" },
	{ "iso88592*", "ISO-8859-2" },
	{ "iso88593*", "ISO-8859-3" },
	{ "iso88594*", "ISO-8859-4" },
	{ "iso88595*", "ISO-8859-5" },
	{ "iso88596*", "ISO-8859-6" },
	{ "iso88597*", "ISO-8859-7" },
	{ "iso88598*", "ISO-8859-8" },
	{ "iso88599*", "WINDOWS-1254" },
	{ "latin1", "WINDOWS-1252" },
	{ "latin2", "ISO-8859-2" },
	{ "latin5", "WINDOWS-1254" },
	{ "latin9", "ISO-8859-15" },
	{ "isolatin1", "WINDOWS-1252" },
	{ "isolatin2", "ISO-8859-2" },
	{ "isolatin5", "WINDOWS-1254" },
	{ "88591", "WINDOWS-1252" },
	{ "cyrillic", "ISO-8859-5" },
	{ "arabic", "ISO-8859-6" },
	{ "greek", "ISO-8859-7" },
	{ "hebrew", "ISO-8859-8" },
	{ "turkish", "WINDOWS-1254" },
	{ "l1", "WINDOWS-1252" },
	{ "ansi", "WINDOWS-1252" },
	{ "cp1252", "WINDOWS-1252" },
	{ "windows1250", "WINDOWS-1250" },
	{ "windows1251", "WINDOWS-1251" },
	{ "windows1252", "WINDOWS-1252" },
	{ "windows1253", "WINDOWS-1253" },
	{ "windows1254", "WINDOWS-1254" },
	{ "windows1255", "WINDOWS-1255" },
	{ "windows1256", "WINDOWS-1256" },
	{ "windows1257", "WINDOWS-1257" },
	{ "windows1258", "WINDOWS-1258" },
	{ "windows874", "WINDOWS-874" },
	{ "cp874", "WINDOWS-874" },
	{ "thai", "WINDOWS-874" },
	{ "cp1250", "WINDOWS-1250" },
	{ "cp1251", "WINDOWS-1251" },
	{ "win1251", "WINDOWS-1251" },
	{ "cp1253", "WINDOWS-1253" },
	{ "cp1254", "WINDOWS-1254" },
	{ "cp1255", "WINDOWS-1255" },
	{ "cp1256", "WINDOWS-1256" },
	{ "cp1257", "WINDOWS-1257" },
	{ "cp1258", "WINDOWS-1258" },
	{ "cp437", "CP437" },
	{ "ibm437", "CP437" },
	{ "cp850", "CP850" },
	{ "ibm850", "CP850" },
	{ "cp852", "CP852" },
	{ "cp866", "CP866" },
	{ "ibm866", "CP866" },
	{ "dos866", "CP866" },
	{ "koi8r", "KOI8-R" },
	{ "koi8", "KOI8-R" },
	{ "koi8ru", "KOI8-U" },
	{ "koi8u", "KOI8-U" },
	{ "macintosh", "MACINTOSH" },
	{ "macroman", "MACINTOSH" },
	{ "mac", "MACINTOSH" },
	{ "maccyrillic", "MAC-UK" },
	{ "macukrainian", "MAC-UK" },
	{ "macce", "MAC-CENTRALEUROPE" },
	{ "maccentraleurroman", "MAC-CENTRALEUROPE" },
	{ "tis620", "TIS-620" },
	{ "gb2312*", "GB18030" },
	{ "isogb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "cp936", "GB18030" },
	{ "ms936", "GB18030" },
	{ "windows936", "GB18030" },
	{ "euccn", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "hzgb2312", "HZ" },
	{ "big5hkscs", "BIG5-HKSCS" },
	{ "big5*", "BIG5-HKSCS" },
	{ "cnbig5", "BIG5-HKSCS" },
	{ "xxbig5", "BIG5-HKSCS" },
	{ "cp950", "BIG5-HKSCS" },
	{ "euctw", "EUC-TW" },
	{ "ksc5601*", "CP949" },
	{ "ksc56011987", "CP949" },
	{ "ksx1001", "CP949" },
	{ "euckr", "CP949" },
	{ "cp949", "CP949" },
	{ "ms949", "CP949" },
	{ "uhc", "CP949" },
	{ "korean", "CP949" },
	{ "windows949", "CP949" },
	{ "iso2022kr", "ISO-2022-KR" },
	{ "shiftjis*", "CP932" },
	{ "sjis*", "CP932" },
	{ "mskanji", "CP932" },
	{ "windows31j", "CP932" },
	{ "cp932", "CP932" },
	{ "ms932", "CP932" },
	{ "eucjp*", "EUC-JP-MS" },
	{ "eucpkdfmtjapanese", "EUC-JP-MS" },
	{ "iso2022jp*", "ISO-2022-JP" },
	{ "cp50220", "ISO-2022-JP" },
	{ "cp50221", "ISO-2022-JP" },
	{ "iso2022cn", "ISO-2022-CN" },
	{ "utf7", "UTF-7" },
	{ "unicode11utf7", "UTF-7" },
	{ "xunicode20utf7", "UTF-7" },
	{ "utf16", "UTF-16" },
	{ "utf16le", "UTF-16LE" },
	{ "utf16be", "UTF-16BE" },
	{ "unicode", "UTF-16" },
	{ "ucs2", "UTF-16" },
	{ "iso10646ucs2", "UTF-16" },
	{ "utf32", "UTF-32" },
	{ "utf32le", "UTF-32LE" },
	{ "utf32be", "UTF-32BE" },
	{ "viscii", "VISCII" },
	{ "tcvn", "TCVN" },
	{ "armscii8", "ARMSCII-8" },
	{ "georgianps", "GEORGIAN-PS" },
};

static void squeeze(struct span name, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n + 1 < room; i++) {
		char c = ascii_lower(name.p[i]);

		if (ascii_alnum(c))
			out[n++] = c;
	}
	out[n] = '\0';
}

static const char *look_up(const char *key)
{
	for (size_t i = 0; *key && i < MD_COUNT(aliases); i++) {
		size_t len = strlen(aliases[i].name);

		if (aliases[i].name[len - 1] == '*' ? strncmp(key, aliases[i].name, len - 1) == 0
						    : strcmp(key, aliases[i].name) == 0)
			return aliases[i].iconv_name;
	}
	return NULL;
}

/* The iconv name of a declared charset, NULL for none or one nobody knows. */
const char *charset_canonical(struct span name)
{
	char key[40];
	const char *found;

	squeeze(name, key, sizeof key);
	found = look_up(key);
	if (!found && key[0] == 'x') /* of before it was registered */
		found = look_up(key + 1);
	if (!found && strncmp(key, "cs", 2) == 0) /* the registry's own short names */
		found = look_up(key + 2);
	return found;
}

const char *charset_alias_target(size_t i)
{
	return i < MD_COUNT(aliases) ? aliases[i].iconv_name : NULL;
}
