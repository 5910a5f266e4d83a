// What is not memory: sharing a device, and what becomes of a host that touches another's page.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { isMappedDevice, isMemory, pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import { panics, refuses } from "./phrases.ts";
import { type Asked, asks, everyPage, isShort, isWalked, type TransferStep } from "./transfer.ts";

const MEM_PROTECT = "hyp/nvhe/mem_protect.c";

/** A share or an unshare of one page that the host's table can be asked about. */
const asksOfPage = (isSo: (asked: Asked, step: TransferStep) => boolean) =>
  asks(
    ["share", "unshare"],
    (asked, step) => isWalked(asked) && isShort(asked) && isSo(asked, step),
  );

/** What the branch answers for a device that the host never reached. */
const untouched = ({ pre }: TransferStep) => branchOf(pre.config).addressChecks.untouchedDevice;

export const DEVICES: readonly StepClause[] = [
  clause({
    id: "OWN-61",
    kind: "kernel",
    statement: "A device that the host has mapped is neither shared nor unshared.",
    source: [
      cite("measured", "base: pfns 0x0 to 0x3ffff are -22 on 6.1, -1 elsewhere"),
      cite("android14-6.1", `host_get_page_state, ${MEM_PROTECT}`),
    ],
    on: ["hvc", "op"],
    applies: asksOfPage(
      (asked, { pre }) => !everyPage(pre, asked, (_, page) => !isMappedDevice(pre, page)),
    ),
    holds: (step) => refuses(step, branchOf(step.pre.config).addressChecks.mappedDevice),
  }),
  clause({
    id: "OWN-62",
    kind: "kernel",
    statement: "What is neither memory nor mapped is not shared, but for 6.1, and never unshared.",
    source: [
      cite("measured", "base: pfn 0x100000 is shared once on 6.1, and -1 elsewhere"),
      cite("android14-6.1", `host_get_page_state, ${MEM_PROTECT}`),
    ],
    on: ["hvc", "op"],
    applies: asksOfPage(
      (asked, step) =>
        everyPage(step.pre, asked, (_, page) => !isMappedDevice(step.pre, page)) &&
        !everyPage(step.pre, asked, (_, page) => isMemory(page)) &&
        (asked.what === "unshare" || untouched(step) !== "shared"),
    ),
    holds: (step) => {
      const errno = untouched(step);
      return refuses(step, errno === "shared" ? "EPERM" : errno);
    },
  }),
  clause({
    id: "OWN-66",
    kind: "kernel",
    statement: "On 6.6 and 6.12 a module gives a device away only if its third argument says so.",
    source: [
      cite("android15-6.6", `__pkvm_host_donate_hyp, ${MEM_PROTECT}: accept_mmio`),
      cite("android16-6.12", `__pkvm_host_donate_hyp, ${MEM_PROTECT}: accept_mmio`),
    ],
    branches: ["android15-6.6", "android16-6.12"],
    on: ["op"],
    applies: asks(
      ["donate"],
      (asked, { pre, action }) =>
        isWalked(asked) &&
        isShort(asked) &&
        branchOf(pre.config).donatesDevices === "if asked" &&
        action.kind === "op" &&
        BigInt.asUintN(8, action.args[2] ?? 0n) === 0n &&
        !everyPage(pre, asked, (_, page) => isMemory(page)),
    ),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-63",
    kind: "kernel",
    statement: "On 6.1 and 6.12 a host that touches a page of another's ends the hypervisor.",
    source: [
      cite("measured", "peek, poke: hyp BUG at handle_host_mem_abort"),
      cite("mainline-6.1", `handle_host_mem_abort, ${MEM_PROTECT}: BUG_ON of every other errno`),
    ],
    branches: ["mainline-6.1", "mainline-6.12"],
    on: ["host_mem_abort"],
    applies: ({ pre }) => branchOf(pre.config).foreignPageAbort === "HOST_ABORT_UNHANDLED",
    holds: ({ outcome }) => panics(outcome, "HOST_ABORT_UNHANDLED"),
  }),
  clause({
    id: "OWN-64",
    kind: "kernel",
    statement: "On the other branches the abort is refused with -EPERM and given to the host.",
    source: [
      cite("measured", "peek, poke: the access faults and the host goes on"),
      cite("android14-6.1", `handle_host_mem_abort, host_inject_abort, ${MEM_PROTECT}`),
    ],
    on: ["host_mem_abort"],
    applies: ({ pre }) => branchOf(pre.config).foreignPageAbort === "injected",
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-65",
    kind: "kernel",
    statement: "Only the touch of a page that is not the host's is such an abort.",
    source: [cite("android14-6.1", `host_stage2_adjust_range, ${MEM_PROTECT}: the mark decides`)],
    on: ["host_mem_abort"],
    applies: () => true,
    holds: ({ pre, action }) => {
      const { host, owner } = pageAt(pre, action.page);
      return (
        host === "NOPAGE" || owner !== "HOST" || `page 0x${action.page.toString(16)} is the host's`
      );
    },
  }),
];
