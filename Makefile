# libenvelope: everything is built under build/, never in the tree.
#
#   make                 the library, the command and the plugins
#   make demo            install what is missing, build, and run the main job
#   make check           install what is missing, build, run every test
#   make install         honours DESTDIR, PREFIX and LIBDIR
#   make BUILD=asan      the same under sanitizers (release debug asan tsan cover)
#   make unit            build and run the unit tests of this BUILD
#   make CC=clang        builds under build/clang-release
#   make V=1             show the commands

VERSION := 0.1.0
SOVERSION := 0
SONAME  := libenvelope.so.$(SOVERSION)

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
MANDIR  ?= $(PREFIX)/share/man
PLUGDIR ?= $(LIBDIR)/envelope

BUILD ?= release
OUT   ?= build/$(if $(filter clang%,$(CC)),clang-)$(BUILD)

# ---- compiler -----------------------------------------------------------

PKG_CONFIG ?= pkg-config
WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion \
        -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
        -Wcast-qual -Wwrite-strings
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIC \
          -fvisibility=hidden

FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g -fsanitize=address,undefined \
                 -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
FLAGS_cover   := -O0 -g --coverage
FLAGS_fuzz    := $(FLAGS_asan) -fsanitize=fuzzer-no-link
ifndef FLAGS_$(BUILD)
$(error BUILD must be one of release debug asan tsan cover fuzz, not "$(BUILD)")
endif

CPPFLAGS += -Iinclude -Ilibenvelope -D_GNU_SOURCE -MMD -MP \
            -DPLUGDIR='"$(PLUGDIR)"'
CFLAGS   += -std=c17 $(WARN) $(HARDEN) $(FLAGS_$(BUILD))
LDFLAGS  += -Wl,-z,relro,-z,now -Wl,--as-needed $(FLAGS_$(BUILD))

CORE_PKGS := libcrypto libsodium jansson
CORE_LIBS := $(shell $(PKG_CONFIG) --libs $(CORE_PKGS) 2>/dev/null) -lpthread
TEST_LIBS := -lcmocka

# ---- what there is ------------------------------------------------------

LIB_SRC    := $(sort $(wildcard libenvelope/*/*.c))
ENGINE_SRC := $(sort $(wildcard migrators/engine/*.c))
COMMON_SRC := $(sort $(wildcard migrators/common/*.c))
CLI_SRC    := $(sort $(wildcard cli/*.c))
UNIT_SRC   := $(sort $(wildcard tests/unit/test_*.c))
SUPPORT_SRC := $(sort $(wildcard tests/support/*.c))
# Providers that need a library of their own; http is shared by some of them.
PROVIDERS  := $(filter-out http,$(sort $(patsubst libenvelope/provider/%/,%,\
              $(dir $(wildcard libenvelope/provider/*/*.c)))))
