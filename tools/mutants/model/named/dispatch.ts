// Faults in the latch, in the ids and in the table of registered functions: M1 to M15, M57, M65.

import type { NamedMutant } from "../mutant.ts";

const HVC = "model/dispatch/hvc.ts";
const DECODE = "model/dispatch/decode.ts";
const HYPERCALLS = "model/dispatch/module-hypercalls.ts";

/** Source of the list: pKVM's own dispatcher, handle_host_hcall and handle_host_dynamic_hcall. */
export const DISPATCH_MUTANTS: readonly NamedMutant[] = [
  {
    id: "M1",
    wrong: "The lowest id stays 0 after the key has flipped.",
    change: {
      file: HVC,
      from: 'hyp.boot.key ? branchOf(hyp.config).hcalls.indexOf("__pkvm_prot_finalize") : 0',
      to: "0",
    },
    spokenOfBy: ["DISP-2", "LOAD-31", "DOC-6"],
  },
  {
    id: "M2",
    wrong: "The lowest id is one too low, so that a function can be registered for ever.",
    change: {
      file: HVC,
      from: 'hcalls.indexOf("__pkvm_prot_finalize") : 0',
      to: 'hcalls.indexOf("__pkvm_prot_finalize") - 1 : 0',
    },
    spokenOfBy: ["DISP-2", "LOAD-31", "DOC-6"],
  },
  {
    id: "M3",
    wrong: "The lowest id is one too high, so that no CPU can be finalised.",
    change: {
      file: HVC,
      from: 'hcalls.indexOf("__pkvm_prot_finalize") : 0',
      to: 'hcalls.indexOf("__pkvm_prot_finalize") + 1 : 0',
    },
    spokenOfBy: ["LIFE-17", "LIFE-18", "DISP-18"],
  },
  {
    id: "M4",
    wrong: "The word after the last entry of the table is called.",
    change: {
      file: DECODE,
      from: 'if (name === undefined) return { kind: "beyond the table" };',
      to: `if (id === BigInt(branch.hcalls.length)) {
    return { kind: "dynamic", index: 0, handler: 1n as HypVa };
  }
  if (name === undefined) return { kind: "beyond the table" };`,
    },
    spokenOfBy: ["DISP-4", "DISP-7"],
  },
  {
    id: "M6",
    wrong: "The latch is each CPU's own: one that is not finalised still loads.",
    change: {
      file: HVC,
      from: "permits: (hyp: Hyp, action: Hvc) => !wrong(decodeHvc(hyp, action), hyp),",
      to: `permits: (hyp: Hyp, action: Hvc) => {
    const key = hyp.boot.key && hyp.boot.finalised[action.cpu] === true;
    return !wrong(decodeHvc(hyp, action), { ...hyp, boot: { ...hyp.boot, key } });
  },`,
    },
    spokenOfBy: ["DISP-2", "LOAD-31", "DOC-6"],
  },
  {
    id: "M7",
    wrong: "A dynamic id beyond the last one that was given out is entered as address 0.",
    change: {
      file: DECODE,
      from: 'if (taken) return { kind: "unregistered", index };',
      to: 'if (taken) return { kind: "dynamic", index, handler: 1n as HypVa };',
    },
    spokenOfBy: ["DISP-8", "DISP-7"],
  },
  {
    id: "M9",
    wrong: "One function more than the table has room for is registered.",
    change: {
      file: HYPERCALLS,
      from: "hyp.dispatch.dynamicHcalls.length < branchOf(hyp.config).dynamicHcallMax",
      to: "hyp.dispatch.dynamicHcalls.length <= branchOf(hyp.config).dynamicHcallMax",
    },
    spokenOfBy: ["REG-2", "INV-15", "ABI-3"],
  },
  {
    id: "M10",
    wrong: "A full table answers 0 in place of an errno.",
    change: {
      file: HYPERCALLS,
      from: 'refusal: () => answered(negative("ENOMEM")),',
      to: "refusal: () => answered(0),",
    },
    spokenOfBy: ["REG-2", "DOC-15"],
  },
  {
    id: "M11",
    wrong: "Ids are given out from one below the base.",
    change: {
      file: HYPERCALLS,
      from: "firstDynamicId(branchOf(hyp.config)) + hyp.dispatch.dynamicHcalls.length;",
      to: "firstDynamicId(branchOf(hyp.config)) + hyp.dispatch.dynamicHcalls.length - 1;",
    },
    spokenOfBy: ["REG-1", "DOC-15"],
  },
  {
    id: "M12",
    wrong: "Registered functions can be called only until the key flips.",
    change: {
      file: HVC,
      from: 'refuses("DISP-8", ({ kind }) => kind === "unregistered"),',
      to: `refuses("DISP-8", ({ kind }, hyp) =>
      kind === "unregistered" || (hyp.boot.key && kind === "dynamic")),`,
    },
    spokenOfBy: ["DISP-14", "DISP-7", "DOC-11"],
  },
  {
    id: "M13",
    wrong: "A handler of 6.1 finds its own id in x0, as one of 6.6 does.",
    change: { file: HVC, from: "? SMCCC_RET_SUCCESS : (x[0] ?? 0n);", to: "? (x[0] ?? 0n) : 0n;" },
    spokenOfBy: ["ABI-4"],
  },
  {
    id: "M14",
    wrong: "The SVE hint is left in the id of a registered function, on 6.6 too.",
    change: {
      file: DECODE,
      from: "const id = branch.hintMaskedBeforeDynamic ? x0 & ~CALL_HINTS : x0;",
      to: "const id = x0;",
    },
    spokenOfBy: ["DISP-7", "DISP-8", "DOC-11"],
  },
  {
    id: "M15",
    wrong: "Only the low 32 bits of an id of the table count.",
    change: {
      file: DECODE,
      from: "const id = u64((branch",
      to: "const id = BigInt.asUintN(32, (branch",
    },
    spokenOfBy: ["DISP-5"],
  },
  {
    id: "M58",
    wrong: "An early mapping may be left when the host is deprivileged.",
    change: {
      file: "model/dispatch/prot-finalize.ts",
      from: "el2.earlyBytes === 0 ||",
      to: "el2.earlyBytes >= 0 ||",
    },
    spokenOfBy: ["LIFE-34"],
  },
  {
    id: "M57",
    wrong: "A CPU that is finalised is finalised again.",
    change: {
      file: "model/dispatch/prot-finalize.ts",
      from: "hyp.boot.finalised[cpu] === false",
      to: "hyp.boot.finalised[cpu] !== undefined",
    },
    spokenOfBy: ["LIFE-18"],
  },
  {
    id: "M62",
    wrong: "A trap that nobody takes is skipped, and the host goes on.",
    change: {
      file: "model/dispatch/host-trap.ts",
      from: "permits: (_, { handled }) => handled,",
      to: "permits: (_, { handled }) => handled !== undefined,",
    },
    spokenOfBy: ["DISP-53", "DISP-52"],
  },
  {
    id: "M65",
    wrong: "The empty slot of the table is called.",
    change: {
      file: HVC,
      from: 'refuses("DISP-3", ({ kind }) => kind === "empty slot"),',
      to: "",
    },
    spokenOfBy: ["DISP-3"],
  },
];
