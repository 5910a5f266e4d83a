// Walks on every branch: what its kernels answer for pages that are no memory, and to a host that
// touches another's.

import { BRANCH_NAMES, type BranchName } from "../../spec/branches/branch.ts";
import { BRANCHES, hcallNumber, hostSmcccId } from "../../spec/branches/branches.ts";
import type { Action, Hvc } from "../../spec/types/action.ts";
import { pfn } from "../../spec/types/address.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import type { Walk } from "./walks.ts";

/** A hypercall of a branch by its name. */
export function hypercallOn(branch: BranchName, name: string, ...args: readonly bigint[]): Hvc {
  const number = hcallNumber(BRANCHES[branch], name);
  if (number === undefined) throw new Error(`${branch} has no ${name}`);
  const given = [hostSmcccId(number), ...args];
  return { kind: "hvc", cpu: 0, imm: 0, x: Array.from({ length: 18 }, (_, n) => given[n] ?? 0n) };
}

/** From power-on to a host that is behind its stage 2 on both CPUs. */
export const deprivileged = (branch: BranchName): readonly Action[] => [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
  { kind: "pkvm_load_early_modules" },
  { kind: "pkvm_drop_host_privileges" },
  hypercallOn(branch, "__pkvm_prot_finalize"),
  { ...hypercallOn(branch, "__pkvm_prot_finalize"), cpu: 1 },
];

/** A device that every kernel has reached, one that none has, memory, and beyond 40 and 52 bits. */
const FRAMES = [0x9000n, 0x10_0000n, 0x5_0000n, 0x1000_0000n, 0xf_ffff_ffff_ffffn];

const op = (name: string, frame: bigint): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args: [frame],
});

const WHY = "the machine boots the branches that were measured";

