// How a VM ends: nobody runs it, its pages come back emptied, then all that it was made of.

import { clause, type StepClause } from "../clause.ts";
import { pageAt } from "../machine.ts";
import { cite, type Source } from "../sources.ts";
import { PAGE_SHIFT, type Pfn } from "../types/address.ts";
import { type GuestStage2, type HypVm, vmidOf } from "../types/hyp-vm.ts";
import { eventsOf } from "../types/outcome.ts";
import { type PageState, PLAIN_PAGE } from "../types/page.ts";
import { hypVcpuBytes, hypVmBytes, KVM, SIZE } from "../vm-layout.ts";
import { argument, pfnArgument } from "./hypercall.ts";
import { emptiedAndGiven, emptyWhenGained, handsAreTold, pushedOnto } from "./memory-order.ts";
import {
  all,
  answers,
  changesOnly,
  ensure,
  equal,
  panics,
  refuses,
  type Verdict,
} from "./phrases.ts";
import {
  type Check,
  failsAt,
  guestPageAt,
  type HvcStep,
  handleArgument,
  isAboutVms,
  listAt,
  pagesBecome,
  pagesFrom,
  passes,
  pinnedBy,
  tableWith,
  vmNamed,
} from "./vm-lookup.ts";

const START = "__pkvm_start_teardown_vm";
const RECLAIM = "__pkvm_reclaim_dying_guest_page";
const FINALIZE = "__pkvm_finalize_teardown_vm";
const read = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/pkvm.c`);

const isThere: Check = (step) => vmNamed(step) !== undefined;
const isDying: Check = (step) => vmNamed(step)?.isDying === true;

const START_CHECKS: readonly Check[] = [
  isThere,
  (step) => !step.pre.loaded.some((which) => which?.handle === handleArgument(step)),
  (step) => !isDying(step),
];

const askedAddress = (step: HvcStep): bigint => argument(step, 3);
const mappedThere = (step: HvcStep) => guestPageAt(vmNamed(step), askedAddress(step));

const RECLAIM_CHECKS: readonly Check[] = [
  isDying,
  (step) => askedAddress(step) >> 40n === 0n,
  (step) => mappedThere(step) !== undefined,
  (step) => mappedThere(step)?.pfn === pfnArgument(step, 2),
];

/** Tables in the order in which they are freed: what lies below one is freed before it. */
function tablesAsFreed({ level2, level3 }: GuestStage2): readonly Pfn[] {
  const rows = [
    ...[...level3].map(([index, page]) => ({ end: (index + 1) * 512, level: 3, page })),
    ...[...level2].map(([index, page]) => ({ end: (index + 1) * 512 * 512, level: 2, page })),
  ];
  return rows.sort((a, b) => a.end - b.end || b.level - a.level).map(({ page }) => page);
}

/** The root's two pages. */
const rootOf = ({ root }: GuestStage2): readonly Pfn[] =>
  pagesFrom(BigInt(root) << PAGE_SHIFT, SIZE.pgd) ?? [];

/** What goes to the host's list of tables: the oldest first. */
const asTables = ({ stage2, vcpus }: HypVm): readonly Pfn[] => [
  ...stage2.pool,
  ...tablesAsFreed(stage2),
  ...rootOf(stage2),
  ...vcpus.flatMap(({ memcache }) => memcache),
];

const block = (first: Pfn, bytes: bigint): readonly Pfn[] =>
  pagesFrom(BigInt(first) << PAGE_SHIFT, bytes) ?? [];

/** What goes to the host's list of metadata: vCPUs, last_ran, the VM. */
const asMetadata = ({ pre }: HvcStep, vm: HypVm): readonly Pfn[] => [
  ...vm.vcpus.flatMap(({ memory }) => block(memory, hypVcpuBytes(pre))),
  ...(vm.lastRan === undefined ? [] : [vm.lastRan]),
  ...block(vm.memory, hypVmBytes(pre, vm.createdVcpus)),
];

const FINALIZE_CHECKS: readonly Check[] = [
  isThere,
  isDying,
  (step) => {
    const vm = vmNamed(step);
    const memory = vm === undefined ? [] : [...asTables(vm), ...asMetadata(step, vm)];
    return memory.every((page) => pageAt(step.pre, page).hyp === "OWNED");
  },
];

/** A stage 2 without one page, and without the tables that only it needed. */
export function withoutPage(stage2: GuestStage2, gfn: number): GuestStage2 {
  const pages = new Map(stage2.pages);
  pages.delete(gfn);
  const left = [...pages.keys(), ...stage2.guarded];
  const needed = (tables: GuestStage2["level2"], frames: number) =>
    new Map(
      [...tables].filter(([index]) => left.some((other) => Math.floor(other / frames) === index)),
    );
  return {
    ...stage2,
    pages,
    level2: needed(stage2.level2, 512 * 512),
    level3: needed(stage2.level3, 512),
    pool: [],
  };
}

/** Every page of a host structure loses a pin; one that lies in two structures loses two. */
function unpinned(step: HvcStep, vm: HypVm): ReadonlyMap<Pfn, PageState> {
  const pins = new Map<Pfn, PageState>();
  const structures = [
    ...vm.vcpus.map(({ hostVcpu }) => [hostVcpu, SIZE.vcpu] as const),
    [vm.hostKvm, SIZE.kvm] as const,
  ];
  for (const [at, bytes] of structures) {
    for (const [page, state] of pinnedBy(step.pre, at, bytes, -1)) {
      const before = pins.get(page);
      pins.set(page, before === undefined ? state : { ...state, refcount: before.refcount - 1 });
    }
  }
  return pins;
}

function reclaimed(step: HvcStep): Verdict {
  const [vm, mapped] = [vmNamed(step), mappedThere(step)];
  if (vm === undefined || mapped === undefined) return "nothing is mapped there";
  const stage2 = withoutPage(vm.stage2, Number(askedAddress(step) >> PAGE_SHIFT));
  const kept = new Set([...stage2.level2.values(), ...stage2.level3.values()]);
  const freed = [...vm.stage2.pool, ...tablesAsFreed(vm.stage2)].filter((page) => !kept.has(page));
  const isPrivate = mapped.state === "OWNED";
  const list = vm.hostKvm + KVM.teardownStage2Mc;
  return all(
    answers(step.outcome, 0),
    tableWith(step, handleArgument(step), { ...vm, stage2 }),
    pagesBecome(step, new Map([mapped.pfn, ...freed].map((page) => [page, PLAIN_PAGE]))),
    isPrivate ? emptiedAndGiven(step, [mapped.pfn], 4096n) : true,
    ensure(
      step.post.memProtect === step.pre.memProtect - (isPrivate ? 1 : 0),
      "MEM_PROTECT does not count it as it is",
    ),
    pushedOnto(step, list, listAt(step, list), freed),
    changesOnly(step, "vmTable", "pages", "memProtect"),
  );
}

function finalised(step: HvcStep): Verdict {
  const vm = vmNamed(step);
  if (vm === undefined) return "there is no VM";
  const own = [...asTables(vm), ...asMetadata(step, vm)].map((page) => [page, PLAIN_PAGE] as const);
  return all(
    answers(step.outcome, 0),
    tableWith(step, handleArgument(step), undefined),
    pagesBecome(step, new Map([...own, ...unpinned(step, vm)])),
    changesOnly(step, "vmTable", "pages"),
  );
}

export const VM_TEARDOWN: readonly StepClause[] = [
  clause({
    id: "VM-40",
    kind: "kernel",
    statement: "The teardown of a VM that is not there is refused.",
    source: [read(START), cite("measured", "vmbad: -2")],
    on: ["hvc"],
    applies: failsAt(START, START_CHECKS, 0),
    holds: (step) => refuses(step, "ENOENT"),
  }),
  clause({
    id: "VM-41",
    kind: "kernel",
    statement: "The teardown of a VM with a loaded vCPU stops the machine.",
    source: [
      read(`${START}: WARN_ON, which EL2 dies of`),
      cite("measured", "life-teardown-loaded: hyp BUG, both builds"),
    ],
    on: ["hvc"],
    applies: failsAt(START, START_CHECKS, 1),
    holds: ({ outcome }) => panics(outcome, "TEARDOWN_WHILE_LOADED"),
  }),
  clause({
    id: "VM-42",
    kind: "kernel",
    statement: "A teardown is started once.",
    source: [read(START), cite("measured", "life-p: -22")],
    on: ["hvc"],
    applies: failsAt(START, START_CHECKS, 2),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-43",
    kind: "kernel",
    statement: "A VM whose teardown is started is dying, and nothing else changes.",
    source: [read(START), cite("measured", "life-p, life-map-p: 0")],
    on: ["hvc"],
    applies: passes(START, START_CHECKS),
    holds: (step) => {
      const vm = vmNamed(step);
      return all(
        answers(step.outcome, 0),
        tableWith(step, handleArgument(step), vm && { ...vm, isDying: true }),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "VM-45",
    kind: "kernel",
    statement: "Only pages of a VM that is dying are reclaimed.",
    source: [read(RECLAIM), cite("measured", "life-p, life-map-p, vmbad: -22")],
    on: ["hvc"],
    applies: failsAt(RECLAIM, RECLAIM_CHECKS, 0),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-46",
    kind: "kernel",
    statement: "An address beyond the guest's 40 bits is refused.",
    source: [cite("android14-6.1", "kvm_pgtable_get_leaf, _kvm_pgtable_walk, hyp/pgtable.c")],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(RECLAIM, RECLAIM_CHECKS, 1),
    holds: (step) => refuses(step, "ERANGE"),
  }),
  clause({
    id: "VM-47",
    kind: "kernel",
    statement: "Where the guest has no page nothing is reclaimed.",
    source: [
      cite("android14-6.1", "__pkvm_host_reclaim_page, hyp/nvhe/mem_protect.c"),
      cite("measured", "life-map-p: -22 the second time"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(RECLAIM, RECLAIM_CHECKS, 2),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-48",
    kind: "kernel",
    statement: "A page is reclaimed from the address at which the guest has it.",
    source: [
      cite("android14-6.1", "__pkvm_host_reclaim_page, hyp/nvhe/mem_protect.c"),
      cite("measured", "life-map-p: -1 for another page or another address"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(RECLAIM, RECLAIM_CHECKS, 3),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "VM-49",
    kind: "kernel",
    statement: "A reclaimed page is plainly the host's; a private one is emptied before that.",
    source: [
      cite("android14-6.1", "__pkvm_host_reclaim_page, hyp_poison_page, mem_protect.c"),
      cite("measured", "life-map-p: reads 0, can be shared; random-life-201: tables come back"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: passes(RECLAIM, RECLAIM_CHECKS),
    holds: reclaimed,
  }),
  clause({
    id: "VM-50",
    kind: "kernel",
    statement: "The end of a VM that is not there is refused.",
    source: [read(FINALIZE), cite("measured", "life-p, vmbad: -2")],
    on: ["hvc"],
    applies: failsAt(FINALIZE, FINALIZE_CHECKS, 0),
    holds: (step) => refuses(step, "ENOENT"),
  }),
  clause({
    id: "VM-51",
    kind: "kernel",
    statement: "A VM does not end before its teardown is started.",
    source: [read(FINALIZE), cite("measured", "life-p, life-teardown-loaded: -16")],
    on: ["hvc"],
    applies: failsAt(FINALIZE, FINALIZE_CHECKS, 1),
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "VM-52",
    kind: "kernel",
    statement: "A VM whose memory a module gave away cannot end: EL2 does not survive it.",
    source: [read("teardown_donated_memory: memset, then WARN_ON of the donation")],
    on: ["hvc"],
    applies: failsAt(FINALIZE, FINALIZE_CHECKS, 2),
    holds: ({ outcome }) => panics(outcome, "EL2_ABORT"),
  }),
  clause({
    id: "VM-53",
    kind: "kernel",
    statement: "A VM that ends gives back all that it was made of, and no page of the guest.",
    source: [
      read(FINALIZE),
      cite("measured", "life-p, life-map-p: handle 0x1000 is free, a page not reclaimed is lost"),
    ],
    on: ["hvc"],
    applies: passes(FINALIZE, FINALIZE_CHECKS),
    holds: finalised,
  }),
  clause({
    id: "VM-54",
    kind: "kernel",
    statement: "What is cached under a VMID is flushed before the memory of its VM comes back.",
    source: [read(`${FINALIZE}: __kvm_tlb_flush_vmid`)],
    on: ["hvc"],
    applies: passes(FINALIZE, FINALIZE_CHECKS),
    holds: (step) => {
      const events = eventsOf(step.outcome);
      const vmid = vmidOf(handleArgument(step));
      const flushed = events.findIndex((event) => equal(event, { kind: "flush vmid", vmid }));
      const given = events.findIndex(({ kind }) => kind === "give");
      return ensure(flushed >= 0 && flushed < given, `VMID ${vmid} is not flushed first`);
    },
  }),
  clause({
    id: "VM-55",
    kind: "kernel",
    statement: "What comes back at the end hangs in two lists of the host, the last page in front.",
    source: [
      read("teardown_donated_memory, drain_hyp_pool, push_hyp_memcache"),
      cite("measured", "life-map-p, life-map-np: heads, lengths and links of both lists"),
    ],
    on: ["hvc"],
    applies: passes(FINALIZE, FINALIZE_CHECKS),
    holds: (step) => {
      const vm = vmNamed(step);
      if (vm === undefined) return "there is no VM";
      const [metadata, tables] = [KVM.teardownMc, KVM.teardownStage2Mc].map(
        (offset) => vm.hostKvm + offset,
      ) as [bigint, bigint];
      return all(
        pushedOnto(step, metadata, listAt(step, metadata), asMetadata(step, vm)),
        pushedOnto(step, tables, listAt(step, tables), asTables(vm)),
      );
    },
  }),
  clause({
    id: "VM-56",
    kind: "kernel",
    statement: "What the host gains from EL2 or a guest is emptied before the host has it.",
    source: [
      read("unmap_donated_memory, teardown_donated_memory; hyp_poison_page, mem_protect.c"),
      cite("measured", "life-p, life-map-p: every returned page reads 0 but for its link"),
    ],
    on: ["hvc"],
    applies: (step) => isAboutVms(step) && eventsOf(step.outcome).length > 0,
    holds: emptyWhenGained,
  }),
  clause({
    id: "VM-57",
    kind: "kernel",
    statement: "A call about VMs moves no page without taking or giving it.",
    source: [cite("android14-6.1", "do_donate, host_stage2_set_owner_locked, mem_protect.c")],
    on: ["hvc"],
    applies: (step) => isAboutVms(step) && step.outcome.kind === "hcall",
    holds: handsAreTold,
  }),
];
