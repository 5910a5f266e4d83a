// Walks of the abstract model, written by hand: where no boot of the machine leads, an action still
// can.

import { initialHyp } from "../../model/initial.ts";
import { OPS } from "../../model/ops/ops.ts";
import { type ModelStep, step } from "../../model/step.ts";
import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import type { RuleId } from "../../spec/findings.ts";
import type { Action, Hvc, LoadModule } from "../../spec/types/action.ts";
import { kernVa, pfn } from "../../spec/types/address.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import { BRANCH_WALKS } from "./branch-walks.ts";
import { CALLBACK_WALKS } from "./callback-walks.ts";
import { DISPATCH_WALKS } from "./dispatch-walks.ts";
import { GUEST_WALKS } from "./guest-walks.ts";
import { MAINLINE_VM_WALKS } from "./mainline-vm-walks.ts";
import { MAPPING_WALKS } from "./mapping-walks.ts";
import { OWNERSHIP_WALKS } from "./ownership-walks.ts";
import { SMC_WALKS } from "./smc-walks.ts";
import { VM_WALKS } from "./vm-walks.ts";

/** A list of actions from power-on, on one system, and why no boot of the machine does it. */
export interface Walk {
  readonly name: string;
  readonly why: string;
  readonly system: SystemConfig;
  readonly actions: readonly Action[];
  /** Rules that the walk itself breaks, because its actions come in an order that no boot has. */
  readonly breaks: readonly RuleId[];
  /** Bytes of the firmware's region; none if it is not said. */
  readonly firmwareBytes?: number;
}

/** Plays a walk; it ends early where the system ends. Guards in `omit` are left out. */
export function play(
  { system, actions, firmwareBytes }: Walk,
  omit?: ReadonlySet<string>,
): readonly ModelStep[] {
  const steps: ModelStep[] = [];
  for (const action of actions) {
    const pre = steps.at(-1)?.post ?? initialHyp(system, firmwareBytes ?? 0);
    if (pre.end !== undefined) break;
    steps.push(step(pre, action, omit === undefined ? {} : { omit }));
  }
  return steps;
}

const PRODUCTION: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};
const DEBUG: SystemConfig = { ...PRODUCTION, build: "el2debug" };

const bootedWith = (mode: string): readonly Action[] => [
  { kind: "parse_early_param", commandLine: `kvm-arm.mode=${mode} kvm-arm.protected_modules=a,b` },
  { kind: "kvm_arm_init" },
];
const UP = bootedWith("protected");
const REQUEST: Action = { kind: "pkvm_request_early_module", name: "a" };
const LOAD_EL2: Action = { kind: "__pkvm_load_el2_module", name: "a" };

/** A module with one page of EL2 code, its text at this address. */
const loadModule = (text: bigint): LoadModule => ({
  kind: "load_module",
  name: "a",
  sections: [
    { name: ".hyp.text", kernVa: kernVa(text), pfns: [pfn(0x50000)], prot: PROT.R | PROT.X },
  ],
  hasInit: true,
  hasExit: false,
  refused: undefined,
});
const ALIGNED = loadModule(0xffff_ffc0_0000_1000n);

/** A hypercall of the kernel by its name. */
function hypercall(name: string, ...args: readonly bigint[]): Hvc {
  const given = [hostSmcccId(ANDROID14_6_1.hcalls.indexOf(name)), ...args];
  const x = Array.from({ length: 18 }, (_, n) => given[n] ?? 0n);
  return { kind: "hvc", cpu: 0, imm: 0, x };
}
const reserve = (pages: bigint): Hvc => hypercall("__pkvm_alloc_module_va", pages);
/** The first address that a reservation of one page gets. Source: measured, ovmt alone. */
const FIRST = 0x20_0000_a000n;
const map = (page: bigint, va: bigint, prot: number): Hvc =>
  hypercall("__pkvm_map_module_page", page, va, BigInt(prot));
const RX = PROT.R | PROT.X;

const op = (name: string, ...args: readonly bigint[]): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});

const walk = (
  name: string,
  why: string,
  actions: readonly Action[],
  system = PRODUCTION,
): Walk => ({ name, why, system, actions, breaks: [] });

