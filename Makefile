# maildesk - GNU make. Everything built lands in $(B); the source tree stays clean.
#
#	make		the daemon: $(B)/maildesk		make check	unit tests, no servers
#	make test	everything, on both engines		make demo	see it work
#	make deps	Debian packages that are missing	make lint	format, layers, static checks
#	make asan|tsan	the tests on a sanitised build		make sandbox	a private mail world to try things in
#	make fuzz	libFuzzer, FUZZ_SECONDS=30 a target	make bench	measure
#	make soak	the fault tests at full length	make deb|sbom	a Debian package; what is in the program
#	make reproducible	build twice, compare
#
# MODE=release|asan|tsan picks flags and folder; CC=clang works everywhere; WERROR=1 is what CI sets;
# V=1 shows the commands.
MODE    ?= release
B       ?= build$(if $(filter-out release,$(MODE)),/$(MODE))
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
WEB     ?= build/web
PYTHON  ?= /usr/bin/python3
VERSION := 0.1.0

say = $(if $(V),,@echo '  $(1)	$(2)';)

cc-option = $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')

CFLAGS_release := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	$(call cc-option,-fstack-clash-protection) $(call cc-option,-fcf-protection=full) \
	$(call cc-option,-ftrivial-auto-var-init=zero)
CFLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_fuzz := -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
	-fsanitize=fuzzer-no-link,address,undefined
CFLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wconversion \
	-Wvla -Wwrite-strings -Wundef $(if $(WERROR),-Werror)

# A sanitised program has so many globals that half of its start would be relocating them.
PIE := $(if $(filter asan tsan,$(MODE)),no-pie,pie)
# What was freed stays poisoned for so long; with ASan's own 256 MB a test touches a new page each time,
# which costs more than the test where pages are dear (virtual machines).
export ASAN_OPTIONS ?= quarantine_size_mb=8

CFLAGS ?= -g
# The same source makes the same bytes, wherever and whenever it is built (make reproducible).
override CFLAGS += -std=c17 -f$(PIE) -ffile-prefix-map=$(CURDIR)=. $(WARN) $(CFLAGS_$(MODE))
override CPPFLAGS += -D_GNU_SOURCE -DMAILDESK_VERSION='"$(VERSION)"' -Iinclude \
	-isystem /usr/include/libxml2 -isystem /usr/include/postgresql $(if $(HAVE_SYSTEMD),-DHAVE_SYSTEMD)
override LDFLAGS += -$(PIE) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
LDLIBS := -letpan -lcurl -lmicrohttpd -lseccomp -lsqlite3 -lpq -lzstd -lconfuse -lcmark -lical \
	-lxml2 -lz -lpcre2-8 -ljansson -lsodium -lgnutls -lresolv -lpthread $(if $(HAVE_SYSTEMD),-lsystemd)

# The layers, top first: each may include and call what stands to its right, nothing else may happen.
LAYERS := cmd app net store desk mail base
below = $(strip $(if $(2),$(if $(filter $(1),$(firstword $(2))),$(2),$(call below,$(1),$(wordlist 2,99,$(2))))))
objs  = $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard src/$(1)/*.c src/$(1)/*/*.c)))
libs  = $(foreach l,$(call below,$(1),$(LAYERS)),$(B)/lib$(l).a)

all: $(B)/maildesk

$(B)/maildesk: $(call objs,cmd) $(filter-out $(B)/libcmd.a,$(call libs,cmd))
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

define layer_rules
$(B)/lib$(1).a: $(call objs,$(1)) $(if $(filter base,$(1)),$(B)/obj/gen/embed.o)
	@mkdir -p $$(@D); rm -f $$@
	$$(call say,AR,$$@)$(AR) rcsD $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