PLUGINS    := $(filter-out engine,$(sort $(patsubst \
              migrators/%/plugin.c,%,$(wildcard migrators/*/plugin.c))))

obj      = $(patsubst %.c,$(OUT)/%.o,$(1))
UNITS   := $(patsubst %.c,$(OUT)/%,$(UNIT_SRC))
PLUG_SO := $(PLUGINS:%=$(OUT)/envl-migrator-%.so)
PROV_SO := $(PROVIDERS:%=$(OUT)/envl-provider-%.so)

SO      := $(OUT)/$(SONAME)
ARCHIVE := $(OUT)/libenvelope.a
ENGINE  := $(OUT)/libengine.a
COMMON  := $(OUT)/libcommon.a
SUPPORT := $(OUT)/libsupport.a
BIN     := $(OUT)/envelope

Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$@';)

.PHONY: all
all: $(SO) $(ARCHIVE) $(PLUG_SO) $(PROV_SO) $(if $(CLI_SRC),$(BIN))

# ---- how it is built ----------------------------------------------------

$(OUT)/%.o: %.c Makefile
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/cli/%.o $(OUT)/migrators/%.o $(OUT)/tests/%.o: CPPFLAGS += -Imigrators
$(OUT)/migrators/postgres/%.o: CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libpq 2>/dev/null)
# Their headers do not stand up to our warnings.
MONGO_CPP := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags \
             libmongoc-1.0 2>/dev/null))
$(OUT)/migrators/mongo/%.o $(OUT)/tests/mongo/%.o \
$(OUT)/tests/fuzz/fuzz_bson_leaf.o: CPPFLAGS += $(MONGO_CPP)

$(SO): $(call obj,$(LIB_SRC)) libenvelope/libenvelope.map
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) \
	    -Wl,--version-script,libenvelope/libenvelope.map \
	    $(LDFLAGS) -o $@ $(call obj,$(LIB_SRC)) $(CORE_LIBS)
	$(Q)ln -sf $(SONAME) $(OUT)/libenvelope.so

$(ARCHIVE): $(call obj,$(LIB_SRC))
$(ENGINE): $(call obj,$(ENGINE_SRC))
$(COMMON): $(call obj,$(COMMON_SRC))
$(SUPPORT): $(call obj,$(SUPPORT_SRC))
$(ARCHIVE) $(ENGINE) $(COMMON) $(SUPPORT):
	$(call say,AR)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

# The command holds the library itself, so that it starts fast and no other
# libenvelope.so can take its place.
$(BIN): $(call obj,$(CLI_SRC)) $(ENGINE) $(COMMON) $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(CORE_LIBS) -ldl

# A plugin lists the libraries it needs as PLUGIN_LIBS_name; it exports one
# symbol and hides the rest.
PLUGIN_LIBS_sqlite   = $(shell $(PKG_CONFIG) --libs sqlite3)
PLUGIN_LIBS_postgres = $(shell $(PKG_CONFIG) --libs libpq)
PLUGIN_LIBS_mongo    = $(shell $(PKG_CONFIG) --libs libmongoc-1.0) -lm

.SECONDEXPANSION:
$(PLUG_SO): $(OUT)/envl-migrator-%.so: \
    $$(call obj,$$(sort $$(wildcard migrators/$$*/*.c))) $(COMMON) $(ARCHIVE) \
    migrators/plugin.map
	$(call say,LD)
	$(Q)$(CC) -shared $(LDFLAGS) -Wl,--version-script,migrators/plugin.map \
	    -o $@ $(filter %.o,$^) $(COMMON) $(ARCHIVE) $(PLUGIN_LIBS_$*) \
	    $(CORE_LIBS)

# A provider module: its own folder, those of PROVIDER_WITH_name, and the
# library's archive; it lists what else it needs as PROVIDER_LIBS_name.
PROVIDER_WITH_vault  = http
PROVIDER_LIBS_vault  = $(shell $(PKG_CONFIG) --libs libcurl libssl)
PROVIDER_WITH_aws    = http
PROVIDER_LIBS_aws    = $(PROVIDER_LIBS_vault)
PROVIDER_LIBS_pkcs11 = $(shell $(PKG_CONFIG) --libs p11-kit-1)

$(OUT)/libenvelope/provider/http/%.o: CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libcurl 2>/dev/null)
$(OUT)/libenvelope/provider/pkcs11/%.o: CPPFLAGS += $(shell $(PKG_CONFIG) --cflags p11-kit-1 2>/dev/null)

