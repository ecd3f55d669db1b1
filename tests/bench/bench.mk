# Benchmarks against other implementations. Included at the end of GNUmakefile. `make deps-dev` installs what they need.

BENCH_CFLAGS := $(COMMON_CFLAGS) -O2

# What the loader hashes with, as it is linked into the image.
BENCH_LOADER := common/sha256.o common/sha256_blocks.o common/string.o mbedtls/sha256.o

# Loader's and purgatory's objects have the same symbols.
build/bench/loader.o: $(BENCH_LOADER:%=build/efi/%) tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $(filter %.o,$^)
	$(Q)$(OBJCOPY) --prefix-symbols=in_loader_ $@

build/bench/purgatory.o: build/purgatory/purgatory.ro tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --prefix-symbols=in_purgatory_ $< $@

# Not position independent: the purgatory's GDT holds its own address.
build/bench/sha256: tests/bench/sha256.c build/bench/loader.o build/bench/purgatory.o GNUmakefile
	$(Q)$(CC) $(CPPFLAGS) $(BENCH_CFLAGS) -no-pie -z noexecstack -MMD -MP -o $@ $(filter %.c %.o,$^) -lcrypto

bench-sha256: build/bench/sha256
	@tests/bench/sha256

bench: bench-sha256

.PHONY: bench bench-sha256

-include $(wildcard build/bench/*.d)
