// Walks through what modules map at EL2: pages of their own, the linear map, and other protections.

import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import type { RuleId } from "../../spec/findings.ts";
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
const BOTH = [PRODUCTION, DEBUG];

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
function hvc(name: string, ...args: readonly bigint[]): Action {
  const given = [hostSmcccId(ANDROID14_6_1.hcalls.indexOf(name)), ...args];
  return { kind: "hvc", cpu: 0, imm: 0, x: Array.from({ length: 18 }, (_, n) => given[n] ?? 0n) };
}

const walk = (
  name: string,
  actions: readonly Action[],
  system = PRODUCTION,
  breaks: readonly RuleId[] = [],
): Walk => ({
  name,
  why: "no example maps so",
  system,
  actions: [...UP, ...actions],
  breaks,
});

const PAGE = 0x50000n;
const DEVICE = 0x9000n;
const PA = PAGE << 12n;
/** EL2's address of a physical address. Source: measured, machines. */
const linear = (pa: bigint): bigint => pa + 0x40_0000_0000n - 0x4000_0000n;
/** The first address that a reservation of one page gets. Source: measured, ovmt alone. */
const FIRST = 0x20_0000_a000n;
const RX = 5n;
const RW = 6n;

const reserve = op("alloc_module_va", 2n);
const map = (page: bigint, va: bigint, prot: bigint, isProtected = 0n): Action =>
  op("map_module_page", page, va, prot, isProtected);
const early = (pa: bigint, size: bigint, prot: bigint): Action =>
  op("linear_map_early", pa, size, prot);
const unmapEarly = (va: bigint, size: bigint): Action => op("linear_unmap_early", va, size);
const FINALIZE = hvc("__pkvm_prot_finalize");

export const MAPPING_WALKS: readonly Walk[] = [
  ...BOTH.flatMap((system) => [
    walk(
      "a module maps pages of its own",
      [
        reserve,
        map(PAGE, FIRST, 7n),
        map(PAGE, FIRST, RX),
        map(PAGE, FIRST + 0x1000n, RX),
        map(DEVICE, FIRST + 0x1000n, RW),
        map(DEVICE, FIRST + 0x1000n, 14n, 1n),
      ],
      system,
    ),
    walk(
      "a module maps a page outside its memory",
      [reserve, map(PAGE, FIRST + 0x2000n, RX)],
      system,
    ),
    walk(
      "a module maps over a page of its own",
      [reserve, map(PAGE, FIRST, RX), map(PAGE + 1n, FIRST, RX)],
      system,
    ),
    walk(
      "pages that are mapped early are shared and donated",
      [
        early(PA, 0x1000n, RW),
        op("host_share_hyp", PAGE),
        unmapEarly(linear(PA), 0x1000n),
        early(PA + 0x1000n, 0x1000n, RW),
        op("host_donate_hyp", PAGE + 1n, 1n),
      ],
      system,
    ),
    ...[
      op("host_share_hyp", PAGE),
      hvc("__pkvm_host_share_hyp", PAGE),
      op("host_donate_hyp", PAGE, 1n),
      hvc("__pkvm_map_module_page", PAGE, FIRST, RX),
    ].map((call) =>
      walk(
        "a page that is mapped early and read-only is shared or donated",
        [reserve, early(PA, 0x1000n, 4n), call],
        system,
      ),
    ),
    walk(
      "a shared page is mapped early, and so owned by EL2",
      [op("host_share_hyp", PAGE), early(PA, 0x1000n, RW), op("hyp_donate_host", PAGE, 1n)],
      system,
    ),
  ]),
  walk("a module maps beyond EL2's addresses", [reserve, map(PAGE, 1n << 39n, RX)]),
  walk("a module executes a page of the host's", [reserve, map(PAGE, FIRST, RX, 1n)]),
  walk("a module executes a page of the host's, privately", [
    op("create_private_mapping", PA, 0x1000n, RX, 0n),
  ]),
  walk("early mappings that are refused", [
    early(PA + 8n, 0x1000n, RW),
    early(PA, 0x800n, RW),
    early(PA, 0x1000n, 7n),
    early(PA, 0x1000n, 0x18n | RW),
    early(1n << 40n, 0x1000n, RW),
    early(PA, 0n, RW),
  ]),
  walk("an early mapping over another", [early(PA, 0x1000n, RW), early(PA, 0x2000n, 4n)]),
  walk("an early mapping over another, and not aligned", [
    early(PA, 0x2000n, RW),
    early(PA + 8n, 0x1000n, 4n),
    early(PA, 0x800n, 4n),
  ]),
  walk("an early mapping that comes to an end in the middle", [
    early((1n << 39n) - linear(0n) - 0x1000n, 0x2000n, RW),
  ]),
  walk("early mappings, whole and in parts", [
    early(PA, 0x3000n, 0x10n | RW),
    unmapEarly(linear(PA), 0x1000n),
    unmapEarly(linear(PA) + 0x1000n, 0x2000n),
    FINALIZE,
  ]),
  walk("an early mapping is left when the host is deprivileged", [
    early(PA, 0x1000n, 4n),
    FINALIZE,
  ]),
  walk("an early mapping is made when the host is deprivileged", [
    FINALIZE,
    early(PA, 0x1000n, 4n),
    FINALIZE,
  ]),
  walk("more is unmapped than was mapped", [
    early(PA, 0x1000n, RW),
    unmapEarly(linear(PA), 0x2000n),
  ]),
  walk("less than a page is unmapped", [early(PA, 0x1000n, RW), unmapEarly(linear(PA), 0x800n)]),
  walk("a page that is EL2's own is unmapped as if it were early", [
    op("host_donate_hyp", PAGE, 1n),
    unmapEarly(linear(PA), 0x1000n),
  ]),
  walk("a device of EL2's is given back by its protection", [
    op("host_donate_hyp", DEVICE, 1n),
    op("host_stage2_mod_prot", DEVICE, RW),
    op("host_stage2_mod_prot", DEVICE, 4n),
    op("host_stage2_mod_prot", DEVICE, 14n),
  ]),
  ...(
    [
      ["host_stage2_mod_prot", []],
      ["host_stage2_mod_prot_range", [1n]],
    ] as const
  ).flatMap(([name, nr]) => [
    walk("protections of every kind", [
      ...[0x17n, 0x26n, 0x46n, 0x1fn, 7n].map((prot) => op(name, PAGE, prot, ...nr)),
      ...[0x1_0000_0007n].map((prot) => op(name, PAGE, prot, ...nr)),
    ]),
    walk("a protection that contradicts itself", [op(name, PAGE, 0x21n, ...nr)]),
  ]),
  walk("ranges of any length", [
    op("host_donate_hyp", 0n, 0x10_0000n),
    op("host_stage2_mod_prot_range", 0x8_0000n, 7n, 0x10_0000n),
    op("host_stage2_mod_prot_range", 0x5_0000n, 0n, 1n << 52n),
  ]),
];