$(PROV_SO): $(OUT)/envl-provider-%.so: \
    $$(call obj,$$(sort $$(foreach d,$$* $$(PROVIDER_WITH_$$*),\
    $$(wildcard libenvelope/provider/$$d/*.c)))) $(ARCHIVE) \
    libenvelope/provider/module.map
	$(call say,LD)
	$(Q)$(CC) -shared $(LDFLAGS) \
	    -Wl,--version-script,libenvelope/provider/module.map \
	    -o $@ $(filter %.o,$^) $(ARCHIVE) $(PROVIDER_LIBS_$*) $(CORE_LIBS)

# Tests link the archives, so that they reach what the library hides.
$(UNITS): $(OUT)/%: $(OUT)/%.o $(SUPPORT) $(ENGINE) $(COMMON) $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) $(WRAP_$(notdir $*)) -o $@ \
	    $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBS) \
	    $(LIBS_$(notdir $*)) $(CORE_LIBS) -ldl

# Parts of the provider modules, which are in no archive.
$(OUT)/tests/unit/test_provider_http: $(call obj,\
    $(wildcard libenvelope/provider/http/*.c) libenvelope/provider/aws/ini.c)
LIBS_test_provider_http = $(PROVIDER_LIBS_vault)
WRAP_test_provider_http := -Wl,--wrap=clock_monotonic_ms

# The salt of a seal is injected in tests at link time only.
WRAP_test_known_answers := -Wl,--wrap=random_fill
WRAP_test_transform := -Wl,--wrap=envl_seal_batch
WRAP_test_engine_memory := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
WRAP_test_spec_vectors := -Wl,--wrap=random_fill
WRAP_test_bson := -Wl,--wrap=random_fill
WRAP_test_gcm := $(foreach f,EVP_CIPHER_CTX_new EVP_CipherInit_ex2 \
    EVP_CipherUpdate EVP_CipherFinal_ex EVP_CIPHER_CTX_ctrl \
    sodium_once_aes,-Wl,--wrap=$(f))
WRAP_test_residue := -Wl,--wrap=random_fill
WRAP_test_keyring_memory := $(foreach f,malloc calloc realloc aligned_alloc \
    strdup sodium_malloc,-Wl,--wrap=$(f))
# Each call on a file fails in turn, or kills the process.
WRAP_test_keyring_fault := $(foreach f,openat __openat_2 write read fsync \
    fchmod flock close renameat renameat2,-Wl,--wrap=$(f))
WRAP_test_random := -Wl,--wrap=getrandom
WRAP_test_memory := $(foreach f,malloc calloc aligned_alloc sodium_malloc,\
    -Wl,--wrap=$(f))

# What the loader of provider modules is tested with.
FAKE_PROVIDERS := $(patsubst tests/modules/%.c,$(OUT)/tests/modules/%.so,\
                  $(wildcard tests/modules/*.c))
$(FAKE_PROVIDERS): $(OUT)/%.so: $(OUT)/%.o $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) -shared $(LDFLAGS) -Wl,--exclude-libs,ALL -o $@ $^ $(CORE_LIBS)
$(OUT)/tests/unit/test_provider_module: $(FAKE_PROVIDERS)
$(OUT)/tests/unit/test_pkcs11: $(FAKE_PROVIDERS) $(OUT)/envl-provider-pkcs11.so
$(OUT)/tests/modules/p11_shim.o $(OUT)/tests/unit/test_pkcs11.o: \
    CPPFLAGS += $(shell $(PKG_CONFIG) --cflags p11-kit-1 2>/dev/null)

.PHONY: unit unit-build print-units
unit-build: $(UNITS)
print-units:
	@echo $(UNITS)
# Those whose subject is what threads share.
TSAN := $(patsubst %,$(OUT)/tests/unit/test_%,threads keyring_view \
        keyring_watch keyring_race sweep steer)
.PHONY: tsan-build print-tsan
tsan-build: $(TSAN)
print-tsan:
	@echo $(TSAN)

unit: $(UNITS)
	$(Q)for t in $^; do $(RUN) $$t || exit 1; done

# The SQLite plugin's own tests drive its table of functions.
SQLITE_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/sqlite/test_*.c))
SQLITE_OBJ   := $(call obj,$(wildcard migrators/sqlite/*.c))
SQLITE_BENCH := $(OUT)/tests/bench/bench_sqlite
$(SQLITE_TESTS): $(OUT)/tests/sqlite/rig.o
$(SQLITE_TESTS) $(SQLITE_BENCH): $(OUT)/%: $(OUT)/%.o $(SQLITE_OBJ) \
    $(COMMON) $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(COMMON) $(ARCHIVE) \
	    $(TEST_LIBS) $(PLUGIN_LIBS_sqlite) $(CORE_LIBS)

# A page of rows beside the library's own batch calls.
TRANSFORM_BENCH := $(OUT)/tests/bench/bench_transform
$(TRANSFORM_BENCH): $(OUT)/%: $(OUT)/%.o $(ENGINE) $(COMMON) $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

.PHONY: check-sqlite
check-sqlite: $(SQLITE_TESTS)
	$(Q)for t in $^; do $(RUN) $$t || exit 1; done

# Fuzz targets, each with replay.o as its main, which runs seeds and changed
# copies of them; with BUILD=fuzz CC=clang libFuzzer takes its place.
FUZZERS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(FUZZERS): $(OUT)/%: $(OUT)/%.o $(ENGINE) $(COMMON) $(ARCHIVE) \
    $(if $(filter fuzz,$(BUILD)),,$(OUT)/tests/fuzz/replay.o)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) $(if $(filter fuzz,$(BUILD)),-fsanitize=fuzzer) \
	    -o $@ $(filter %.o,$^) $(ENGINE) $(COMMON) $(ARCHIVE) \
	    $(FUZZ_LIBS_$(notdir $*)) $(CORE_LIBS)
FUZZ_BSON := $(OUT)/tests/fuzz/fuzz_bson_leaf
FUZZ_LIBS_fuzz_bson_leaf = $(PLUGIN_LIBS_mongo)
$(FUZZ_BSON): $(call obj,$(patsubst %,migrators/mongo/%.c,cell ident leaf))

.PHONY: fuzz-build fuzz-run fuzz-replay
fuzz-build: $(FUZZERS)
fuzz-run: $(FUZZERS)
	$(Q)n=0; for f in $^; do \
	    $$f $$(find tests/fuzz/corpus/$$(basename $$f) -type f 2>/dev/null | sort) \
	        || { echo "FAIL $$f"; exit 1; }; n=$$((n + 1)); \
	done; echo "fuzz: $$n passed, 0 failed, 0 skipped"
fuzz-replay:
	$(Q)$(MAKE) --no-print-directory BUILD=asan fuzz-run

# What values and streams cost beside their primitives; tests/bench.
BENCHES := $(OUT)/tests/bench/bench_values $(OUT)/tests/bench/bench_streams

$(BENCHES): $(OUT)/%: $(OUT)/%.o $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

.PHONY: bench
bench: $(BENCHES)
	$(Q)for b in $^; do $$b || exit 1; done

# The PostgreSQL plugin's, on a private cluster; skipped where there is none.
PG_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/postgres/test_*.c))
PG_BENCH := $(OUT)/tests/bench/bench_postgres
PG_OBJ   := $(call obj,$(wildcard migrators/postgres/*.c) \
            tests/postgres/rig.c tests/postgres/guard_rig.c \
            tests/postgres/cluster.c)
$(OUT)/tests/postgres/%.o $(PG_BENCH).o: \
    CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libpq 2>/dev/null)
$(PG_TESTS) $(PG_BENCH): $(OUT)/%: $(OUT)/%.o $(PG_OBJ) $(COMMON) $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(PLUGIN_LIBS_postgres) \
	    $(CORE_LIBS)

.PHONY: check-postgres bench-postgres
check-postgres: $(PG_TESTS)
	$(Q)for t in $^; do $(RUN) $$t || exit 1; done
bench-postgres: $(PG_BENCH)
	$(Q)$(PG_BENCH) $(ARGS)

# What of the MongoDB plugin needs no server.
MONGO_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/mongo/test_*.c))
MONGO_OBJ   := $(call obj,$(wildcard migrators/mongo/*.c))
$(MONGO_TESTS): $(OUT)/%: $(OUT)/%.o $(MONGO_OBJ) $(COMMON) $(ARCHIVE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(PLUGIN_LIBS_mongo) \
	    $(CORE_LIBS)

.PHONY: check-mongo
check-mongo: $(MONGO_TESTS)
	$(Q)for t in $^; do $(RUN) $$t || exit 1; done

# The scripted MongoDB server of the tests.
PEER := $(OUT)/tests/mongo/mongo_peer
$(OUT)/tests/mongo/peer/%.o: \
    CPPFLAGS += $(subst -I,-isystem ,$(shell $(PKG_CONFIG) --cflags \
                libbson-1.0 2>/dev/null))
$(PEER): $(call obj,$(sort $(wildcard tests/mongo/peer/*.c)))
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ \
	    $(shell $(PKG_CONFIG) --libs libbson-1.0) $(CORE_LIBS)

.PHONY: mongo-peer
mongo-peer: $(PEER)

# The loop that a sweep of MongoDB is held against.
MONGO_BENCH := $(OUT)/tests/bench/bare_mongo
$(MONGO_BENCH).o: CPPFLAGS += $(subst -I,-isystem ,$(shell $(PKG_CONFIG) \
                  --cflags libmongoc-1.0 2>/dev/null))
$(MONGO_BENCH): $(OUT)/%: $(OUT)/%.o
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(PLUGIN_LIBS_mongo)

.PHONY: bench-mongo
bench-mongo: all $(MONGO_BENCH)
	$(Q)$$(sh tests/support/venv.sh mongo) tests/bench/bench_mongo.py $(ARGS)

# ---- set-up, demo, check ------------------------------------------------

.PHONY: deps demo check soak lint symbols
deps:
	$(Q)sh tests/support/deps.sh $(or $(DEPS),check)

# The sub-make looks for the libraries again: deps may just have come.
demo:
	$(Q)sh tests/support/deps.sh demo
	$(Q)$(MAKE) --no-print-directory -j2 BUILD=release all
	$(Q)bash tests/demo/demo.sh build/release

check:
	$(Q)sh tests/support/deps.sh check
	$(Q)bash tests/check.sh

soak:
	$(Q)sh tests/support/deps.sh check
	$(Q)SOAK=1 bash tests/check.sh soak

lint:
	$(Q)sh tests/lint/run

# What the headers declare is exactly what the shared object exports.
symbols: $(SO)
	$(Q)sh tests/lint/symbols $(SO)

# ---- where it goes ------------------------------------------------------

.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(PLUGDIR) \
	    $(DESTDIR)$(LIBDIR)/pkgconfig \
	    $(DESTDIR)$(PREFIX)/include/envelope $(DESTDIR)$(MANDIR)/man1
	install -m 755 $(BIN) $(DESTDIR)$(BINDIR)
	install -m 755 $(SO) $(DESTDIR)$(LIBDIR)/$(SONAME).$(VERSION)
	ln -sf $(SONAME).$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libenvelope.so
	install -m 644 $(ARCHIVE) $(DESTDIR)$(LIBDIR)
	install -m 755 $(PLUG_SO) $(PROV_SO) $(DESTDIR)$(PLUGDIR)
	install -m 644 include/envelope.h $(DESTDIR)$(PREFIX)/include
	install -m 644 include/envelope/*.h $(DESTDIR)$(PREFIX)/include/envelope
	install -m 644 $(wildcard docs/man/*.1) $(DESTDIR)$(MANDIR)/man1
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' libenvelope/libenvelope.pc.in \
	    > $(DESTDIR)$(LIBDIR)/pkgconfig/libenvelope.pc

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/envelope $(DESTDIR)$(LIBDIR)/libenvelope.* \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/libenvelope.pc \
	    $(DESTDIR)$(PREFIX)/include/envelope.h \
	    $(DESTDIR)$(MANDIR)/man1/envelope*.1
	rm -rf $(DESTDIR)$(PLUGDIR) $(DESTDIR)$(PREFIX)/include/envelope

.PHONY: clean
clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
