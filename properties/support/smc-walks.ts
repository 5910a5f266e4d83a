// Walks through the host's SMCs: PSCI with CPUs that go and come, FF-A, handlers, other branches.

import type { BranchName } from "../../spec/branches/branch.ts";
import { FFA, FFA_BLOCKED, PSCI } from "../../spec/smccc.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import type { Walk } from "./walks.ts";

const systemOf = (branch: BranchName): SystemConfig => ({
  branch,
  build: "production",
  documented: false,
  cpuCount: 2,
});

const bootedWith = (mode: string): readonly Action[] => [
  { kind: "parse_early_param", commandLine: `kvm-arm.mode=${mode}` },
  { kind: "kvm_arm_init" },
];

const smc = (x0: bigint, ...args: readonly bigint[]): Action => ({
  kind: "smc",
  cpu: 0,
  imm: 0,
  x: Array.from({ length: 18 }, (_, n) => [x0, ...args][n] ?? 0n),
});
const by = (cpu: number, action: Action): Action => ({ ...action, cpu }) as Action;
const register = (type: string): Action => ({
  kind: "op",
  cpu: 0,
  op: `register_${type}`,
  args: [0x20_0000_a000n],
});
const handled = (handles: boolean, ...x: readonly bigint[]): Action => ({
  kind: "host_smc_handler_returned",
  handler: 0,
  cpu: 0,
  handled: handles,
  x,
});

const walk = (
  name: string,
  why: string,
  actions: readonly Action[],
  {
    mode = "protected",
    branch = "android14-6.1" as BranchName,
    breaks = [] as Walk["breaks"],
  } = {},
): Walk => ({
  name,
  why,
  system: systemOf(branch),
  actions: [...bootedWith(mode), ...actions],
  breaks,
});

const NO_EXAMPLE = "no boot makes these calls";
const ENTRY = 0x4100_0000n;
const on = (cpu: bigint): Action => smc(PSCI.CPU_ON, cpu, ENTRY, 0x77n);
const OFF = smc(PSCI.CPU_OFF);

const RELAYED = [
  PSCI.VERSION,
  PSCI.MIGRATE,
  PSCI.MIGRATE_INFO_TYPE,
  PSCI.MIGRATE_INFO_UP_CPU,
  PSCI.SET_SUSPEND_MODE,
  PSCI.FEATURES,
].map((id) => smc(id, PSCI.CPU_ON));

const FFA_ALL = [
  ...FFA_BLOCKED.map((id) => smc(id)),
  ...[FFA.MEM_SHARE, FFA.MEM_LEND_32, FFA.RXTX_UNMAP, FFA.MEM_FRAG_TX].map((id) =>
    smc(id, 0x100n, 0x100n),
  ),
  ...[FFA.MEM_RECLAIM, FFA.RXTX_MAP_32, FFA.MEM_SHARE_32].map((id) => smc(FFA.FEATURES, id)),
  smc(FFA.RXTX_MAP, 0x4000_0000n, 0x4000_1000n, 2n),
  smc(FFA.RXTX_MAP, 0x4000_0000n, 0x4000_1008n, 1n),
  smc(FFA.RXTX_MAP, 0x4000_0000n, 0x4000_1000n, 1n),
  smc(FFA.VERSION, 0x1_0000n),
  smc(0x8400_0068n),
];

export const SMC_WALKS: readonly Walk[] = [
  walk("SMCs without pKVM", "the boots that have no pKVM make no SMC", [smc(PSCI.VERSION), OFF], {
    mode: "nvhe",
  }),
  walk("calls that PSCI relays, and some that it does not", NO_EXAMPLE, [
    ...RELAYED,
    smc(PSCI.AFFINITY_INFO, 0n),
    smc(PSCI.AFFINITY_INFO, 9n),
    smc(PSCI.AFFINITY_INFO, 9n, 1n),
    smc(0x8400_0001n),
    smc(0x8400_0013n),
    smc(PSCI.VERSION | (1n << 16n)),
    smc(PSCI.VERSION | (1n << 32n)),
    smc(PSCI.CPU_SUSPEND, 0n, ENTRY),
    smc(PSCI.CPU_SUSPEND, 1n << 24n, ENTRY),
    smc(PSCI.SYSTEM_SUSPEND, ENTRY),
  ]),
  walk("a CPU goes off and is started", NO_EXAMPLE, [
    on(1n),
    on(9n),
    on(1n << 31n),
    by(1, OFF),
    smc(PSCI.AFFINITY_INFO, 1n),
    on(1n),
    smc(PSCI.AFFINITY_INFO, 1n),
    on(1n),
    { kind: "psci_cpu_entry", cpu: 1 },
    smc(PSCI.AFFINITY_INFO, 1n),
    by(1, smc(PSCI.VERSION)),
  ]),
  walk("a notifier hears of suspends and of CPUs that come", NO_EXAMPLE, [
    register("psci_notifier"),
    smc(PSCI.CPU_SUSPEND, 0n, ENTRY),
    { kind: "psci_notified", cpu: 0, x: [PSCI.CPU_SUSPEND, 0n, ENTRY, 0n] },
    smc(PSCI.SYSTEM_SUSPEND, ENTRY),
    { kind: "psci_notified", cpu: 0, x: [PSCI.SYSTEM_SUSPEND, ENTRY, 0n, 0n] },
    by(1, OFF),
    on(1n),
    { kind: "psci_cpu_entry", cpu: 1 },
  ]),
  ...[PSCI.SYSTEM_OFF, PSCI.SYSTEM_RESET].flatMap((id) => [
    walk("the system is switched off", NO_EXAMPLE, [smc(id)]),
    walk("the system is switched off after a reset that failed", NO_EXAMPLE, [
      smc(PSCI.SYSTEM_RESET2, 0n),
      smc(id),
    ]),
  ]),
  walk("a reset that fails is tried twice", NO_EXAMPLE, [
    smc(PSCI.SYSTEM_RESET2, 0n),
    smc(PSCI.SYSTEM_RESET2, 0n),
  ]),
  walk("FF-A without a secure world", NO_EXAMPLE, FFA_ALL),
  walk("FF-A memory is reclaimed", NO_EXAMPLE, [smc(FFA.MEM_RECLAIM)]),
  walk("a handler keeps a call and leaves another", NO_EXAMPLE, [
    smc(0x8300_0000n),
    register("host_smc_handler"),
    smc(0x8300_0000n),
    handled(true, 0x5151n, 6n),
    smc(0x8300_0001n),
    handled(false, 0x8300_0001n),
  ]),
  ...(
    ["android15-6.6", "android16-6.12", "android17-6.18", "mainline-6.1", "mainline-7.3"] as const
  ).map((branch) =>
    walk(
      `SMCs on ${branch}`,
      "no run of the exploration is on this branch",
      [
        { ...smc(PSCI.VERSION), imm: 1 } as Action,
        smc(PSCI.VERSION),
        smc(PSCI.VERSION | (1n << 32n)),
        smc(PSCI.SYSTEM_RESET2),
        smc(PSCI.SYSTEM_RESET2),
        smc(FFA.VERSION, 0x1_0001n),
        smc(FFA.MEM_SHARE),
        smc(0x8300_0000n),
      ],
      { branch },
    ),
  ),
];
