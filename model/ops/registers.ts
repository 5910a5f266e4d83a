// The ops on registers of one CPU: HCR_EL2 and HFGWTR_EL2 as a module wants them.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** HCR_EL2.VM: the host's stage 2. Source: DDI0487 D24.2.55. */
const VM = 1n;

const source = (name: string) => [cite("android14-6.1", `__${name}, hyp/nvhe/modules.c`)];

/**
 * update_hcr_el2(set, clear): what is set is cleared after it, in the parameters of this CPU, which
 * are written at once and come back whenever the CPU is started again. Nothing is forbidden: a
 * module can take the host's stage 2 away.
 */
const updateHcr: Transition<Op> = {
  name: "update_hcr_el2",
  source: source("update_hcr_el2"),
  guards: [],
  effect: (hyp, { cpu, args }) => {
    const [set = 0n, clear = 0n] = args;
    const isOn = hyp.boot.finalised[cpu] === true;
    const willBe = (clear & VM) === 0n && (isOn || (set & VM) !== 0n);
    if (willBe && !isOn) {
      return { kind: "unmodelled", what: "stage 2 of the host without its tables" };
    }
    const { hcrSet, hcrClear, hfgwtr } = hyp.controls[cpu] ?? NONE;
    hyp.boot.finalised[cpu] = willBe;
    hyp.controls[cpu] = {
      hcrSet: (hcrSet | set) & ~clear & ~VM,
      hcrClear: ((hcrClear & ~set) | clear) & ~VM,
      hfgwtr,
    };
    return returned(set);
  },
};

const NONE = { hcrSet: 0n, hcrClear: 0n, hfgwtr: 0n };

/**
 * update_hfgwtr_el2(set, clear): the same. The register is written where the machine is: a CPU
 * without FEAT_FGT does not know it.
 */
const updateHfgwtr: Transition<Op> = {
  name: "update_hfgwtr_el2",
  source: source("update_hfgwtr_el2"),
  guards: [],
  effect: (hyp, { cpu, args }) => {
    const [set = 0n, clear = 0n] = args;
    const before = hyp.controls[cpu] ?? NONE;
    hyp.controls[cpu] = { ...before, hfgwtr: (before.hfgwtr | set) & ~clear };
    return returned(set);
  },
};

export const REGISTER_OPS: readonly Transition<Op>[] = [updateHcr, updateHfgwtr];
