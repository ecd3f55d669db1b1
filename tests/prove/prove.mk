# Bounded proofs with cbmc, a model checker. Included at the end of GNUmakefile. `make deps-dev` fetches it.

# tests/prove/run lists the proofs, and the changes that break them on purpose. PROOFS= words of their names; BROKEN=1
# breaks each property in a copy of the source: its proof must fail.
prove:
	@tests/prove/run $(if $(BROKEN),--broken) $(PROOFS)

.PHONY: prove
