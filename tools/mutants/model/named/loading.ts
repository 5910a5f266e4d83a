// Faults in loading, in the firmware's fate and in registrations: M5, M16 to M30, M58, M60.

import type { NamedMutant } from "../mutant.ts";

const BOOT = "model/kernel/boot.ts";
const EARLY = "model/boot/early-modules.ts";
const HYPERCALLS = "model/dispatch/module-hypercalls.ts";
const LOAD_EL2 = "model/kernel/load-el2-module.ts";
const MODULE_LOAD = "model/module/load-el2-module.ts";
const REGISTER = "model/ops/register.ts";

export const LOADING_MUTANTS: readonly NamedMutant[] = [
  {
    id: "M5",
    wrong: "The CPUs are finalised while the key is still clear.",
    change: {
      file: "model/boot/drop-host-privileges.ts",
      from: "hyp.boot.key = true;",
      to: "hyp.boot.finalised.fill(true);",
    },
    spokenOfBy: ["LIFE-13", "LIFE-19", "INV-7"],
  },
  {
    id: "M16",
    wrong: "A failed early module is ignored.",
    change: {
      file: BOOT,
      from: 'if (status !== 0) clearFirmware(system, "early module failed");',
      to: "",
    },
    spokenOfBy: ["LIFE-16", "INV-2"],
  },
  {
    id: "M17",
    wrong: "A failed load is remembered as the last one, and a later success forgets it.",
    change: {
      file: EARLY,
      from: "if (status !== 0 && hyp.boot.loadFailure === undefined) {",
      to: 'hyp.boot.loadFailure = undefined;\n    if (status !== 0 && name === "") {',
    },
    spokenOfBy: ["LIFE-7", "DOC-9"],
  },
  {
    id: "M18",
    wrong: "The list goes on after its first failure.",
    change: { file: BOOT, from: "if (status !== 0) break;", to: "" },
    spokenOfBy: ["LIFE-6"],
  },
  {
    id: "M19",
    wrong: "The firmware is wiped after the host was deprivileged, not before.",
    change: {
      file: BOOT,
      from: 'if (!isolatesDma(system)) clearFirmware(system, "IOMMU not finalised");',
      to: "",
    },
    spokenOfBy: ["LIFE-16", "INV-3"],
  },
  {
    id: "M20",
    wrong: "The firmware is forgotten and its bytes stay.",
    change: { file: EARLY, from: 'hyp.firmware.content = "zero";', to: "" },
    spokenOfBy: ["LIFE-9", "INV-2", "INV-3"],
  },
  {
    id: "M21",
    wrong: "Loading an EL2 half takes no reference to its module.",
    change: {
      file: MODULE_LOAD,
      from: "if (module !== undefined) module.refcount += 1;",
      to: "if (module !== undefined) module.refcount += 0;",
    },
    spokenOfBy: ["LOAD-14", "INV-24"],
  },
  {
    id: "M22",
    wrong: "A load that succeeded gives its reference back.",
    change: {
      file: MODULE_LOAD,
      from: 'if (value === 0) module.el2 = "initialised";',
      to: `if (value === 0) {
        module.el2 = "initialised";
        module.refcount -= 1;
      }`,
    },
    spokenOfBy: ["LOAD-29", "INV-24"],
  },
  {
    id: "M23",
    wrong: "EL2 maps a page for a module although the host may not give it.",
    change: {
      file: HYPERCALLS,
      from: "permits: (hyp, call) => checkHostDonateHyp(hyp, pfnArgument(call, 1)) === 0,",
      to: "permits: () => true,",
    },
    spokenOfBy: ["LOAD-20"],
  },
  {
    id: "M24",
    wrong: "EL2 maps a page for a module and leaves it to the host.",
    change: {
      file: HYPERCALLS,
      from: "    hostDonateHyp(hyp, mapping.page);\n",
      to: "",
    },
    spokenOfBy: ["LOAD-22", "INV-9"],
  },
  {
    id: "M25",
    wrong: "Memory of a module may be writable and executable.",
    change: {
      file: "model/ownership/hyp-map.ts",
      from: "return !(has(PROT.X) && (has(PROT.W) || has(PROT.DEVICE)));",
      to: "return !(has(PROT.X) && has(PROT.DEVICE));",
    },
    spokenOfBy: ["LOAD-21", "INV-10"],
  },
  {
    id: "M26",
    wrong: "The last page of a section that is not code is not mapped.",
    change: {
      file: LOAD_EL2,
      from: "for (let at: bigint = section.start; at < section.end; at += PAGE_SIZE)",
      to: `const end = section.end - (section.prot === 5 ? 0n : PAGE_SIZE);
  for (let at: bigint = section.start; at < end; at += PAGE_SIZE)`,
    },
    spokenOfBy: ["LOAD-33", "DOC-3"],
  },
  {
    id: "M27",
    wrong: "A page that is unmapped goes to the host and stays executable at EL2.",
    change: {
      file: HYPERCALLS,
      from: "if (!hyp.el2.mappings.delete(va)) return UNMAP_NOT_OWNED;",
      to: "if (!hyp.el2.mappings.has(va)) return UNMAP_NOT_OWNED;",
    },
    spokenOfBy: ["LOAD-24", "LOAD-30"],
  },
  {
    id: "M29",
    wrong: "A second callback takes the place of the first.",
    change: {
      file: REGISTER,
      from: "keepsSeveral(hyp, type) || hyp.dispatch.callbacks[type] === undefined,",
      to: "true,",
    },
    spokenOfBy: ["REG-9", "REG-11"],
  },
  {
    id: "M30",
    wrong: "A registration answers 0 and stores nothing.",
    change: {
      file: REGISTER,
      from: "if (callback === 0n) return returned(0);",
      to: "if (callback !== 0n) return returned(0);",
    },
    spokenOfBy: ["REG-8"],
  },
  {
    id: "M31",
    wrong: "The walk over the handlers of a type begins with the second.",
    change: {
      file: REGISTER,
      from: "return first === undefined ? [] : [first, ...(dispatch.further[type] ?? [])];",
      to: "return first === undefined ? [] : [...(dispatch.further[type] ?? [])];",
    },
    spokenOfBy: ["REG-22", "REG-23"],
  },
  {
    id: "M60",
    wrong: "The token is not written when the EL2 half is placed.",
    change: { file: MODULE_LOAD, from: "module.token = base;", to: "" },
    spokenOfBy: ["LOAD-18", "INV-25"],
  },
];
