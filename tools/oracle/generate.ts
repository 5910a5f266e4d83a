// Random sequences: calls, loads and stores of two CPUs around a small pool of pages.

import fc from "fast-check";
import { branchOf } from "../../spec/branches/branches.ts";
import { PAGE_SIZE } from "../../spec/types/address.ts";
import { MACHINE, SYSTEM } from "./debian-machine.ts";
import { DYNAMIC_IDS, FINALIZE, ID_BASE, ID_END, idOf, SHARE, UNSHARE } from "./hypercall-ids.ts";
import { hex, hostRead, hostWrite, hvc, POOL, POOL_PAGES, type Sequence, smc } from "./script.ts";

type Step = Sequence[number];
type Numbers = fc.Arbitrary<string>;

const STEPS_MAX = 40;
const WORD = (1n << 64n) - 1n;

/** Bits of a pfn that the shift to an address keeps. Source: hyp_pfn_to_phys, nvhe/memory.h. */
const PFN_BITS = 52n;
/** Pages of the host's stage 2: 40 bits. Source: measured, the first that is out of range. */
const STAGE2_PAGES = 1n << 28n;

/** Source: ARM_SMCCC_1_3_SVE_HINT, linux/arm-smccc.h. */
const SVE_HINT = 1n << 16n;

const { carveOut } = branchOf(SYSTEM).layout;

const cpu = fc.integer({ min: 0, max: MACHINE.cpus - 1 });
const imm = fc.constantFrom(0, 0, 0, 1, 5, 0xffff);
const between = (min: bigint, max: bigint): Numbers => fc.bigInt({ min, max }).map(hex);
const word = between(0n, WORD);
const extra = fc.array(between(0n, 0xffffn), { maxLength: 3 });

const poolPage: Numbers = fc
  .nat({ max: POOL_PAGES - 1 })
  .map((n) => (n === 0 ? POOL : `${POOL}+${n}`));

/** The same page by a number whose upper bits the shift drops. */
const aliasedPage: Numbers = fc
  .tuple(poolPage, fc.bigInt({ min: 1n, max: (1n << (64n - PFN_BITS)) - 1n }))
  .map(([page, bits]) => `${page}+${hex(bits << PFN_BITS)}`);

/** Pages that no memory is behind and that the kernel has not reached: each accepts one share. */
export const UNTOUCHED_DEVICES = { first: 0x10_0000n, last: 0x1f_ffffn } as const;

/** Pages of every kind that the checks of share and unshare tell apart. */
const page: Numbers = fc.oneof(
  { weight: 24, arbitrary: poolPage },
  { weight: 3, arbitrary: aliasedPage },
  { weight: 3, arbitrary: between(BigInt(carveOut.first), BigInt(carveOut.last)) },
  { weight: 1, arbitrary: fc.constantFrom(carveOut.first, carveOut.last).map(hex) },
  { weight: 1, arbitrary: fc.constantFrom(carveOut.last + 1).map(hex) },
  { weight: 3, arbitrary: between(0n, 0x3_ffffn) },
  { weight: 1, arbitrary: between(UNTOUCHED_DEVICES.first, UNTOUCHED_DEVICES.last) },
  { weight: 2, arbitrary: between(STAGE2_PAGES, (1n << PFN_BITS) - 2n) },
  { weight: 2, arbitrary: fc.constantFrom(WORD, (1n << PFN_BITS) - 1n, 1n << 63n).map(hex) },
);

const ownership = fc
  .record({ id: fc.constantFrom(SHARE, UNSHARE), page, extra, cpu, imm })
  .map(({ id, page, extra, cpu, imm }): Step => hvc(id, [page, ...extra], { cpu, imm }));

/** Ids that the kernel does not answer, whatever is in the other registers. */
const unknownId = fc.oneof(
  between(BigInt(ID_BASE), BigInt(FINALIZE - 1)),
  between(BigInt(ID_END), BigInt(DYNAMIC_IDS.first - 1)),
  between(BigInt(DYNAMIC_IDS.first), BigInt(DYNAMIC_IDS.end - 1)),
  between(BigInt(DYNAMIC_IDS.end), 0xc600_ffffn),
  between(0xc601_0000n, 0xc601_ffffn),
  between(0n, 0x1fn),
  between(0x8400_0000n, 0x8400_00ffn),
  between(0xc400_0000n, 0xc400_00ffn),
  // A known id with upper bits that count.
  fc
    .tuple(fc.bigInt({ min: 1n, max: 0xffff_ffffn }), fc.constantFrom(SHARE, UNSHARE, FINALIZE))
    .map(([upper, id]) => hex((upper << 32n) | BigInt(id))),
  fc.constantFrom(SHARE, UNSHARE, FINALIZE).map((id) => hex(BigInt(id) | SVE_HINT)),
  word,
);

