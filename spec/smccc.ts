// The ids and answers of PSCI and FF-A, as registers carry them.

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/**
 * PSCI functions that pKVM relays, by the width it relays them in. Source: DEN0022 (PSCI 1.1),
 * section 5; uapi/linux/psci.h.
 */
export const PSCI = {
  VERSION: 0x8400_0000n,
  CPU_SUSPEND: 0xc400_0001n,
  CPU_OFF: 0x8400_0002n,
  CPU_ON: 0xc400_0003n,
  AFFINITY_INFO: 0xc400_0004n,
  MIGRATE: 0xc400_0005n,
  MIGRATE_INFO_TYPE: 0x8400_0006n,
  MIGRATE_INFO_UP_CPU: 0xc400_0007n,
  SYSTEM_OFF: 0x8400_0008n,
  SYSTEM_RESET: 0x8400_0009n,
  FEATURES: 0x8400_000an,
  SYSTEM_SUSPEND: 0xc400_000en,
  SET_SUSPEND_MODE: 0x8400_000fn,
  SYSTEM_RESET2: 0xc400_0012n,
} as const;

/** What PSCI answers. Source: DEN0022, section 5.2.2. */
export const PSCI_RET = {
  SUCCESS: 0n,
  NOT_SUPPORTED: u64(-1n),
  INVALID_PARAMETERS: u64(-2n),
  ALREADY_ON: u64(-4n),
  ON_PENDING: u64(-5n),
} as const;

/** Which moment a module's PSCI notifier is told. Source: enum pkvm_psci_notification. */
export const PSCI_EVENT = { CPU_SUSPEND: 0, SYSTEM_SUSPEND: 1, CPU_ENTRY: 2 } as const;

/** FF-A functions. Source: DEN0077A (FF-A 1.0), section 7; linux/arm_ffa.h. */
export const FFA = {
  ERROR: 0x8400_0060n,
  SUCCESS: 0x8400_0061n,
  VERSION: 0x8400_0063n,
  FEATURES: 0x8400_0064n,
  RXTX_MAP_32: 0x8400_0066n,
  RXTX_MAP: 0xc400_0066n,
  RXTX_UNMAP: 0x8400_0067n,
  MSG_POLL: 0x8400_006an,
  MSG_WAIT: 0x8400_006bn,
  MSG_SEND: 0x8400_006en,
  MSG_SEND_DIRECT_REQ_32: 0x8400_006fn,
  MSG_SEND_DIRECT_RESP_32: 0x8400_0070n,
  MEM_DONATE_32: 0x8400_0071n,
  MEM_DONATE: 0xc400_0071n,
  MEM_LEND_32: 0x8400_0072n,
  MEM_LEND: 0xc400_0072n,
  MEM_SHARE_32: 0x8400_0073n,
  MEM_SHARE: 0xc400_0073n,
  MEM_RETRIEVE_REQ_32: 0x8400_0074n,
  MEM_RETRIEVE_REQ: 0xc400_0074n,
  MEM_RETRIEVE_RESP: 0x8400_0075n,
  MEM_RELINQUISH: 0x8400_0076n,
  MEM_RECLAIM: 0x8400_0077n,
  MEM_OP_PAUSE: 0x8400_0078n,
  MEM_OP_RESUME: 0x8400_0079n,
  MEM_FRAG_RX: 0x8400_007an,
  MEM_FRAG_TX: 0x8400_007bn,
} as const;

/** The functions that a proxy refuses. Source: ffa_call_unsupported, hyp/nvhe/ffa.c. */
export const FFA_BLOCKED: readonly bigint[] = [
  FFA.MEM_RETRIEVE_REQ,
  FFA.MEM_RETRIEVE_RESP,
  FFA.MEM_RELINQUISH,
  FFA.MEM_OP_PAUSE,
  FFA.MEM_OP_RESUME,
  FFA.MEM_FRAG_RX,
  FFA.MEM_DONATE,
  FFA.MSG_SEND,
  FFA.MSG_POLL,
  FFA.MSG_WAIT,
  FFA.MSG_SEND_DIRECT_REQ_32,
  FFA.MSG_SEND_DIRECT_RESP_32,
  FFA.RXTX_MAP_32,
  FFA.MEM_DONATE_32,
  FFA.MEM_RETRIEVE_REQ_32,
];

/** What FF-A answers in x2 of an error. Source: DEN0077A, table of error status codes. */
export const FFA_RET = { NOT_SUPPORTED: u64(-1n), INVALID_PARAMETERS: u64(-2n) } as const;

/**
 * ARM_SMCCC_CALL_HINTS: the caller has no live SVE state. Source: SMCCC 1.3, section 2.5.
 */
export const SMCCC_CALL_HINTS = 1n << 16n;

/** Bits 0x1f of either width. Source: SMCCC 1.3, section 6.1: 0x00 to 0x1f are PSCI's. */
export const isPsci = (id: bigint): boolean =>
  (id >= 0x8400_0000n && id <= 0x8400_001fn) || (id >= 0xc400_0000n && id <= 0xc400_001fn);

/** A fast call of the standard services, 0x60 to 0x7f. Source: is_ffa_call, hyp/nvhe/ffa.c. */
export const isFfa = (id: bigint): boolean => {
  const number = id & 0xffffn;
  const isStandard = id >> 31n === 1n && ((id >> 24n) & 0x3fn) === 4n;
  return isStandard && number >= 0x60n && number <= 0x7fn;
};