NODE := $(and $(shell command -v node),$(shell command -v npm))
# Files that live inside the binary (include/maildesk/base/embed.h). They are looked for when the
# list is made, not when make starts: with `make web all` there is no console before that.
EMBED_FIND = find schema.sql src/store/steps templates $$(ls -d $(WEB)/dist 2>/dev/null) -type f
$(B)/gen/embed.list: FORCE | $(and $(filter web,$(MAKECMDGOALS)),$(NODE),$(WEB)/built)
	@mkdir -p $(@D)
	@cksum $$($(EMBED_FIND) | LC_ALL=C sort) > $@.part; cmp -s $@.part $@ && rm $@.part || mv $@.part $@
$(B)/gen/embed.c: $(B)/gen/embed.list
	@{ echo '#include <maildesk/base/embed.h>'; i=0; while read -r sum size f; do i=$$((i + 1)); \
	  printf '__asm__(".pushsection .rodata\\nembed_%d: .incbin \\"%s\\"\\n.byte 0\\n.popsection");\n' $$i $$f; \
	  echo "extern const char embed_$$i[];"; done < $<; \
	  echo 'const struct embed_file embed_files[] = {'; i=0; while read -r sum size f; do i=$$((i + 1)); \
	  echo "{ \"$${f#$(WEB)/}\", embed_$$i, $$size },"; done < $<; echo '{ 0 } };'; } > $@
$(B)/obj/gen/embed.o: $(B)/gen/embed.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
FORCE:

# The console (web/): where there is Node, `make web` puts it into $(WEB)/dist, and from there it
# goes into the binary. Without it the daemon is built all the same, and says so at /.
WEB_SOURCE := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
web: $(if $(NODE),$(WEB)/built)
	$(if $(NODE),,@echo 'make web: no node and npm here: the console is left out')
# npm's folder has to stand above the source that it is for: a copy of the tree in $(WEB).
$(WEB)/node_modules/.package-lock.json: web/package.json web/package-lock.json web/.npmrc
	@mkdir -p $(WEB)
	@cp web/package.json web/package-lock.json web/.npmrc $(WEB)/
	$(call say,NPM,$@)cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error >npm.log 2>&1 || \
		{ cat npm.log; exit 1; }
	@touch $@
$(WEB)/built: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCE)
	@rm -rf $(WEB)/src $(WEB)/dist
	@tar -C web --exclude=./node_modules -cf - . | tar -C $(WEB) -xf -
	$(call say,VITE,$@)cd $(WEB) && npm run -s build >vite.log 2>&1 || { cat vite.log; exit 1; }
	@cd $(WEB)/dist && gzip -9nk *.html *.svg assets/*.js assets/*.css
	@touch $@

# What tests of the API take from npm: a validator of its document and a client made of it.
CLIENT := build/client
$(CLIENT)/node_modules/.package-lock.json: $(addprefix tests/client/,package.json package-lock.json .npmrc)
	@mkdir -p $(CLIENT)
	@cp $^ $(CLIENT)/
	$(call say,NPM,$@)cd $(CLIENT) && npm ci --no-audit --no-fund --loglevel=error >npm.log 2>&1 || \
		{ cat npm.log; exit 1; }
	@touch $@
client: $(CLIENT)/node_modules/.package-lock.json
	@cp tests/client/*.mjs $(CLIENT)/

# Unit tests: tests/unit/<layer>/test_<module>.c sees its own layer and those below, as the module does.
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/*/test_*.c)))
define unit_rule
$(B)/unit/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $$^ -lcmocka $(LDLIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call unit_rule,$(l))))

# The sandbox's milter: no part of the product, found beside the binary.
$(B)/authmilter: $(B)/obj/tests/sandbox/authmilter.o
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lmilter -lpthread

check: $(UNIT)
	@tests/run-unit $(UNIT)

test: deps
	$(MAKE) web
	$(MAKE) all $(UNIT) $(B)/authmilter client
	@failed=0; export MAILDESK=$(abspath $(B)/maildesk) WEB=$(abspath $(WEB)); \
	tests/sandbox/postgres run tests/run-unit $(UNIT) || failed=1; \
	tests/run-integration || failed=1; \
	tests/web/run || failed=1; exit $$failed