const unknown = fc
  .record({ id: unknownId, args: fc.array(word, { maxLength: 4 }), cpu, imm })
  .map(({ id, args, cpu, imm }): Step => hvc(BigInt(id), args, { cpu, imm }));

/** Hypercalls that look at no memory. */
const harmless = fc
  .record({
    call: fc.oneof(
      fc.constantFrom(FINALIZE, idOf("__kvm_flush_vm_context")).map((id) => ({ id, value: "0x0" })),
      fc.constant({ id: idOf("__kvm_timer_set_cntvoff"), value: "0x0" }),
      word.map((value) => ({ id: idOf("__vgic_v3_write_vmcr"), value })),
      word.map((value) => ({ id: idOf("__vgic_v3_read_vmcr"), value })),
    ),
    ...{ cpu, imm },
  })
  .map(({ call: { id, value }, cpu, imm }): Step => hvc(id, [value], { cpu, imm }));

const FEATURES_OF = [0x8400_0001, 0xc400_0001, 0xc400_0003, 0x8400_0003, 0x8400_0005, 0x1_2345];
/** Affinities of the machine's CPUs, and of none. */
const affinity = fc.constantFrom("0x0", "0x1", "0x2", "0x7", "0x9", "0x100");

/** PSCI functions that change nothing: both CPUs run, so nobody can be switched on. */
const psci = fc
  .oneof(
    fc.constantFrom(0x8400_0000, 0x8400_0006, 0x8400_0007).map((id) => ({ id, args: [] })),
    fc
      .constantFrom(...FEATURES_OF)
      .map((feature) => ({ id: 0x8400_000a, args: [hex(feature)] as readonly string[] })),
    fc
      .tuple(fc.constantFrom(0x8400_0004, 0xc400_0004), affinity)
      .map(([id, cpu]) => ({ id, args: [cpu, "0x0"] })),
    fc
      .tuple(fc.constantFrom(0x8400_0003, 0xc400_0003), affinity)
      .map(([id, cpu]) => ({ id, args: [cpu, "0x40000000", "0x0"] })),
    affinity.map((cpu) => ({ id: 0xc400_0005, args: [cpu] })),
  )
  .chain(({ id, args }) => cpu.map((cpu): Step => smc(id, args, cpu)));

/** SMCs for no secure service that is there: FF-A, other owners, other forms. */
const unknownSmc = fc
  .record({
    id: fc.oneof(
      between(0x8400_0060n, 0x8400_008fn),
      between(0xc400_0060n, 0xc400_008fn),
      between(0x8000_0000n, 0x8000_ffffn),
      between(0x8200_0000n, 0x83ff_ffffn),
      between(0xb200_0000n, 0xbfff_ffffn),
      between(0xc600_0000n, 0xc600_00ffn),
      fc.constantFrom(0x8400_0000n, 0xc400_0004n).map((id) => hex(id | SVE_HINT)),
      fc.bigInt({ min: 1n, max: 0xffff_ffffn }).map((upper) => hex((upper << 32n) | 0x8400_0000n)),
    ),
    args: fc.array(word, { maxLength: 3 }),
    cpu,
  })
  .map(({ id, args, cpu }): Step => smc(BigInt(id), args, cpu));

/** A doubleword of the pool. Few of each page, so that what was stored is loaded again. */
const place: Numbers = fc
  .tuple(fc.nat({ max: POOL_PAGES - 1 }), fc.constantFrom(0n, 8n, 0x800n, 0xff8n))
  .map(([n, offset]) => `${POOL}.pa+${hex(BigInt(n) * PAGE_SIZE + offset)}`);

const access = fc.oneof(
  fc.tuple(place, cpu).map(([at, cpu]): Step => hostRead(at, cpu)),
  fc.tuple(place, word, cpu).map(([at, value, cpu]): Step => hostWrite(at, value, cpu)),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: ownership },
  { weight: 3, arbitrary: unknown },
  { weight: 2, arbitrary: harmless },
  { weight: 2, arbitrary: psci },
  { weight: 1, arbitrary: unknownSmc },
  { weight: 4, arbitrary: access },
);

/** A sequence of steps, for one machine that others have used before. */
export const sequence: fc.Arbitrary<Sequence> = fc.array(step, {
  ...{ minLength: 1, maxLength: STEPS_MAX, size: "max" },
});