const BOOT_CODE = "the boot asks for modules only in protected mode, and before the key is set";
const LOADER = "the loader aligns sections, and asks only for modules that it is loading";
const RAW = "the kernel's own calls are well formed, and no example makes this one";

const REGISTRATIONS = [...OPS.keys()].filter((name) => name.startsWith("register_"));

/** Every walk. */
export const WALKS: readonly Walk[] = [
  ...DISPATCH_WALKS,
  ...OWNERSHIP_WALKS,
  ...BRANCH_WALKS,
  ...SMC_WALKS,
  ...MAPPING_WALKS,
  ...VM_WALKS,
  ...MAINLINE_VM_WALKS,
  ...CALLBACK_WALKS,
  ...GUEST_WALKS,
  walk("an early module is requested without pKVM", BOOT_CODE, [...bootedWith("nvhe"), REQUEST]),
  walk("an early module is requested after the key", BOOT_CODE, [
    { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
    { kind: "kvm_arm_init" },
    { kind: "pkvm_load_early_modules" },
    { kind: "pkvm_drop_host_privileges" },
    REQUEST,
  ]),
  walk("a bad file under the name of a module that is loaded", "names are those of files", [
    ...UP,
    REQUEST,
    ALIGNED,
    { ...ALIGNED, refused: { errno: -8, why: "not an ELF file", early: true } },
  ]),
  walk("a page is unmapped at the address of another", RAW, [
    ...UP,
    reserve(1n),
    map(0x50000n, FIRST, RX),
    hypercall("__pkvm_unmap_module_page", 0x50001n, FIRST),
  ]),
  walk("an EL2 half with a section between pages", LOADER, [
    ...UP,
    REQUEST,
    loadModule(0xffff_ffc0_0000_1080n),
    LOAD_EL2,
  ]),
  walk("an EL2 half of a module that is not in the list", LOADER, [...UP, REQUEST, LOAD_EL2]),
  walk("rmmod while the module's init runs", "nothing else runs while an init does", [
    ...UP,
    REQUEST,
    { ...ALIGNED, hasExit: true },
    { kind: "delete_module", name: "a" },
  ]),
  ...[PROT.R | PROT.W | PROT.X, PROT.W, PROT.R | PROT.X | PROT.DEVICE].map((prot) =>
    walk(`a page with permissions ${prot}`, RAW, [...UP, reserve(1n), map(0x50000n, FIRST, prot)]),
  ),
  walk("two pages at one address", RAW, [
    ...UP,
    reserve(1n),
    map(0x50000n, FIRST, RX),
    map(0x50001n, FIRST, RX),
  ]),
  walk("a page beyond the addresses of EL2", RAW, [
    ...UP,
    reserve(1n),
    map(0x50000n, 1n << 40n, RX),
  ]),
  ...[PRODUCTION, DEBUG].flatMap((system) => [
    walk(
      "a page outside every module",
      RAW,
      [...UP, reserve(1n), map(0x50000n, FIRST + 0x1000n, RX)],
      system,
    ),
    walk(
      "an init function outside every module",
      RAW,
      [...UP, reserve(1n), hypercall("__pkvm_init_module", 0x1000n)],
      system,
    ),
  ]),
  walk("0 pages, and more than there is", RAW, [...UP, reserve(0n), reserve(1n << 40n)]),
  ...REGISTRATIONS.map((name) =>
    walk(`${name} of NULL, then twice`, "the examples register other types, and never NULL", [
      ...UP,
      op(name, 0n),
      op(name, FIRST),
      op(name, FIRST + 8n),
    ]),
  ),
  {
    name: "a protected VM runs after a load that failed when it was there",
    why: "user space starts after the early modules",
    system: { ...PRODUCTION, documented: true },
    actions: [
      ...UP,
      { kind: "KVM_CREATE_VM", vm: 0, type: 0x8000_0000 },
      { kind: "KVM_CREATE_VCPU", vm: 0, vcpu: 0 },
      { kind: "KVM_ARM_VCPU_INIT", vm: 0, vcpu: 0, features: 4 },
      REQUEST,
      { kind: "modprobe_exit", name: "a", status: 256 },
      { kind: "KVM_RUN", vm: 0, vcpu: 0 },
    ],
    breaks: ["INV-1"],
  },
];
