// Walks through shares, donations, pins and protections: every refusal, and what is let in.

import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import type { Walk } from "./walks.ts";

const PRODUCTION: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};
const DEBUG: SystemConfig = { ...PRODUCTION, build: "el2debug" };

const UP: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
];

const op = (name: string, ...args: readonly bigint[]): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});
function hvc(name: string, frame: bigint): Action {
  const given = [hostSmcccId(ANDROID14_6_1.hcalls.indexOf(name)), frame];
  const x = Array.from({ length: 18 }, (_, n) => given[n] ?? 0n);
  return { kind: "hvc", cpu: 0, imm: 0, x };
}

const walk = (name: string, actions: readonly Action[], system = PRODUCTION): Walk => ({
  name,
  why: "no example module moves pages",
  system,
  actions: [...UP, ...actions],
  breaks: [],
});

/** A page of memory, its neighbour, a device, and a page of the hypervisor's. */
const PAGE = 0x50000n;
const DEVICE = 0x9000n;
const OWN = 0x7f400n;
/** EL2's address of a page. Source: measured, machines. */
const linear = (frame: bigint): bigint => (frame << 12n) + 0x40_0000_0000n - 0x4000_0000n;

/** The last frame number before the shift loses bits, and the first beyond 40 bits. */
const LAST = 0xf_ffff_ffff_ffffn;
const BEYOND = 0x1000_0000n;
/** A frame whose linear address EL2 does not have. */
const BEYOND_HYP = 0x900_0000n;
const ODD = [LAST, BEYOND, DEVICE, OWN, PAGE + (1n << 52n)];

const pin = op("pin_shared_mem", linear(PAGE), linear(PAGE) + 0x1000n);
const unpin = op("unpin_shared_mem", linear(PAGE), linear(PAGE) + 0x1000n);

/** By hypercall and by op the same. */
const SHARES: readonly Walk[] = (
  [
    ["by hypercall", (way: string, frame: bigint) => hvc(`__pkvm_host_${way}_hyp`, frame)],
    ["by op", (way: string, frame: bigint) => op(`host_${way}_hyp`, frame)],
  ] as const
).flatMap(([how, call]) => [
  walk(
    `odd pages are shared and unshared ${how}`,
    ODD.flatMap((frame) => [call("unshare", frame), call("share", frame), call("unshare", frame)]),
  ),
  walk(`a page is shared twice, pinned, unpinned, unshared twice ${how}`, [
    call("share", PAGE),
    call("share", PAGE),
    pin,
    pin,
    call("unshare", PAGE),
    unpin,
    call("unshare", PAGE),
    unpin,
    call("unshare", PAGE),
    call("unshare", PAGE),
  ]),
]);

const protect = (frame: bigint, prot: bigint): Action => op("host_stage2_mod_prot", frame, prot);
const protectRange = (frame: bigint, prot: bigint, nr: bigint): Action =>
  op("host_stage2_mod_prot_range", frame, prot, nr);

const PROTECTIONS: readonly Walk[] = (
  [
    ["one page", protect, 1n],
    ["two pages", (frame: bigint, prot: bigint) => protectRange(frame, prot, 2n), 2n],
  ] as const
).flatMap(([what, change, nr]) => [
  walk(`the protection of ${what} takes every value`, [
    ...[3n, 8n, 15n, 0n, 5n, 7n, 6n, 0x80n].map((prot) => change(PAGE, prot)),
    op("host_donate_hyp", PAGE, nr),
    op("host_share_hyp", PAGE),
    change(OWN, 7n),
    ...[3n, 7n, 0n, 6n].map((prot) => change(DEVICE, prot)),
  ]),
  walk(`the protection of ${what} of shared memory`, [
    op("host_share_hyp", PAGE),
    change(PAGE, 3n),
  ]),
  walk(`the protection of ${what} beyond the host's addresses`, [change(BEYOND, 3n)]),
]);

/** Every walk about pages. */
export const OWNERSHIP_WALKS: readonly Walk[] = [
  ...SHARES,
  ...PROTECTIONS,
  walk("the protection of a page at the end of addresses wraps out of its hole", [
    protect(0x3_ffffn, 3n),
    protectRange(0x3_ffffn, 3n, 2n),
    protect(LAST, 3n),
  ]),
  walk("pages of two kinds get one protection", [
    protect(PAGE, 3n),
    protectRange(PAGE, 5n, 2n),
    protectRange(PAGE - 1n, 5n, 2n),
  ]),
  ...[PRODUCTION, DEBUG].flatMap((system) => [
    walk(
      "pages are donated and returned",
      [
        op("host_donate_hyp", PAGE, 2n),
        op("host_donate_hyp", PAGE, 1n),
        op("host_donate_hyp", OWN, 0n),
        op("hyp_donate_host", PAGE, 1n),
        op("hyp_donate_host", PAGE, 2n),
        op("hyp_donate_host", PAGE + 1n, 1n),
        op("host_donate_hyp", DEVICE, 1n),
        op("hyp_donate_host", DEVICE, 1n),
        op("host_donate_hyp", LAST, 1n),
        op("host_donate_hyp", BEYOND, 1n),
        op("hyp_donate_host", LAST - (linear(0n) >> 12n), 1n),
        op("hyp_donate_host", BEYOND_HYP, 1n),
        op("host_donate_hyp", BEYOND_HYP, 1n),
      ],
      system,
    ),
  ]),
  walk("what is not shared is pinned", [
    pin,
    op("pin_shared_mem", linear(LAST), linear(LAST) + 0x1000n),
    op("pin_shared_mem", linear(BEYOND), linear(BEYOND) + 0x1000n),
  ]),
  walk("what is not pinned is unpinned", [unpin]),
  walk("what is no memory is unpinned", [
    op("unpin_shared_mem", linear(DEVICE << 12n), linear(DEVICE << 12n) + 8n),
  ]),
  walk("what is the hypervisor's and not pinned is unpinned", [
    op("host_donate_hyp", PAGE, 1n),
    unpin,
  ]),
  walk("what is shared and not pinned is unpinned", [op("host_share_hyp", PAGE), unpin]),
  walk("pages are mapped privately, and refused", [
    op("create_private_mapping", (PAGE << 12n) + 0x123n, 0x1000n, 6n, 0n),
    op("create_private_mapping", PAGE << 12n, 0x1000n, 7n, 0n),
    op("create_private_mapping", PAGE << 12n, 1n << 40n, 6n, 0n),
  ]),
  walk("entries of the host's table are read", [
    op("host_stage2_get_leaf", PAGE << 12n, 0n, 0n),
    op("host_stage2_get_leaf", BEYOND << 12n, 0n, 0n),
  ]),
];