const LTS: SystemConfig = {
  branch: "mainline-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

const onLts = (name: string, actions: readonly Action[]): Walk => ({
  name: `mainline-6.1: ${name}`,
  why: "only a host that calls the hypervisor by itself does it",
  system: LTS,
  actions: [...deprivileged(LTS.branch), ...actions],
  breaks: [],
});
const call = (name: string, ...args: readonly bigint[]) => hypercallOn(LTS.branch, name, ...args);

/** The hypercalls of KVM, each of which that follows an address in a walk of its own. */
const KVM_WALKS: readonly Walk[] = [
  onLts("the registers that KVM sets", [
    ...[0n, 0xffff_ffff_ffff_ffffn, 0x14_0000n].flatMap((value) => [
      { ...call("__vgic_v3_read_vmcr"), cpu: 1 },
      call("__vgic_v3_write_vmcr", value),
      call("__vgic_v3_read_vmcr"),
    ]),
    call("__kvm_timer_set_cntvoff", 0n),
    call("__kvm_flush_vm_context"),
  ]),
  ...[
    "__kvm_adjust_pc",
    "__kvm_vcpu_run",
    "__kvm_tlb_flush_vmid_ipa",
    "__kvm_tlb_flush_vmid",
    "__kvm_flush_cpu_context",
    "__vgic_v3_save_aprs",
    "__vgic_v3_restore_aprs",
    "__pkvm_vcpu_init_traps",
  ].map((name) => onLts(`${name} of address 0`, [call(name, 0n)])),
];

/** What a host can do to pages on any branch. */
const PAGE_WALKS: readonly Walk[] = BRANCH_NAMES.flatMap((branch): readonly Walk[] => {
  const system: SystemConfig = { branch, build: "production", documented: false, cpuCount: 2 };
  const { vendorModules, layout } = BRANCHES[branch];
  const byCall = (way: string) => (frame: bigint) =>
    hypercallOn(branch, `__pkvm_host_${way}_hyp`, frame);
  const walk = (name: string, actions: readonly Action[]): Walk => ({
    name: `${branch}: ${name}`,
    why: WHY,
    system,
    actions: [...deprivileged(branch), ...actions],
    breaks: [],
  });
  const ways = [
    ["by hypercall", byCall("share"), byCall("unshare")],
    ["by op", (f: bigint) => op("host_share_hyp", f), (f: bigint) => op("host_unshare_hyp", f)],
  ] as const;
  return [
    ...ways.slice(0, vendorModules ? 2 : 1).map(([how, share, unshare]) =>
      walk(
        `odd pages are shared and unshared ${how}`,
        FRAMES.flatMap((frame) => [unshare(frame), share(frame), share(frame), unshare(frame)]),
      ),
    ),
    walk("a protected VM, and a page of the hypervisor's is touched", [
      { kind: "KVM_CREATE_VM", vm: 0, type: 0 },
      { kind: "KVM_CREATE_VM", vm: 1, type: 0x8000_0000 },
      { kind: "host_mem_abort", cpu: 0, page: pfn(layout.carveOut.first) },
      { kind: "host_mem_abort", cpu: 1, page: pfn(layout.carveOut.last) },
    ]),
  ];
});

/** Three modules, of which only the first one's imports resolve. */
const IMPORTS: readonly Action[] = [0, -22, -34].flatMap((value, n): readonly Action[] => {
  const name = `a${n}`;
  const file = { sections: [], hasInit: true, hasExit: false, refused: undefined } as const;
  return [
    { kind: "load_module", name, ...file },
    { kind: "__pkvm_load_el2_module", name },
    { kind: "pkvm_reloc_imported_symbols", name, value },
  ];
});

/** On branches with several handlers of a kind, shared structures and checked addresses. */
const LATER_WALKS: readonly Walk[] = (["android16-6.12", "android17-6.18"] as const).flatMap(
  (branch): readonly Walk[] => {
    const later = (name: string, actions: readonly Action[]): Walk => ({
      name: `${branch}: ${name}`,
      why: "the examples of the branch register two handlers and load well",
      system: { ...LTS, branch },
      actions: [...deprivileged(branch).slice(0, 2), ...actions],
      breaks: [],
    });
    const hcall = (name: string, ...args: readonly bigint[]) => hypercallOn(branch, name, ...args);
    /** EL1's address of the page 0x50000. Source: measured, machines. */
    const struct = BRANCHES[branch].layout.linearMapBase + 0x1000_0000n;
    const words = new Map([
      [0x5000_0000n + 96n, 0xffff_ffc0_0000_1000n],
      [0x5000_0000n + 112n, 0x20_0000_b000n],
      [0x5000_0000n + 192n, 0xffff_ffc0_0000_1054n],
    ]);
    return [
      later("imports that resolve, and that do not", IMPORTS),
      ...["host_smc_handler", "host_perm_fault_handler"].map((type) =>
        later(`seventeen of ${type}, and NULL`, [
          ...Array.from({ length: 17 }, (_, n): Action => {
            return { kind: "op", cpu: 0, op: `register_${type}`, args: [BigInt(0x1000 + n)] };
          }),
          { kind: "op", cpu: 0, op: `register_${type}`, args: [0n] },
        ]),
      ),
      later("three handlers of SMCs, one after the other", [
        ...[1n, 2n, 3n].map((n): Action => {
          return { kind: "op", cpu: 0, op: "register_host_smc_handler", args: [n << 12n] };
        }),
        { kind: "smc", cpu: 0, imm: 0, x: [0x8300_ff01n] },
        ...[0, 1, 2].map((handler): Action => {
          const kind = "host_smc_handler_returned";
          return { kind, cpu: 0, handler, handled: false, x: [0x8300_ff01n] };
        }),
      ]),
      later("a structure that is shared, and one that is not", [
        hcall("__pkvm_init_module", struct),
        hcall("__pkvm_host_share_hyp", 0x5_0000n),
        { ...hcall("__pkvm_init_module", struct), words },
        { kind: "el2_init_returned", cpu: 0, value: 0n },
      ]),
      later("module pages between pages", [
        hcall("__pkvm_alloc_module_va", 2n),
        hcall("__pkvm_map_module_page", 0x5_0000n, 0x20_0000_a008n, 5n),
        hcall("__pkvm_map_module_page", 0x5_0000n, 0x20_0000_a000n, 5n),
        hcall("__pkvm_unmap_module_page", 0x5_0000n, 0x20_0000_a008n),
        hcall("__pkvm_unmap_module_page", 0x5_0000n, 0x20_0000_a000n),
      ]),
      later(
        "what the kernel asks before it flips the key",
        ["__pkvm_devices_init", "__pkvm_late_cpus_finalize"]
          .filter((name) => BRANCHES[branch].hcalls.includes(name))
          .map((name) => hcall(name)),
      ),
      ...(branch === "android17-6.18"
        ? [
            later("an early mapping is left", [
              { kind: "op", cpu: 0, op: "linear_map_early", args: [0x5000_0000n, 0x1000n, 6n] },
              hcall("__pkvm_late_cpus_finalize"),
            ]),
          ]
        : []),
      later("devices are given away", [
        ...[0n, 1n].map((asked): Action => {
          return { kind: "op", cpu: 0, op: "host_donate_hyp", args: [0x9000n, 1n, asked] };
        }),
      ]),
    ];
  },
);

/** All of them. */
export const BRANCH_WALKS: readonly Walk[] = [...PAGE_WALKS, ...KVM_WALKS, ...LATER_WALKS];
