// What branches after 6.6 do otherwise when they load a module at EL2.

import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { pageAt } from "../machine.ts";
import { initInStruct } from "../module-struct.ts";
import { cite } from "../sources.ts";
import type { Hvc } from "../types/action.ts";
import { addressOf, PAGE_SIZE, type Pfn, pfn } from "../types/address.ts";
import { argument, calls, hcallOf } from "./hypercall.ts";
import { all, answers, changesNothing, ensure, refuses, spell } from "./phrases.ts";
import { isBorrowed } from "./transfer.ts";

/** __pkvm_init_module where it is given a structure of the host's. */
const givesStruct = (step: Step<Hvc>): boolean =>
  calls("__pkvm_init_module")(step) && branchOf(step.pre.config).initArgument === "shared struct";

/** 1 GiB from 0x40000000: the bits below decide. Source: measured, machines. */
const structPage = (step: Step<Hvc>): Pfn =>
  pfn(0x40000 + Number(BigInt.asUintN(30, argument(step, 1)) >> 12n));

const isShared = (step: Step<Hvc>): boolean => isBorrowed(pageAt(step.pre, structPage(step)));

/** The word at an offset of the structure. */
const wordOf = (step: Step<Hvc>, offset: bigint): bigint =>
  step.action.words?.get(addressOf(structPage(step)) + (argument(step, 1) % PAGE_SIZE) + offset) ??
  0n;

const asksForPage = (step: Step<Hvc>): boolean =>
  ["__pkvm_map_module_page", "__pkvm_unmap_module_page"].includes(hcallOf(step) ?? "");

export const LATER_LOADING: readonly StepClause[] = [
  clause({
    id: "LOAD-41",
    kind: "kernel",
    statement: "From 6.12 on a structure that is not shared with the hypervisor is refused.",
    source: [cite("android16-6.12", "__pkvm_init_module, hyp/nvhe/modules.c: hyp_pin_shared_mem")],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["hvc"],
    applies: (step) => givesStruct(step) && !isShared(step),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "LOAD-42",
    kind: "kernel",
    statement: "From 6.12 on EL2 enters the init function that the shared structure names.",
    source: [cite("android16-6.12", "__pkvm_init_module, hyp/nvhe/modules.c")],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["hvc"],
    applies: (step) => givesStruct(step) && isShared(step),
    holds: (step) => {
      const address = initInStruct((offset) => wordOf(step, offset));
      return all(
        ensure(
          step.outcome.kind === "enters" && step.outcome.address === address,
          `EL2 did not enter 0x${address.toString(16)}: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "LOAD-45",
    kind: "kernel",
    statement: "From 6.12 on an address between pages is refused for a module's page.",
    source: [
      cite("android16-6.12", "__pkvm_map_module_pages, __pkvm_unmap_module_pages, hyp/nvhe/mm.c"),
    ],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["hvc"],
    applies: (step) =>
      asksForPage(step) &&
      branchOf(step.pre.config).moduleAddressChecked &&
      argument(step, 2) % PAGE_SIZE !== 0n,
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "LOAD-46",
    kind: "kernel",
    statement: "With no CPU offline and no device assigned the calls before the key answer 0.",
    source: [
      cite("android17-6.18", "__pkvm_late_cpus_finalize, hyp/nvhe/mem_protect.c"),
      cite("android16-6.12", "__pkvm_devices_init, finalize_pkvm, arch/arm64/kvm/pkvm.c"),
    ],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["hvc"],
    applies: (step) =>
      ["__pkvm_late_cpus_finalize", "__pkvm_devices_init"].includes(hcallOf(step) ?? "") &&
      (step.pre.el2.earlyBytes === 0 || hcallOf(step) === "__pkvm_devices_init"),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
];
