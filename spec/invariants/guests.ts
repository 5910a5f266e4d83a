// What is true of every state about VMs: their memory, their pages, and who has what loaded.

import type { Invariant } from "../clause.ts";
import { pagesHolding } from "../clauses/vm-lookup.ts";
import { pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import type { Pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import { type GuestPage, HANDLE_OFFSET, type HypVm, KVM_MAX_PVMS } from "../types/hyp-vm.ts";
import type { PageState } from "../types/page.ts";
import { hypVcpuBytes, hypVmBytes, pagesFor, SIZE } from "../vm-layout.ts";

const hex = (value: number): string => `0x${value.toString(16)}`;
const hasVms = ({ vmTable }: Hyp): boolean => vmTable.size > 0;

const run = (first: Pfn, bytes: bigint): readonly Pfn[] =>
  Array.from({ length: Number(pagesFor(bytes)) }, (_, n) => (first + n) as Pfn);

/** Every page that a VM is made of. */
const memoryOf = (
  hyp: Hyp,
  { memory, createdVcpus, lastRan, vcpus, stage2 }: HypVm,
): readonly Pfn[] => [
  ...run(memory, hypVmBytes(hyp, createdVcpus)),
  ...(lastRan === undefined ? [] : [lastRan]),
  ...vcpus.flatMap((vcpu) => [...run(vcpu.memory, hypVcpuBytes(hyp)), ...vcpu.memcache]),
  ...run(stage2.root, SIZE.pgd),
  ...stage2.level2.values(),
  ...stage2.level3.values(),
  ...stage2.pool,
];

/** What the host's table must say of a guest's page. */
const HOST_SAYS: Readonly<Record<GuestPage["state"], Pick<PageState, "host" | "owner" | "hyp">>> = {
  OWNED: { host: "NOPAGE", owner: "GUEST", hyp: "NOPAGE" },
  SHARED_OWNED: { host: "SHARED_BORROWED", owner: "GUEST", hyp: "NOPAGE" },
  SHARED_BORROWED: { host: "SHARED_OWNED", owner: "HOST", hyp: "NOPAGE" },
};

/** All pages of all guests. */
const guestPages = ({ vmTable }: Hyp) =>
  [...vmTable].flatMap(([handle, vm]) =>
    [...vm.stage2.pages].map(([gfn, page]) => ({ handle, vm, gfn, ...page })),
  );

/** What comes a second time in a list. */
function repeated(pages: readonly Pfn[]): readonly Pfn[] {
  const [seen, again] = [new Set<Pfn>(), new Set<Pfn>()];
  for (const page of pages) (seen.has(page) ? again : seen).add(page);
  return [...again];
}

/** How often the structures of VMs lie in each page of the host. */
function structures({ vmTable }: Hyp): ReadonlyMap<Pfn, number> {
  const uses = new Map<Pfn, number>();
  const places = [...vmTable.values()].flatMap(({ hostKvm, vcpus }) => [
    ...pagesHolding(hostKvm, SIZE.kvm),
    ...vcpus.flatMap(({ hostVcpu }) => pagesHolding(hostVcpu, SIZE.vcpu)),
  ]);
  for (const page of places) uses.set(page, (uses.get(page) ?? 0) + 1);
  return uses;
}

/** Whether a page is with a guest as the host's table has it. */
const isWithGuest = ({ host, owner, hyp }: PageState): boolean =>
  owner === "GUEST" || (host === "SHARED_OWNED" && hyp === "NOPAGE");

export const GUEST_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-26",
    kind: "kernel",
    statement: "The memory that a VM is made of is the hypervisor's, and each page serves once.",
    source: [cite("android14-6.1", "map_donated_memory, hyp/nvhe/pkvm.c; refill_memcache, mm.c")],
    applies: hasVms,
    violations: (hyp) => {
      const pages = [...hyp.vmTable.values()].flatMap((vm) => memoryOf(hyp, vm));
      return [
        ...pages
          .filter((page) => pageAt(hyp, page).hyp !== "OWNED")
          .map((page) => `pfn ${hex(page)} of a VM is not the hypervisor's`),
        ...repeated(pages).map((page) => `pfn ${hex(page)} serves twice`),
      ];
    },
  },
  {
    id: "INV-27",
    kind: "kernel",
    statement: "What a guest has, the host's table says it has, in the same way.",
    source: [
      cite("android14-6.1", "do_share, do_donate: both sides change together, mem_protect.c"),
      cite("measured", "life-map-p, life-map-np: host reads and shares of guest pages"),
    ],
    applies: (hyp) => guestPages(hyp).length > 0,
    violations: (hyp) =>
      guestPages(hyp).flatMap(({ handle, gfn, pfn, state }) => {
        const { host, owner, hyp: el2 } = pageAt(hyp, pfn);
        const wanted = HOST_SAYS[state];
        return host === wanted.host && owner === wanted.owner && el2 === wanted.hyp
          ? []
          : [`VM ${hex(handle)} has gfn ${hex(gfn)} ${state}, the host pfn ${hex(pfn)} ${host}`];
      }),
  },
  {
    id: "INV-28",
    kind: "kernel",
    statement: "A page is with one guest, at one address.",
    source: [cite("android14-6.1", "host_request_owned_transition, hyp/nvhe/mem_protect.c")],
    applies: (hyp) => guestPages(hyp).length > 0,
    violations: (hyp) =>
      repeated(guestPages(hyp).map(({ pfn }) => pfn)).map(
        (page) => `pfn ${hex(page)} is mapped twice`,
      ),
  },
  {
    id: "INV-29",
    kind: "kernel",
    statement: "What is with a guest is with one that is there.",
    source: [cite("android14-6.1", "__pkvm_finalize_teardown_vm: asks for no page of the guest")],
    applies: ({ pages }) => [...pages.values()].some(isWithGuest),
    violations: (hyp) => {
      const known = new Set(guestPages(hyp).map(({ pfn }) => pfn));
      return [...hyp.pages]
        .filter(([page, state]) => isWithGuest(state) && !known.has(page))
        .map(([page]) => `pfn ${hex(page)} is with a guest that is gone`);
    },
  },
  {
    id: "INV-30",
    kind: "kernel",
    statement: "PSCI MEM_PROTECT counts the pages that guests have for themselves.",
    source: [cite("android14-6.1", "psci_mem_protect_inc, psci_mem_protect_dec, psci-relay.c")],
    branches: ["android14-6.1"],
    applies: ({ pages }) => pages.size > 0,
    violations: ({ pages, memProtect }) => {
      const own = [...pages.values()].filter(
        ({ host, owner }) => host === "NOPAGE" && owner === "GUEST",
      ).length;
      return own === memProtect ? [] : [`${memProtect} are counted and ${own} are there`];
    },
  },
  {
    id: "INV-31",
    kind: "kernel",
    statement: "The host's structures of a VM are shared and pinned while the VM is there.",
    source: [
      cite("android14-6.1", "hyp_pin_shared_mem in __pkvm_init_vm, init_pkvm_hyp_vcpu"),
      cite("measured", "life-p: unshare of K and V is -16"),
    ],
    applies: hasVms,
    violations: (hyp) =>
      [...structures(hyp)].flatMap(([page, uses]) => {
        const { host, refcount } = pageAt(hyp, page);
        return host === "SHARED_OWNED" && refcount >= uses
          ? []
          : [`pfn ${hex(page)} holds ${uses} structures, is ${host} and pinned ${refcount} times`];
      }),
  },
  {
    id: "INV-32",
    kind: "kernel",
    statement: "A vCPU that is loaded is there, on one CPU, and its VM is not dying.",
    source: [cite("android14-6.1", "pkvm_load_hyp_vcpu, hyp/nvhe/pkvm.c")],
    applies: ({ loaded }) => loaded.some((which) => which !== undefined),
    violations: ({ loaded, vmTable }) =>
      loaded.flatMap((which, cpu) => {
        if (which === undefined) return [];
        const vm = vmTable.get(which.handle);
        const elsewhere = loaded.some(
          (other, at) => at < cpu && other?.handle === which.handle && other.vcpu === which.vcpu,
        );
        const name = `CPU ${cpu} has vCPU ${which.vcpu} of ${hex(which.handle)} loaded`;
        return [
          ...(vm?.vcpus[which.vcpu] === undefined ? [`${name}, which is not there`] : []),
          ...(vm?.isDying === true ? [`${name}, which is dying`] : []),
          ...(elsewhere ? [`${name}, and so has another CPU`] : []),
        ];
      }),
  },
  {
    id: "INV-33",
    kind: "kernel",
    statement: "Handles lie in the table, and no VM has more vCPUs than it was made for.",
    source: [cite("android14-6.1", "insert_vm_table_entry, __pkvm_init_vcpu, hyp/nvhe/pkvm.c")],
    applies: hasVms,
    violations: ({ vmTable }) =>
      [...vmTable].flatMap(([handle, { vcpus, createdVcpus, isProtected, pvmfwLoadAddr }]) => [
        ...(handle < HANDLE_OFFSET || handle >= HANDLE_OFFSET + KVM_MAX_PVMS
          ? [`${hex(handle)} is no handle`]
          : []),
        ...(vcpus.length > createdVcpus ? [`${hex(handle)} has ${vcpus.length} vCPUs`] : []),
        ...(!isProtected && pvmfwLoadAddr !== undefined
          ? [`${hex(handle)} is not protected and has a firmware`]
          : []),
      ]),
  },
];
