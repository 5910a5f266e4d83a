// Sequences that are always run: what random ones reach seldom, and everything once.

import { branchOf } from "../../spec/branches/branches.ts";
import { SYSTEM } from "./debian-machine.ts";
import { UNTOUCHED_DEVICES } from "./generate.ts";
import {
  DYNAMIC_IDS,
  FINALIZE,
  ID_BASE,
  idOf,
  SHARE,
  TAKES_POINTER,
  UNSHARE,
} from "./hypercall-ids.ts";
import { hex, hostRead, hostWrite, hvc, type Sequence, smc } from "./script.ts";

/** A sequence that is written by hand. */
export interface NamedSequence {
  readonly name: string;
  readonly steps: Sequence;
}

const { carveOut } = branchOf(SYSTEM).layout;

const NOTHING = ["0x0", "0x0", "0x0", "0x0"];

const range = (from: number, end: number): readonly number[] =>
  Array.from({ length: end - from }, (_, n) => from + n);

/** Ids whose handlers follow an address that they are given. */
const pointers = new Set(TAKES_POINTER.map(idOf));

/** Every id from 0 to the end of the dynamic ones, but for those that follow an address. */
const everyId: Sequence = range(ID_BASE, DYNAMIC_IDS.end)
  .filter((id) => !pointers.has(id))
  .map((id) => hvc(id, NOTHING, { cpu: id & 1 }));

/** Ids that look like one that there is. */
const lookalikes: Sequence = [
  ...[0x1_0000_0000n, 0xffff_ffff_0000_0000n].flatMap((upper) =>
    [FINALIZE, SHARE, DYNAMIC_IDS.first].map((id) => hvc(upper + BigInt(id), ["P"])),
  ),
  ...[0x8600_0009, 0xc500_0009, 0x4600_0009, 0xc601_0009].map((id) => hvc(id, ["P"])),
  ...range(0, 6).map((id) => hvc(id, NOTHING)),
  ...[0x8400_0000, 0xc400_0003, 0xbadc_a11].map((id) => hvc(id, NOTHING)),
  ...[1, 5, 0xffff].flatMap((imm) => [hvc(SHARE, ["P"], { imm }), hvc(UNSHARE, ["P"], { imm })]),
];

/** Share and unshare in every order, on both CPUs. */
const orders: Sequence = [UNSHARE, SHARE, SHARE, UNSHARE, UNSHARE].flatMap((id, n) => [
  hvc(id, ["P"], { cpu: n & 1 }),
  hvc(id, ["P+1", "0x7", "0x8", "0x9"], { cpu: ~n & 1 }),
]);

/** Pages of every kind: share, share again, unshare, unshare again. */
const kindsOfPages: Sequence = [
  ...["P+0x10000000000000", "P+0xfff0000000000000"],
  ...[carveOut.first, carveOut.first + 1, carveOut.last - 1, carveOut.last, carveOut.last + 1],
  ...[carveOut.first - 1, 0x0, 0x4, 0x8000, 0x80a0, 0x9000, 0xa000, 0x1_0000, 0x3_ffff],
  ...[UNTOUCHED_DEVICES.first - 1n, 0xfff_ffffn, 0x1000_0000n, 0x4_0000_0000n, 0xf_ffff_ffffn],
  ...[(1n << 52n) - 1n, 1n << 52n, 1n << 63n, (1n << 64n) - 1n],
].flatMap((page) => {
  const pfn = typeof page === "string" ? page : hex(page);
  return [SHARE, SHARE, UNSHARE, UNSHARE].map((id, n) => hvc(id, [pfn], { cpu: n & 1 }));
});

/** What is stored is there, whoever shares the page meanwhile, and whichever CPU looks. */
const memory: Sequence = [
  hostRead("P.pa"),
  hostWrite("P.pa", "0x1234"),
  hvc(SHARE, ["P"]),
  hostRead("P.pa", 1),
  hostWrite("P.pa", "0x5678", 1),
  hostRead("P.pa"),
  hvc(UNSHARE, ["P"], { cpu: 1 }),
  hostRead("P.pa", 1),
  hostRead("P.pa+0x1000", 1),
];

/** SMCs: PSCI, the SMCCC's own, FF-A, other owners, and one that is an id of the hypervisor. */
const secure: Sequence = [0, 1].flatMap((cpu) => [
  ...[0x8400_0000, 0x8400_0006, 0x8400_0007, 0x8000_0000].map((id) => smc(id, [], cpu)),
  ...["0xc4000003", "0x84000001", "0xc4000001", "0x12345"].map((id) => smc(0x8400_000a, [id], cpu)),
  ...["0x0", "0x1", "0x7"].map((mpidr) => smc(0xc400_0004, [mpidr, "0x0"], cpu)),
  ...["0x0", "0x1", "0x9"].map((mpidr) => smc(0xc400_0003, [mpidr, "0x40000000", "0x0"], cpu)),
  ...[0x8400_0063, 0x8400_0066, 0x8400_0069, 0xc400_0073].map((id) => smc(id, NOTHING, cpu)),
  ...[0x8200_0000, 0x8300_0000, 0xc300_0000, 0xb200_0000, 0xffff_ffff, 0].map((id) =>
    smc(id, [], cpu),
  ),
  // PSCI_VERSION with the SVE hint, and with upper bits that count.
  ...[0x8401_0000n, 0x1_8400_0000n, 0xffff_ffff_8400_0000n].map((id) => smc(id, [], cpu)),
  smc(SHARE, ["P"], cpu),
]);

/** Hypercalls that look at no memory of the host. */
const harmless: Sequence = [0, 1].flatMap((cpu) => [
  hvc(FINALIZE, [], { cpu }),
  hvc(idOf("__kvm_flush_vm_context"), [], { cpu }),
  hvc(idOf("__kvm_timer_set_cntvoff"), ["0x0"], { cpu }),
  ...["0x0", "0xffffffffffffffff", "0x4c0008"].flatMap((value) => [
    hvc(idOf("__vgic_v3_write_vmcr"), [value], { cpu }),
    hvc(idOf("__vgic_v3_read_vmcr"), [], { cpu }),
  ]),
]);

/** What is always run, in order. */
export const DIRECTED: readonly NamedSequence[] = [
  { name: "every id", steps: everyId },
  { name: "ids that look like one that there is", steps: lookalikes },
  { name: "share and unshare in every order", steps: orders },
  { name: "pages of every kind", steps: kindsOfPages },
  { name: "memory", steps: memory },
  { name: "SMCs", steps: secure },
  { name: "hypercalls that look at no memory", steps: harmless },
];

const pageAt = (pfn: number, offset = 0): string => hex(BigInt(pfn) * 4096n + BigInt(offset));

/** What takes the machine down: each has a boot of its own. */
export const FATAL: readonly NamedSequence[] = [
  { name: "load from the hypervisor's first page", steps: [hostRead(pageAt(carveOut.first))] },
  {
    name: "load from the hypervisor's last page, on CPU 1, after a share",
    steps: [hvc(SHARE, ["P"]), hostRead(pageAt(carveOut.last, 0xff8), 1)],
  },
  {
    name: "store to the hypervisor's first page, on CPU 1",
    steps: [hostWrite(pageAt(carveOut.first), "0x1234", 1)],
  },
  { name: "store to the hypervisor's last page", steps: [hostWrite(pageAt(carveOut.last), "0x0")] },
  ...TAKES_POINTER.map((name, n) => ({
    name: `${name} of address 0`,
    steps: [hvc(idOf(name), NOTHING, { cpu: n & 1 })],
  })),
];
