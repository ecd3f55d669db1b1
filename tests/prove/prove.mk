# Bounded proofs with cbmc, a model checker. Included at the end of GNUmakefile. `make deps-dev` fetches it.

# What is proven, and how it is broken on purpose, stands in tests/prove/run. PROOFS= words of their names; BROKEN=1
# breaks each property in the source, and sees its proof fail.
prove:
	@tests/prove/run $(if $(BROKEN),--broken) $(PROOFS)

.PHONY: prove
