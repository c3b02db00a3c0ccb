#include "mail_test.h"

#include "../../safe_html.h"

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/html.h>
#include <maildesk/mail/sanitize.h>

#define APART " rel=\"noopener noreferrer nofollow\" target=\"_blank\""

struct page {
	const char *in, *want;
};

/* clang-format off */
static const struct page attacks[] = {
	{ "<script>alert(1)</script>a",
	  "a" },
	{ "<SCRIPT SRC=//evil.example/x.js></SCRIPT>a",
	  "a" },
	{ "<scr<script>ipt>alert(1)</scr</script>ipt>",
	  "ipt&gt;alert(1)ipt&gt;" },
	{ "<script>a</script ><img src=x onerror=alert(1)>b",
	  "<img>b" },
	{ "<script>never closed <b>a</b>",
	  "" },
	{ "<script/src=data:,alert(1)>",
	  "" },
	{ "<style>@import url(//evil.example/x.css);</style>a",
	  "a" },
	{ "<style><img src=\"</style><img src=x onerror=alert(1)//\">",
	  "<img>" },
	{ "<style>*{background:url(javascript:alert(1))}</style>a",
	  "a" },
	{ "<link rel=stylesheet href=//evil.example/x.css>a",
	  "a" },
	{ "<base href=//evil.example/><a href=x>a</a>",
	  "<a>a</a>" },
	{ "<meta http-equiv=refresh content=\"0;url=//evil.example\">a",
	  "a" },
	{ "<iframe src=javascript:alert(1)></iframe>a",
	  "a" },
	{ "<iframe srcdoc=\"&lt;script>alert(1)&lt;/script>\">b</iframe>a",
	  "a" },
	{ "<object data=javascript:alert(1)></object>a",
	  "a" },
	{ "<embed src=//evil.example/x.swf>a",
	  "a" },
	{ "<applet code=x></applet>a",
	  "a" },
	{ "<frameset><frame src=javascript:alert(1)></frameset>a",
	  "a" },
	{ "<form action=//evil.example><input name=password><button>a</button></form>",
	  "a" },
	{ "<form><button formaction=javascript:alert(1)>a</button></form>",
	  "a" },
	{ "<isindex type=image src=1 onerror=alert(1)>a",
	  "a" },
	{ "<textarea><script>alert(1)</script></textarea>a",
	  "a" },
	{ "<textarea></textarea><img src=x onerror=alert(1)>a",
	  "<img>a" },
	{ "<select><option><style></option></select><img src=x onerror=alert(1)></style>a",
	  "" },
	{ "<title><img src=x onerror=alert(1)></title>a",
	  "a" },
	{ "<title></title><img src=x onerror=alert(1)>a",
	  "<img>a" },
	{ "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">a",
	  "<p title=\"&lt;/noscript&gt;&lt;img src=x onerror=alert(1)&gt;\">a</p>" },
	{ "<xmp><img src=x onerror=alert(1)></xmp>a",
	  "a" },
	{ "<plaintext><img src=x onerror=alert(1)>",
	  "" },
	{ "<template><img src=x onerror=alert(1)></template>a",
	  "a" },
	{ "<svg onload=alert(1)></svg>a",
	  "a" },
	{ "<svg><script>alert(1)</script></svg>a",
	  "a" },
	{ "<svg><style><img src=\"</style><img src=x onerror=alert(1)//\"></style></svg>a",
	  "a" },
	{ "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>a",
	  "a" },
	{ "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>a",
	  "a" },
	{ "<svg><use href=\"data:image/svg+xml,x#y\"/></svg>a",
	  "a" },
	{ "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>a",
	  "a" },
	{ "<math href=\"javascript:alert(1)\">x</math>a",
	  "a" },
	{ "<video src=x onerror=alert(1)></video>a",
	  "a" },
	{ "<audio src=//evil.example/x.mp3 autoplay></audio>a",
	  "a" },
	{ "<canvas id=x></canvas>a",
	  "a" },
	{ "<details open ontoggle=alert(1)>a</details>",
	  "a" },
	{ "<marquee onstart=alert(1)>a</marquee>",
	  "a" },
	{ "<body onload=alert(1) background=javascript:alert(1)>a",
	  "a" },
	{ "<img src=x onerror=alert(1)>",
	  "<img>" },
	{ "<img src=x onerror=\"alert(1)\" ONLOAD=alert(1) oNmOuSeOvEr=alert(1)>",
	  "<img>" },
	{ "<img/src=x/onerror=alert(1)>",
	  "<img>" },
	{ "<img \"\"\"><script>alert(1)</script>\">",
	  "<img>&quot;&gt;" },
	{ "<img src=\"x` `<script>alert(1)</script>\"` `>",
	  "<img>" },
	{ "<b onclick=\"alert(1)\" onclick='alert(2)'>a</b>",
	  "<b>a</b>" },
	{ "<b/onclick=alert(1)//>a</b>",
	  "<b></b>a" },
	{ "<b autofocus tabindex=1 onfocus=alert(1)>a</b>",
	  "<b>a</b>" },
	{ "<b contenteditable onblur=alert(1)>a</b>",
	  "<b>a</b>" },
	{ "<p data-x=1 id=location name=cookie class=hidden>a</p>",
	  "<p>a</p>" },
	{ "<a href=\"javascript:alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"JaVaScRiPt:alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\" javascript:alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"java&#9;script:alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"java&#10;script:alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"&#1;javascript:alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"&#106;&#97;&#118;&#97;script&#58;alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"&#x6a;avascript&colon;alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"javascript&#0000058alert(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"vbscript:msgbox(1)\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"data:text/html,<script>alert(1)</script>\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"data:text/html;base64,PHNjcmlwdD4=\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"file:///etc/passwd\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"blob:https://x.example/1\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"cid:part1\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"x:y\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"/api/v1/auth/logout\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"?x=1\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"#top\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"http:\">a</a>",
	  "<a>a</a>" },
	{ "<a href=\"https://x.example/\" onclick=alert(1) target=_top rel=opener ping=//evil.example download>a</a>",
	  "<a href=\"https://x.example/\"" APART ">a</a>" },
	{ "<a href='https://x.example/\"><script>alert(1)</script>'>a</a>",
	  "<a href=\"https://x.example/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\"" APART ">a</a>" },
	{ "<a href=\"https://x.example/?a=1&b=2\">a</a>",
	  "<a href=\"https://x.example/?a=1&amp;b=2\"" APART ">a</a>" },
	{ "<img src=\"javascript:alert(1)\">",
	  "<img>" },
	{ "<img src=\"data:image/svg+xml,<svg onload=alert(1)>\">",
	  "<img>" },
	{ "<img src=\"data:image/png;base64,iVBORw0KGgo=\">",
	  "<img>" },
	{ "<img src=\"https://evil.example/pixel.gif\">",
	  "<img data-src=\"https://evil.example/pixel.gif\">" },
	{ "<img src=\"//evil.example/pixel.gif\">",
	  "<img data-src=\"https://evil.example/pixel.gif\">" },
	{ "<img src=\"/logo.png\">",
	  "<img>" },
	{ "<img src=x srcset=\"//evil.example/x 2x\" lowsrc=//evil.example/y dynsrc=//evil.example/z>",
	  "<img>" },
	{ "<img src=\"cid:a@b\" usemap=#m ismap longdesc=//evil.example>",
	  "<img src=\"cid:a@b\">" },
	{ "<input type=image src=//evil.example/x>a",
	  "a" },
	{ "<table background=//evil.example/x.png><tr><td background=//evil.example/y.png>a</table>",
	  "<table><tr><td>a</td></tr></table>" },
	{ "<p style=\"background:url(//evil.example/x.png)\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"background:u\\72l(//evil.example/x.png)\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"background-image:url('cid:x')\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"color:expression(alert(1))\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"color:red/**/;behavior:url(x.htc)\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"-moz-binding:url(//evil.example/x.xml#y)\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"position:fixed;top:0;left:0;width:100%;z-index:99999\">a</p>",
	  "<p style=\"width:100%\">a</p>" },
	{ "<p style=\"margin-top:-500px;text-indent:-.5em;padding:4px\">a</p>",
	  "<p style=\"padding:4px\">a</p>" },
	{ "<p style=\"content:'x';cursor:url(x),auto;animation:x 1s;transform:scale(9);opacity:0\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"font-family:'a;color:red}body{display:none'\">a</p>",
	  "<p>a</p>" },
	{ "<p style='font-family:\"x&quot;;position:fixed;color:red'>a</p>",
	  "<p style=\"font-family:&quot;x&quot;;color:red\">a</p>" },
	{ "<p style=\"width:calc(100% * 9);color:var(--x);color:rgb(1,2,3)\">a</p>",
	  "<p style=\"color:rgb(1,2,3)\">a</p>" },
	{ "<p style=\"@import '//evil.example'\">a</p>",
	  "<p>a</p>" },
	{ "<p style=\"color:red;}</style><script>alert(1)</script>\">a</p>",
	  "<p style=\"color:red\">a</p>" },
	{ "<!--<img src=\"--><img src=x onerror=alert(1)//\">a",
	  "<img>a" },
	{ "<!--[if IE]><script>alert(1)</script><![endif]-->a",
	  "a" },
	{ "<!--><img src=x onerror=alert(1)>-->a",
	  "a" },
	{ "<![CDATA[<img src=x onerror=alert(1)>]]>a",
	  "&lt;![CDATA[<img>]]&gt;a" },
	{ "<?xml version=\"1.0\"?><?php echo 1 ?>a",
	  "a" },
	{ "<!DOCTYPE html [<!ENTITY x \"<script>\">]>&x;a",
	  "&quot;&gt;]&gt;&amp;x;a" },
	{ "<x:script xmlns:x=\"http://www.w3.org/1999/xhtml\">alert(1)</x:script>a",
	  "alert(1)a" },
	{ "<custom-element is=x>a</custom-element>",
	  "a" },
	{ "&lt;script&gt;alert(1)&lt;/script&gt;",
	  "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "<<script>alert(1)//<</script>a",
	  "&lt;a" },
	{ "<b title=\"&quot;><script>alert(1)</script>\">a</b>",
	  "<b title=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">a</b>" },
	{ "<b title='<!--'>a</b>",
	  "<b title=\"&lt;!--\">a</b>" },
	{ "<p lang=\"en' onload='x\" dir=\"ltr\">a</p>",
	  "<p dir=\"ltr\">a</p>" },
	{ "<td colspan=99999999 width=1e9 height=100% align=\"x y\">a</td>",
	  "<td height=\"100%\">a</td>" },
	{ "<font color=\"red;x:expression(1)\" size=+2 face=\"a(b)\">a</font>",
	  "<font size=\"+2\">a</font>" },
	{ "<font color=#ff0000 face=\"Arial, 'Comic Sans'\">a</font>",
	  "<font color=\"#ff0000\" face=\"Arial, &#39;Comic Sans&#39;\">a</font>" },
};
static const struct page harmless[] = {
	{ "<p>one</p><p>two <b>bold</b> <i>slanted</i></p>",
	  "<p>one</p><p>two <b>bold</b> <i>slanted</i></p>" },
	{ "plain & <simple>",
	  "plain &amp; " },
	{ "never <b>closed",
	  "never <b>closed</b>" },
	{ "</b></p>closed only",
	  "closed only" },
	{ "<ul><li>a<li>b</ul>",
	  "<ul><li>a</li><li>b</li></ul>" },
	{ "<ol start=3 type=a><li value=5>a</ol>",
	  "<ol start=\"3\" type=\"a\"><li value=\"5\">a</li></ol>" },
	{ "<table border=1 cellpadding=2><tr><td colspan=2 bgcolor=#eeeeee>a</td></tr></table>",
	  "<table border=\"1\" cellpadding=\"2\"><tr><td colspan=\"2\" bgcolor=\"#eeeeee\">a</td></tr></table>" },
	{ "a<br>b<hr>",
	  "a<br>b<hr>" },
	{ "<blockquote type=cite>a</blockquote>",
	  "<blockquote>a</blockquote>" },
	{ "<h1 align=center>a</h1>",
	  "<h1 align=\"center\">a</h1>" },
	{ "<a href=\"mailto:a@b.example?subject=x y\">a</a>",
	  "<a href=\"mailto:a@b.example?subject=x%20y\"" APART ">a</a>" },
	{ "<a href=\"tel:+431234\">a</a>",
	  "<a href=\"tel:+431234\"" APART ">a</a>" },
	{ "<img src=\"cid:logo@x\" alt=\"the 'logo'\" width=40 height=20>",
	  "<img src=\"cid:logo@x\" alt=\"the &#39;logo&#39;\" width=\"40\" height=\"20\">" },
	{ "<span style=\"color:#333; FONT-WEIGHT : bold !important;font-family:Arial, 'Segoe UI'\">a</span>",
	  "<span style=\"color:#333;FONT-WEIGHT:bold !important;font-family:Arial, &#39;Segoe UI&#39;\">a</span>" },
	{ "<span style=\"background:rgb(1, 2, 3);border:1px solid #ccc;line-height:1.5\">a</span>",
	  "<span style=\"background:rgb(1, 2, 3);border:1px solid #ccc;line-height:1.5\">a</span>" },
	{ "<p title=\"\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac &#128512;\">\xc3\x9f&nbsp;\xe6\xbc\xa2</p>",
	  "<p title=\"\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80\">\xc3\x9f\xc2\xa0\xe6\xbc\xa2</p>" },
	{ "<pre>a\n  b</pre>",
	  "<pre>a\n  b</pre>" },
	{ "<html><head><title>t</title><style>p{}</style></head><body bgcolor=red><div>a</div></body></html>",
	  "<div>a</div>" },
};
/* clang-format on */

static void sanitize_to(struct span in, struct buf *out)
{
	html_prepare();
	assert_true(html_sanitize(in, out));
	assert_int_equal(out->status, MD_OK);
	assert_true(safe_html((struct span){ buf_str(out), out->len }));
}

static void check_pages(const struct page *pages, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(10000);

		sanitize_to(span_of(pages[i].in), &out);
		assert_string_equal(buf_str(&out), pages[i].want);
	}
}

static void attacks_come_to_nothing(void **state)
{
	(void)state;
	assert_true(MD_COUNT(attacks) >= 80);
	check_pages(attacks, MD_COUNT(attacks));
}

static void harmless_html_stays(void **state)
{
	(void)state;
	check_pages(harmless, MD_COUNT(harmless));
}

/* An oracle that lets everything pass proves nothing. */
static void oracle_refuses(void **state)
{
	static const char *const unsafe[] = {
		"<b>",
		"</b>",
		"<b></i>",
		"<script></script>",
		"a > b",
		"<b onclick=\"x\"></b>",
		"<a href=\"javascript:x\"></a>",
		"<img src=\"https://x.example/\">",
		"<p style=\"background:url(x)\"></p>",
		"<p title=x></p>",
		"<p title=\"<\"></p>",
		"<!---->",
		"<b",
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(unsafe); i++)
		assert_false(safe_html(span_of(unsafe[i])));
}

/* Wherever the ceiling falls, the result is whole and no longer than it. */
static void ends_whole_at_its_ceiling(void **state)
{
	const char *in = "<div><table><tr><td title='&amp;&amp;&amp;'>&lt;\xe2\x82\xac<br>abc"
			 "<a href='https://x.example/'>link</a></table><p>end";
	const char *whole =
		"<div><table><tr><td title=\"&amp;&amp;&amp;\">&lt;\xe2\x82\xac<br>abc<a "
		"href=\"https://x.example/\"" APART ">link</a></td></tr></table><p>end</p></div>";
	size_t last = 0;

	(void)state;
	for (size_t max = 0; max < 300; max++) {
		md_auto(buf_done) struct buf out = BUF_INIT(max);

		sanitize_to(span_of(in), &out);
		assert_true(out.len <= max && out.len + 60 >= last);
		assert_true(utf8_valid(buf_str(&out), out.len));
		last = out.len > last ? out.len : last;
	}
	assert_true(last == strlen(whole));
}

static void bounds_depth_and_keeps_text(void **state)
{
	md_auto(buf_done) struct buf in = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20);

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_adds(&in, i % 300 == 200 ? "<svg>" : "<div>");
	buf_adds(&in, "at the bottom<img src=x onerror=alert(1)>");
	sanitize_to((struct span){ in.data, in.len }, &out);
	assert_non_null(strstr(buf_str(&out), "at the bottom"));
	assert_null(strstr(buf_str(&out), "onerror"));
}

