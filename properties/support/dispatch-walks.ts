// Walks to the edges of the dispatcher: the window between key and finalisation, and odd ids.

import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { ANDROID15_6_6 } from "../../spec/branches/android15-6.6.ts";
import type { Branch } from "../../spec/branches/branch.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import type { Action, Hvc } from "../../spec/types/action.ts";
import type { Walk } from "./walks.ts";

const UP: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
  { kind: "pkvm_load_early_modules" },
  { kind: "pkvm_drop_host_privileges" },
];

const idOf = (name: string, { hcalls }: Branch = ANDROID14_6_1): bigint =>
  hostSmcccId(hcalls.indexOf(name));

const hvc = (cpu: number, ...given: readonly bigint[]): Hvc => ({
  kind: "hvc",
  cpu,
  imm: 0,
  x: Array.from({ length: 18 }, (_, n) => given[n] ?? 0n),
});

const walk = (name: string, why: string, actions: readonly Action[]): Walk => ({
  name,
  why,
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  actions: [...UP, ...actions],
  breaks: [],
});

/** One CPU is finalised, the other is between the key and its own call. */
const ONE_FINALISED: Action = hvc(0, idOf("__pkvm_prot_finalize"));
/** Source: SMCCC 1.3, section 2.5: bit 16. */
const SVE_HINT = 1n << 16n;
const UPPER_HALVES = [1n << 32n, 0xffff_ffffn << 32n, 1n << 63n];

export const DISPATCH_WALKS: readonly Walk[] = [
  walk("a CPU loads between the key and its finalisation", "a boot leaves no such window", [
    ONE_FINALISED,
    hvc(1, idOf("__pkvm_alloc_module_va"), 1n),
    hvc(1, idOf("__pkvm_register_hcall"), 0x20_0000_c000n),
  ]),
  walk("ids of the table with other upper halves", "few random ids name a call that answers", [
    ...UPPER_HALVES.flatMap((upper) => [
      hvc(0, idOf("__pkvm_prot_finalize") + upper),
      hvc(0, idOf("__pkvm_host_share_hyp") + upper, 0x50000n),
    ]),
  ]),
  {
    name: "ids with the SVE hint on android15-6.6",
    why: "no run of the exploration is on this branch",
    system: { branch: "android15-6.6", build: "production", documented: false, cpuCount: 2 },
    actions: [
      ...UP.slice(0, 2),
      hvc(0, idOf("__pkvm_register_hcall", ANDROID15_6_6), 0x20_0000_c000n),
      hvc(0, hostSmcccId(ANDROID15_6_6.dynamicBase ?? 0) | SVE_HINT),
    ],
    // EL2 has nothing at the address, and nobody asks in a production build.
    breaks: ["INV-18"],
  },
];