demo:
	tests/deps $(if $(DEMO_DB),test,demo)
	$(MAKE) web || echo 'demo: without the console, which could not be built (above)'
	$(MAKE) all $(B)/authmilter
	MAILDESK=$(abspath $(B)/maildesk) tests/sandbox/demo $(if $(DEMO_EXIT),--exit) \
		$(if $(filter postgres,$(DEMO_DB)),--postgres)

sandbox: all $(B)/authmilter
	MAILDESK=$(abspath $(B)/maildesk) tests/sandbox/sandbox start $(or $(DIR),$(B)/sandbox)

asan:
	$(MAKE) MODE=asan test
# Data races: the unit tests of the layers that have threads, and the daemon at its main job. ASan and
# TSan cannot share a build.
THREADED := $(filter-out $(B)/unit/mail/% $(B)/unit/desk/%,$(UNIT))
tsan:
	$(MAKE) MODE=tsan races
races: all $(THREADED) $(B)/authmilter
	tests/run-unit $(THREADED)
	MAILDESK=$(abspath $(B)/maildesk) tests/run-integration integration/test_mail_to_ticket.py

lint:
	tests/lint

# Fuzz targets, FUZZ_SECONDS each, from the seeds in the tree and, if given, all files below SEEDS.
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(FUZZ): $(B)/%: $(B)/obj/tests/fuzz/%.o $(filter-out $(B)/libstore.a,$(call libs,app))
	$(call say,LINK,$@)$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)
fuzz:
	$(MAKE) MODE=fuzz CC=clang fuzz-run
fuzz-run: $(FUZZ)
	SEEDS='$(SEEDS)' tests/fuzz/run $(or $(FUZZ_SECONDS),30) $(FUZZ)

# The references that the benchmark measures the daemon against, found beside the binary.
BARE := $(patsubst tests/bench/%.c,$(B)/%,$(sort $(wildcard tests/bench/bare_*.c)))
$(BARE): $(B)/%: $(B)/obj/tests/bench/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -letpan -lsqlite3 -lcurl -lmicrohttpd -ljansson

# What a part of the daemon costs, measured from inside.
COST := $(patsubst tests/bench/%.c,$(B)/%,$(sort $(wildcard tests/bench/cost_*.c)))
$(COST): $(B)/%: $(B)/obj/tests/bench/%.o $(call libs,app)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# The fault tests at full length: hours.
soak: all $(B)/authmilter
	MAILDESK=$(abspath $(B)/maildesk) MAILDESK_SOAK=1 MAILDESK_KILLS=200 tests/run-integration faults

bench: all $(BARE) $(COST) $(B)/authmilter
	MAILDESK=$(abspath $(B)/maildesk) tests/bench/run $(if $(QUICK),--quick)

deps:
	tests/deps

# Pages and completions that the tables of the binary itself make.
$(B)/man/maildesk.1: man/maildesk.1.in $(B)/maildesk
	@mkdir -p $(@D); $(B)/maildesk completion --man > $@.part
	@sed -e '/^@COMMANDS@$$/{r $@.part' -e 'd}' $< > $@; rm $@.part
$(B)/man/maildesk-api.7: man/maildesk-api.7.in $(B)/maildesk
	@mkdir -p $(@D); $(B)/maildesk api --man > $@.part
	@sed -e '/^@ROUTES@$$/{r $@.part' -e 'd}' $< > $@; rm $@.part
$(B)/man/maildesk.conf.5: man/maildesk.conf.5.in $(B)/maildesk
	@mkdir -p $(@D); $(B)/maildesk check --man > $@.part
	@sed -e '/^@KEYS@$$/{r $@.part' -e 'd}' $< > $@; rm $@.part
SHELLS := bash zsh fish
$(addprefix $(B)/completion/maildesk.,$(SHELLS)): $(B)/completion/maildesk.%: $(B)/maildesk
	@mkdir -p $(@D); $(B)/maildesk completion $* > $@
