// struct pkvm_el2_module from 6.12 on: what EL2 reads of the copy that the host shares with it.

/**
 * Bytes from its start: where the module's span begins at EL1, where EL2 sees it, and the EL1
 * address of the init function. Source: asm/module.h (android16-6.12, android17-6.18).
 * NON-SPEC: the numbers are those of `kdir`; a kernel's configuration moves them.
 */
export const MODULE_STRUCT = { spanStart: 96n, hypVa: 112n, init: 192n, bytes: 200n } as const;

/** Where EL2 calls the init function: its place in the span, seen from EL2. */
export function initInStruct(wordAt: (offset: bigint) => bigint): bigint {
  const { spanStart, hypVa, init } = MODULE_STRUCT;
  return BigInt.asUintN(64, wordAt(init) - wordAt(spanStart) + wordAt(hypVa));
}
