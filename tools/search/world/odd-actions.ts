// Actions at the edges of what an argument can mean: ends of memory, overflow, others' pages.

import { OPS } from "../../../model/ops/ops.ts";
import { branchOf, hostSmcccId, slotOf } from "../../../spec/branches/branches.ts";
import type { Action } from "../../../spec/types/action.ts";
import { hasHcall, hcall, hvcOf, opOf } from "./calls.ts";
import type { World } from "./world.ts";

/**
 * Frames at which something begins or ends: memory, the hypervisor's own pages, devices, the 40
 * bits of the host's addresses, the 39 of EL2's, the 52 that a shift keeps. Source: the measured
 * machine.
 */
const FRAMES: readonly bigint[] = [
  0n,
  0x9000n,
  0x3_ffffn,
  0x4_0000n,
  0x7_f3ffn,
  0x7_f400n,
  0x7_fdffn,
  0x7_fe00n,
  0x7_ffffn,
  0x8_0000n,
  0x900_0000n,
  0xfff_ffffn,
  0x1000_0000n,
  0xf_ffff_ffff_fffen,
  0xf_ffff_ffff_ffffn,
  0x10_0000_0005_0000n,
  0xffff_ffff_ffff_ffffn,
];

/** Counts of pages: none, few, more than there is, and those that a shift loses. */
const COUNTS: readonly bigint[] = [0n, 2n, 0x4_0000n, 1n << 40n, 1n << 52n, 0xffff_ffff_ffff_ffffn];

/** Permissions that nobody may have, and some that only a table would notice. */
const PROTS: readonly bigint[] = [0n, 2n, 3n, 5n, 7n, 13n, 0x44n, 1n << 32n];

/** Addresses of EL2: null, unaligned, between maps, beyond them. */
const ADDRESSES: readonly bigint[] = [
  0n,
  0x20_0000_a001n,
  0x20_0000_afffn,
  0x40_0000_0000n,
  0x40_1000_0800n,
  0x40_3fff_ffffn,
  0x7f_ffff_f000n,
  0x80_0000_0000n,
  0xffff_ffff_ffff_f000n,
];

/** Numbers around the ends of the table and of what is registered, and forms that pass for them. */
function ids({ system, size }: World): readonly bigint[] {
  const { hcalls, dynamicBase = 128 } = branchOf(system);
  const numbers = [0, hcalls.length - 1, hcalls.length, dynamicBase - 1, dynamicBase + size.calls];
  return numbers.flatMap((number) => {
    const id = hostSmcccId(number);
    return [id, id | (1n << 16n), id + (1n << 32n), id & 0xffffn];
  });
}

/** Calls of a host. */
export function oddCalls(world: World, cpu: number): readonly Action[] {
  const { system } = world;
  const call = (name: string, ...args: readonly bigint[]): readonly Action[] =>
    hasHcall(system, name) ? [hcall(system, cpu, name, ...args)] : [];
  return [
    ...ids(world).map((id) => hvcOf(cpu, id)),
    ...FRAMES.flatMap((frame) => [
      ...call("__pkvm_host_share_hyp", frame),
      ...call("__pkvm_host_unshare_hyp", frame),
      ...call("__pkvm_map_module_page", frame, 0x80_0000_0000n, 5n),
    ]),
    ...PROTS.filter((prot) => prot !== 3n && prot !== 5n && prot !== 13n).flatMap((prot) =>
      call("__pkvm_map_module_page", 0x5_8000n, 0x20_0000_a000n, prot),
    ),
    ...COUNTS.filter((count) => count === 0n || count >= 1n << 40n).flatMap((count) =>
      call("__pkvm_alloc_module_va", count),
    ),
  ];
}

/** Ops of EL2 code. */
export function oddOps({ system }: World, cpu: number): readonly Action[] {
  const branch = branchOf(system);
  const op = (name: string, ...args: readonly bigint[]): readonly Action[] =>
    OPS.has(name) && slotOf(branch, name) !== undefined ? [opOf(cpu, name, ...args)] : [];
  return [
    ...FRAMES.flatMap((frame) => [
      ...op("host_share_hyp", frame),
      ...op("host_unshare_hyp", frame),
      ...op("host_donate_hyp", frame, 1n),
      ...op("hyp_donate_host", frame, 1n),
      ...op("host_stage2_mod_prot", frame, 0n),
      ...op("host_stage2_get_leaf", frame << 12n, 0n, 0n),
    ]),
    ...COUNTS.flatMap((count) => [
      ...op("host_donate_hyp", 0x5_0000n, count),
      ...op("hyp_donate_host", 0x5_0000n, count),
      ...op("host_stage2_mod_prot_range", 0x7_ffffn, 0n, count),
    ]),
    ...PROTS.flatMap((prot) => op("host_stage2_mod_prot", 0x5_0000n, prot)),
    ...ADDRESSES.flatMap((address) => [
      ...op("pin_shared_mem", address, address + 0x1000n),
      ...op("unpin_shared_mem", address, address + 0x1000n),
      ...op("create_private_mapping", address, 0x1000n, 7n, 0n),
    ]),
  ];
}
