# Benchmarks against other implementations. Included at the end of GNUmakefile. `make deps-dev` installs their
# dependencies.

BENCH_CFLAGS := $(COMMON_CFLAGS) -O2

# The loader's hashing code, the same objects as in the image.
BENCH_LOADER := common/sha256.o common/sha256_blocks.o common/sha256_lanes.o common/vector_unit.o common/string.o \
	common/fsverity.o mbedtls/sha256.o

# Loader and purgatory define the same symbols, so each gets a prefix.
build/bench/loader.o: $(BENCH_LOADER:%=build/efi/%) tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $(filter %.o,$^)
	$(Q)$(OBJCOPY) --prefix-symbols=in_loader_ $@

build/bench/purgatory.o: build/purgatory/purgatory.ro tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --prefix-symbols=in_purgatory_ $< $@

# Not position independent, because the purgatory's GDT contains its own address.
build/bench/sha256 build/bench/passes: build/bench/%: tests/bench/%_speed.c build/bench/loader.o \
		build/bench/purgatory.o GNUmakefile
	$(Q)$(CC) $(INCLUDES) $(BENCH_CFLAGS) -no-pie -z noexecstack -MMD -MP -o $@ $(filter %.c %.o,$^) -lcrypto

# EFI applications that are measured, or that start a measured one; built like the loader.
build/bench/mark.o build/bench/floor.o: STACK_PROTECTOR := -fno-stack-protector
build/bench/mark.o build/bench/floor.o: build/bench/%.o: tests/bench/%.c GNUmakefile build/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(INCLUDES) $(EFI_CPPFLAGS) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

build/bench/mark.so build/bench/floor.so: build/bench/%.so: build/bench/%.o efi/kexec.lds
	$(Q)$(link_image) -L$(GNUEFI) -lefi

build/bench/mark.efi build/bench/floor.efi: build/bench/%.efi: build/bench/%.so
	$(Q)$(make_pe)

# The only process of its Linux, hence static.
build/bench/linux_kexec: tests/bench/linux_kexec.c GNUmakefile tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(INCLUDES) $(BENCH_CFLAGS) -static -MMD -MP -o $@ $<

# One plugin for each version of QEMU's plugin API.
build/bench/plugin-%.so: tests/bench/plugin.c tests/bench/qemu_plugin.h GNUmakefile tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(INCLUDES) $(BENCH_CFLAGS) -DPLUGIN_API=$* -shared -fPIC -fvisibility=hidden -o $@ $<

# The number of boots of each loader, and their QEMU: the newer one of deps-dev, if it is there.
ROUNDS ?= 3
BENCH_QEMU := $(firstword $(wildcard build/deps/qemu/run) qemu-system-x86_64)

BENCH_BOOTED := build/bench/mark.efi build/bench/floor.efi build/bench/linux_kexec build/bench/plugin-1.so \
	build/bench/plugin-4.so build/kexecx64.efi

bench-passes: build/bench/passes
	@tests/bench/passes

bench-boot: $(BENCH_BOOTED)
	@KEXEC_QEMU="$${KEXEC_QEMU:-$(BENCH_QEMU)}" tests/bench/boot --rounds $(ROUNDS)

bench-overlap: $(BENCH_BOOTED)
	@KEXEC_QEMU="$${KEXEC_QEMU:-$(BENCH_QEMU)}" tests/bench/overlap --rounds $(ROUNDS)

bench-sha256: build/bench/sha256
	@tests/bench/sha256

# Times the test tool from its call to the first process, and QEMU without firmware for comparison.
bench-userspace: build/kexecx64.efi
	@tests/bench/userspace --rounds $(ROUNDS)

bench: bench-sha256 bench-passes bench-boot bench-overlap bench-userspace
	@tests/bench/draw doc/bench.svg

.PHONY: bench bench-sha256 bench-passes bench-boot bench-overlap bench-userspace

-include $(wildcard build/bench/*.d)
