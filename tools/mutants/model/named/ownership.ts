// Faults in who owns a page: M35 to M44.

import type { NamedMutant } from "../mutant.ts";

const SHARE = "model/ownership/share.ts";
const PROTECT = "model/ownership/protect.ts";
const RANGE = "model/ownership/range.ts";

export const OWNERSHIP_MUTANTS: readonly NamedMutant[] = [
  {
    id: "M35",
    wrong: "hyp_donate_host gives away a page that the hypervisor does not own.",
    change: {
      file: "model/ownership/donate-range.ts",
      from: 'el2 === "OWNED" && (hyp.config.build === "production" || host === "NOPAGE"),',
      to: "el2 !== undefined && host !== undefined && hyp.config !== undefined,",
    },
    spokenOfBy: ["OWN-13"],
  },
  {
    id: "M36",
    wrong: "A page that is shared is shared once more.",
    change: {
      file: SHARE,
      from: 'everyPage(hyp, caller.range(action), ({ host }) => host === "OWNED"),',
      to: "everyPage(hyp, caller.range(action), ({ host }) => /^(SHARED_)?OWNED$/.test(host)),",
    },
    spokenOfBy: ["OWN-3"],
  },
  {
    id: "M37",
    wrong: "A page that is pinned is unshared.",
    change: {
      file: SHARE,
      from: "everyPage(hyp, caller.range(action), ({ refcount }) => refcount === 0),",
      to: "everyPage(hyp, caller.range(action), ({ refcount }) => refcount >= 0),",
    },
    spokenOfBy: ["OWN-6"],
  },
  {
    id: "M38",
    wrong: "A page that nobody pinned is unpinned.",
    change: {
      file: SHARE,
      from: 'permits: (hyp, action) => stumbles(hyp, action) !== "zero",',
      to: "permits: () => true,",
    },
    spokenOfBy: ["OWN-16", "INV-22"],
  },
  {
    id: "M39",
    wrong: "The end of a range loses its upper bits, and the checks see another range.",
    change: {
      file: RANGE,
      from: "const endFits = (start: bigint, bytes: bigint): boolean => start + bytes < 1n << 64n;",
      to: `const endFits = (start: bigint, bytes: bigint): boolean =>
  BigInt.asUintN(64, start + bytes) < 1n << 64n;`,
    },
    spokenOfBy: ["OWN-1", "OWN-11"],
  },
  {
    id: "M40",
    wrong: "A range from memory into a hole changes its protection.",
    change: {
      file: PROTECT,
      from: "permits: (_, action) => inOneRegion(protectionOf(action).range),",
      to: "permits: () => true,",
    },
    spokenOfBy: ["OWN-20"],
  },
  {
    id: "M41",
    wrong: "What is no memory is shared.",
    change: {
      file: SHARE,
      from: "everyPage(hyp, range(action), (_, page) => isMemoryPage(page)),",
      to: "everyPage(hyp, range(action), () => true),",
    },
    spokenOfBy: ["OWN-61", "OWN-62"],
  },
  {
    id: "M42",
    wrong: "Of a range only the first page must be the modules'.",
    change: {
      file: PROTECT,
      from: 'everyPage(hyp, range, ({ host }) => host === "MODULE_OWNED") ||',
      to: 'everyPage(hyp, { ...range, bytes: 4096n }, ({ host }) => host === "MODULE_OWNED") ||',
    },
    spokenOfBy: ["OWN-21"],
  },
  {
    id: "M43",
    wrong: "A page without any protection left is not marked, and the host faults it in again.",
    change: {
      file: PROTECT,
      from: 'if (prot === 0) return { host: "MODULE_OWNED", owner: "PROTECTED", ...byHyp };',
      to: "if (prot === 0) return { ...PLAIN_PAGE, ...byHyp };",
    },
    spokenOfBy: ["OWN-22"],
  },
];
