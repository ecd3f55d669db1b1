# Fuzzing: the core with clang's libFuzzer. Included at the end of GNUmakefile. `make deps-dev` installs its runtime.

FUZZ_CC ?= clang
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CFLAGS := $(COMMON_CFLAGS) -O1 -g -fno-omit-frame-pointer $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link

# How long `make fuzz` runs each target, or, with RUNS=, how often.
SECONDS ?= 20
FUZZ_LIMIT = $(if $(RUNS),-runs=$(RUNS),-max_total_time=$(SECONDS))

FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=build/fuzz/%)

# A library: a target then links only the code that it fuzzes, and needs no mbedTLS.
FUZZ_OBJ := $(patsubst %.c,build/fuzz/%.o,$(wildcard boot/*.c) common/format.c)

build/fuzz/core.a: $(FUZZ_OBJ)
	@rm -f $@
	$(Q)$(AR) crs $@ $^

build/fuzz/%.o: %.c GNUmakefile tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(INCLUDES) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_PROGRAMS): build/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/tests/fuzz/input.o build/fuzz/core.a
	$(Q)$(FUZZ_CC) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $@ $^

build/fuzz/fuzz_pe: build/fuzz/tests/fuzz/hashed_by.o build/fuzz/tests/fuzz/signed_kernel.o

# All seeds are made again when one of their source files changes.
build/fuzz/seeds/made: tests/fuzz/seeds build/purgatory/purgatory.ro build/kexecx64.efi $(wildcard build/deps/kernels)
	$(Q)tests/fuzz/seeds $(@D)
	@touch $@

fuzz: $(FUZZ_PROGRAMS) build/fuzz/seeds/made
	@for target in $(FUZZ_TARGETS); do tests/fuzz/run $$target $(FUZZ_LIMIT) || exit 1; done

fuzz-regress: $(FUZZ_PROGRAMS) build/fuzz/seeds/made
	@for target in $(FUZZ_TARGETS); do tests/fuzz/run $$target regress || exit 1; done

.PHONY: fuzz fuzz-regress

-include $(shell find build/fuzz -name '*.d' 2>/dev/null)