/* A tag with more attributes than anybody writes ends the markup, in time. */
static void stops_at_a_heap_of_attributes(void **state)
{
	md_auto(buf_done) struct buf in = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20);

	(void)state;
	buf_adds(&in, "<b>before</b><p");
	for (int i = 0; i < 200000; i++)
		buf_addf(&in, " a%d=1", i);
	buf_adds(&in, ">behind <i onclick=x>it</i>");
	sanitize_to((struct span){ in.data, in.len }, &out);
	assert_string_equal(buf_str(&out), "<b>before</b>behind it");
}

static void gives_the_html_of_a_mail(void **state)
{
	static const struct {
		const char *mail, *want;
	} mails[] = {
		{ "Content-Type: multipart/alternative; boundary=x\r\n\r\n"
		  "--x\r\nContent-Type: text/plain\r\n\r\nHi\r\n"
		  "--x\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		  "<p onclick=3Dx>H=E4<script>x</script></p>\r\n--x--\r\n",
		  "<p>H\xc3\xa4</p>" },
		{ "Content-Type: text/plain\r\n\r\n<b>Hi</b>\r\n", NULL },
	};

	(void)state;
	message_read_prepare();
	for (size_t i = 0; i < MD_COUNT(mails); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		struct message m;

		assert_int_equal(message_read((const uint8_t *)mails[i].mail, strlen(mails[i].mail),
					      &a, &m, NULL),
				 MD_OK);
		assert_int_equal(message_make_safe_html(&m, &a, NULL), MD_OK);
		assert_same(m.safe_html, mails[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attacks_come_to_nothing),
		cmocka_unit_test(harmless_html_stays),
		cmocka_unit_test(oracle_refuses),
		cmocka_unit_test(ends_whole_at_its_ceiling),
		cmocka_unit_test(bounds_depth_and_keeps_text),
		cmocka_unit_test(stops_at_a_heap_of_attributes),
		cmocka_unit_test(gives_the_html_of_a_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