MADE := $(B)/man/maildesk.1 $(B)/man/maildesk.conf.5 $(B)/man/maildesk-api.7 $(addprefix $(B)/completion/maildesk.,$(SHELLS))
MAN7 := $(sort $(wildcard man/*.7))
SHARE := $(DESTDIR)$(PREFIX)/share
# Debian's packages have a folder of their own for zsh.
ZSH := $(SHARE)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

install: all $(MADE)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)/lib/systemd/system $(DESTDIR)/usr/lib/sysusers.d
	install -m 755 $(B)/maildesk $(DESTDIR)$(PREFIX)/sbin/maildesk
	sed 's,@SBIN@,$(PREFIX)/sbin,' systemd/maildesk.service > $(DESTDIR)/lib/systemd/system/maildesk.service
	install -m 644 systemd/maildesk.socket $(DESTDIR)/lib/systemd/system/maildesk.socket
	install -m 644 systemd/maildesk.sysusers $(DESTDIR)/usr/lib/sysusers.d/maildesk.conf
	install -d $(DESTDIR)/usr/lib/tmpfiles.d
	install -m 644 systemd/maildesk.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/maildesk.conf
	install -d $(SHARE)/man/man1 $(SHARE)/man/man5 $(SHARE)/man/man7 $(ZSH) \
		$(SHARE)/bash-completion/completions $(SHARE)/fish/vendor_completions.d
	install -m 644 $(B)/man/maildesk.1 $(SHARE)/man/man1
	install -m 644 $(B)/man/maildesk.conf.5 $(SHARE)/man/man5
	install -m 644 $(MAN7) $(B)/man/maildesk-api.7 $(SHARE)/man/man7
	install -m 644 $(B)/completion/maildesk.bash $(SHARE)/bash-completion/completions/maildesk
	install -m 644 $(B)/completion/maildesk.zsh $(ZSH)/_maildesk
	install -m 644 $(B)/completion/maildesk.fish $(SHARE)/fish/vendor_completions.d/maildesk.fish
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/maildesk $(DESTDIR)/lib/systemd/system/maildesk.service \
		$(DESTDIR)/lib/systemd/system/maildesk.socket $(DESTDIR)/usr/lib/sysusers.d/maildesk.conf \
		$(DESTDIR)/usr/lib/tmpfiles.d/maildesk.conf \
		$(SHARE)/man/man1/maildesk.1 $(SHARE)/man/man5/maildesk.conf.5 $(ZSH)/_maildesk \
		$(SHARE)/bash-completion/completions/maildesk \
		$(SHARE)/fish/vendor_completions.d/maildesk.fish \
		$(addprefix $(SHARE)/man/man7/,$(notdir $(MAN7)) maildesk-api.7)

# The package is built in a copy, with the console that `make web` made: what dpkg writes beside a
# tree stays in build/. Cleaned first (no -nc), the console would be gone again.
DEB := $(B)/deb/maildesk-$(VERSION)
deb: web
	tests/deps deb
	rm -rf $(B)/deb
	mkdir -p $(DEB)/build
	tar --exclude=./build --exclude=./.git --exclude=./web/node_modules -cf - . | tar -C $(DEB) -xf -
	if [ -e $(WEB)/dist ]; then mkdir $(DEB)/build/web && cp -a $(WEB)/dist $(DEB)/build/web/; fi
	cd $(DEB) && dpkg-buildpackage -us -uc -b -nc
	[ ! -e $(WEB)/dist ] || grep -q $(WEB)/dist/index.html $(DEB)/build/gen/embed.list
	lintian --fail-on error,warning $(B)/deb/*.changes

sbom: all
	tests/sbom $(B)/maildesk $(VERSION) > $(B)/maildesk.cdx.json

# Of the console too, where it is built.
reproducible: all
	tests/reproducible $(B)/maildesk

clean:
	rm -rf build

.PHONY: deb sbom reproducible all web client check test demo sandbox asan tsan races lint fuzz fuzz-run soak bench deps install uninstall clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
