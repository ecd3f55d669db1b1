# Static analysis: prints nothing and exits with 0 if the tools find nothing. Included at the end of GNUmakefile.
# .clang-tidy and cppcheck.suppressions list the checks that are switched off, each with its reason.

ANALYSIS_CLANG ?= clang
ANALYSIS_GCC ?= gcc

ANALYZED := $(wildcard boot/*.c common/*.c efi/*.c efi/*/*.c purgatory/*.c tools/*.c)
# Both compilers compile these without a warning. They are not analysed, because tests may assume that malloc succeeds.
ANALYZED_TESTS := $(wildcard tests/unit/*.c tests/fuzz/*.c tests/firmware/*.c tests/qemu/*.c tests/qemu/lib/*.c)

# The flags with which the file is built. common/ is built for loader and purgatory: the purgatory's flags are stricter.
analysis_flags = $(INCLUDES) $(MBEDTLS_CPPFLAGS) \
	$(if $(filter $(FIRMWARE_TESTS:%=tests/unit/%) tests/unit/fake_firmware.c,$(1)),$(EFI_CPPFLAGS) -fshort-wchar) \
	$(if $(filter tests/unit/% tests/fuzz/% tools/%,$(1)),$(COMMON_CFLAGS) -O1,\
	$(if $(filter purgatory/% common/%,$(1)),$(PURGATORY_CFLAGS),$(EFI_CPPFLAGS) $(EFI_CFLAGS)))

# A file is analysed again when it, a header or the list of checks changes.
ANALYSIS_INPUT := GNUmakefile tests/analysis/analysis.mk tests/analysis/cppcheck.suppressions .clang-tidy \
	$(wildcard boot/*.h common/*.h efi/*/*.h purgatory/*.h tools/*.h tests/unit/*.h tests/fuzz/*.h tests/firmware/*.h \
	tests/qemu/lib/*.h)

build/analysis/gcc/%.o: %.c $(ANALYSIS_INPUT)
	@mkdir -p $(@D)
	$(Q)$(ANALYSIS_GCC) $(call analysis_flags,$<) -Werror $(if $(filter tests/%,$<),,-fanalyzer) -c -o $@ $<

build/analysis/clang/%.o: %.c $(ANALYSIS_INPUT)
	@mkdir -p $(@D)
	$(Q)$(ANALYSIS_CLANG) $(call analysis_flags,$<) -Werror -c -o $@ $<

build/analysis/clang/mbedtls/sha256.o: $(MBEDTLS)/library/sha256.c $(ANALYSIS_INPUT)
	@mkdir -p $(@D)
	$(Q)$(ANALYSIS_CLANG) $(INCLUDES) $(MBEDTLS_CPPFLAGS) $(PURGATORY_CFLAGS) -Werror -c -o $@ $<

# The loader can also load a purgatory that clang has compiled.
ANALYSIS_PURGATORY_OBJ := $(call object,purgatory,$(filter %.asm,$(PURGATORY_SRC) $(COMMON_SRC))) \
	$(patsubst %.c,build/analysis/clang/%.o,$(filter %.c,$(PURGATORY_SRC) $(COMMON_SRC)) mbedtls/sha256.c)

build/analysis/clang/purgatory.ro: $(ANALYSIS_PURGATORY_OBJ) purgatory/purgatory.lds purgatory/check
	$(Q)$(LD) -r -T purgatory/purgatory.lds -o $@ $(ANALYSIS_PURGATORY_OBJ)
	@purgatory/check $@

# clang-tidy writes the number of suppressed warnings to stderr, and its own errors as well: show them only on failure.
build/analysis/clang-tidy/%.log: %.c $(ANALYSIS_INPUT)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(call analysis_flags,$<) >$@ 2>&1 || { cat $@; exit 1; }

# cppcheck must be told which compiler reads GNU-EFI's headers; the other tools know it.
build/analysis/cppcheck.log: $(ANALYZED) $(ANALYSIS_INPUT)
	@mkdir -p $(@D)
	$(Q)cppcheck --quiet --std=c11 --platform=unix64 --enable=warning,style,performance,portability --error-exitcode=1 \
		--suppressions-list=tests/analysis/cppcheck.suppressions --template=gcc \
		-D__GNUC__=12 -D__GNUC_MINOR__=0 -D__x86_64__ $(INCLUDES) $(subst -isystem ,-I,$(EFI_CPPFLAGS)) \
		$(ANALYZED) >$@ 2>&1 || { cat $@; exit 1; }

# Checks the layout by .clang-format. Versions of clang-format lay out macros and attributes differently: only the
# version of Debian 12 checks; with another version this is a no-op.
FORMATTED := $(ANALYZED) $(wildcard boot/*.h common/*.h efi/*.h efi/*/*.h purgatory/*.h tools/*.h)
FORMAT_VERSION := 14

build/analysis/format.log: $(FORMATTED) .clang-format tests/analysis/analysis.mk
	@mkdir -p $(@D)
	$(Q)! clang-format --version | grep -q 'version $(FORMAT_VERSION)\.' || \
		clang-format --dry-run -Werror $(FORMATTED) >$@ 2>&1 || { cat $@; exit 1; }

# Checks the types of the test tool's API. Without mypy this is a no-op.
build/analysis/mypy.log: $(wildcard tools/kexec_efi_test/*.py) tests/analysis/mypy.ini tests/analysis/analysis.mk
	@mkdir -p $(@D)
	$(Q)! $(PYTHON) -c 'import mypy' 2>/dev/null || (cd tools && $(PYTHON) -m mypy --config-file=../tests/analysis/mypy.ini \
		--cache-dir=../build/analysis/mypy -p kexec_efi_test) >$@ 2>&1 || { cat $@; exit 1; }

analyze-gcc: $(patsubst %.c,build/analysis/gcc/%.o,$(ANALYZED) $(ANALYZED_TESTS))
analyze-clang: $(patsubst %.c,build/analysis/clang/%.o,$(ANALYZED) $(ANALYZED_TESTS)) build/analysis/clang/purgatory.ro
analyze-clang-tidy: $(ANALYZED:%.c=build/analysis/clang-tidy/%.log)
analyze-cppcheck: build/analysis/cppcheck.log
analyze-format: build/analysis/format.log
analyze-types: build/analysis/mypy.log

analyze: analyze-gcc analyze-clang analyze-clang-tidy analyze-cppcheck analyze-format analyze-types

# For editors and language servers, which look for the file in build/.
compile-commands:
	@command -v bear >/dev/null || { echo 'bear is not installed: run make deps-dev' >&2; exit 1; }
	$(Q)mkdir -p build
	$(Q)bear --output build/compile_commands.json -- \
		$(MAKE) --no-print-directory --always-make build/kexecx64.efi build/inspect unit-programs

.PHONY: analyze analyze-gcc analyze-clang analyze-clang-tidy analyze-cppcheck analyze-format analyze-types compile-commands
