// The CPU capabilities that the kernel has detected, by the numbers that .altinstructions uses.

/**
 * ARM64_HAS_LSE_ATOMICS: Cortex-A76 has FEAT_LSE.
 * CHOICE: a kernel generates these numbers when it is built, so that a module of another kernel may
 * mean another
 * capability by it; this is the number of `kdir`. Both versions of an alternative must do the same
 * anyway.
 */
const ARM64_HAS_LSE_ATOMICS = 27;

/** What the measured machine has, of what modules ask for. */
export const CAPABILITIES: ReadonlySet<number> = new Set([ARM64_HAS_LSE_ATOMICS]);
