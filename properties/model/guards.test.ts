// Every guard of the model is removed once: where it refused, a rule of the specification notices.

import { describe, expect, test } from "vitest";
import { step } from "../../model/step.ts";
import { GUARDS } from "../../model/transitions.ts";
import { judgeState, judgeStep } from "../../spec/registry.ts";
import type { Action } from "../../spec/types/action.ts";
import { pfn } from "../../spec/types/address.ts";
import type { CallbackType, Hyp } from "../../spec/types/hyp.ts";
import { HYP_PAGE } from "../../spec/types/page.ts";
import {
  COMING,
  DEPRIVILEGED,
  HANDLER,
  hvc,
  LOADED,
  like,
  MOD1,
  POWER_ON,
  RESERVED,
  recordOf,
  TEXT_PFN,
  TEXT_VA,
  TRUSTED,
} from "../spec/tried.ts";

/** A state and an action that a guard refuses. */
type Witness = readonly [pre: Hyp, action: Action];

const debug = (hyp: Hyp): Hyp =>
  like(hyp, (h) => {
    h.config.build = "el2debug";
  });
const kvmOff = like(POWER_ON, (h) => {
  h.boot.mode = "none";
});
const nvhe = like(POWER_ON, (h) => {
  h.boot.mode = "nvhe";
});
const withVm = (isProtected: boolean, started: boolean, base: Hyp = DEPRIVILEGED): Hyp =>
  like(base, (h) => {
    h.vms.set(0, { isProtected, firmwareIpa: undefined, started, startedFromFirmware: false });
  });
/** The documented system after a failed load. */
const insecure = like(DEPRIVILEGED, (h) => {
  h.config.documented = true;
  h.boot.loadFailure = { name: "mod2", status: 256 };
});
const withFirmware = like(DEPRIVILEGED, (h) => {
  Object.assign(h.firmware, { content: "image", advertisedBytes: 0x100000 });
  h.boot.iommuFinalised = true;
});

const load = (name: string, refused: { errno: number; early: boolean } | undefined): Action => ({
  kind: "load_module",
  name,
  sections: [],
  hasInit: true,
  hasExit: true,
  refused: refused === undefined ? undefined : { ...refused, why: "a reason" },
});
const remove = (name: string): Action => ({ kind: "delete_module", name });
const live = (change: { hasInit: boolean; hasExit: boolean; refcount: number }): Hyp =>
  like(DEPRIVILEGED, (h) => {
    Object.assign(recordOf(h, "mod1"), change);
  });

/** The function ids of android14-6.1. Source: measured, host-hypercall-ids.android14-6.1.145. */
const FN = { MAP: 13, UNMAP: 14, REGISTER: 16, PROT_FINALIZE: 17 } as const;
const call = (n: number, ...args: readonly (bigint | number)[]) =>
  hvc(0xc600_0000n + BigInt(n), ...args);
const OUTSIDE = 0xffff_ff80_1234_5000n;
const RX = 5;

const WITNESSES: Readonly<Record<string, Witness>> = {
  "kvm_arm_init/LIFE-3": [kvmOff, { kind: "kvm_arm_init" }],
  "pkvm_request_early_module/LOAD-1": [nvhe, { kind: "pkvm_request_early_module", name: "mod1" }],
  "pkvm_request_early_module/LOAD-2": [
    DEPRIVILEGED,
    { kind: "pkvm_request_early_module", name: "mod2" },
  ],
  "load_module/LOAD-5": [COMING, load("mod1", { errno: -8, early: true })],
  "load_module/LOAD-6": [COMING, load("mod1", undefined)],
  "load_module/LOAD-7": [TRUSTED, load("mod1", { errno: -2, early: false })],
  "__pkvm_load_el2_module/LOAD-10": [
    like(nvhe, (h) => {
      h.modules.set("mod1", structuredClone(MOD1) as never);
    }),
    { kind: "__pkvm_load_el2_module", name: "mod1" },
  ],
  "__pkvm_load_el2_module/LOAD-11": [
    DEPRIVILEGED,
    { kind: "__pkvm_load_el2_module", name: "mod1" },
  ],
  "__pkvm_load_el2_module/LOAD-12": [
    like(COMING, (h) => {
      for (const section of recordOf(h, "mod1").sections) {
        if (section.kernVa !== undefined) section.kernVa = (section.kernVa + 8n) as never;
      }
    }),
    { kind: "__pkvm_load_el2_module", name: "mod1" },
  ],
  "__pkvm_load_el2_module/LOAD-13": [
    like(COMING, (h) => {
      recordOf(h, "mod1").state = "freed";
    }),
    { kind: "__pkvm_load_el2_module", name: "mod1" },
  ],
  "delete_module/LIFE-20": [DEPRIVILEGED, remove("nosuch")],
  "delete_module/LIFE-21": [
    like(COMING, (h) => {
      recordOf(h, "mod1").hasExit = true;
    }),
    remove("mod1"),
  ],
  "delete_module/LIFE-22": [live({ hasInit: true, hasExit: false, refcount: 0 }), remove("mod1")],
  "delete_module/LIFE-23": [live({ hasInit: true, hasExit: true, refcount: 1 }), remove("mod1")],
  "handle_host_hcall/DISP-1": [nvhe, call(FN.REGISTER, HANDLER)],
  "handle_host_hcall/DISP-8": [TRUSTED, call(128)],
  "handle_host_hcall/DISP-9": [
    like(TRUSTED, (h) => {
      h.dispatch.dynamicHcalls.push(0n as never);
    }),
    call(128),
  ],
  "handle_host_hcall/DISP-2": [DEPRIVILEGED, call(FN.REGISTER, HANDLER)],
  "handle_host_hcall/DISP-3": [TRUSTED, call(0)],
  "handle_host_hcall/DISP-4": [TRUSTED, call(127)],
  "__pkvm_map_module_page/LOAD-19": [debug(RESERVED), call(FN.MAP, TEXT_PFN, OUTSIDE, RX)],
  "__pkvm_map_module_page/LOAD-20": [
    like(RESERVED, (h) => {
      h.pages.set(TEXT_PFN, { ...HYP_PAGE });
    }),
    call(FN.MAP, TEXT_PFN, TEXT_VA, RX),
  ],
  "__pkvm_map_module_page/LOAD-37": [RESERVED, call(FN.MAP, TEXT_PFN, OUTSIDE, RX)],
  "__pkvm_map_module_page/LOAD-21": [RESERVED, call(FN.MAP, TEXT_PFN, TEXT_VA, 7)],
  "__pkvm_map_module_page/LOAD-35": [LOADED, call(FN.MAP, pfn(0x50009), TEXT_VA, RX)],
  "__pkvm_unmap_module_page/LOAD-25": [LOADED, call(FN.UNMAP, pfn(0x50009), TEXT_VA)],
  "__pkvm_register_hcall/REG-3": [debug(LOADED), call(FN.REGISTER, OUTSIDE)],
  "__pkvm_register_hcall/REG-2": [
    like(LOADED, (h) => {
      h.dispatch.dynamicHcalls = new Array(128).fill(HANDLER);
    }),
    call(FN.REGISTER, HANDLER),
  ],
  "__pkvm_prot_finalize/LIFE-18": [DEPRIVILEGED, call(FN.PROT_FINALIZE)],
  "KVM_CREATE_VM/VM-1": [kvmOff, { kind: "KVM_CREATE_VM", vm: 0, type: 0 }],
  "KVM_CREATE_VM/VM-2": [DEPRIVILEGED, { kind: "KVM_CREATE_VM", vm: 0, type: 0x4000_0000 }],
  "KVM_CREATE_VM/VM-3": [nvhe, { kind: "KVM_CREATE_VM", vm: 0, type: 0x8000_0000 }],
  "KVM_CREATE_VM/DOC-10": [insecure, { kind: "KVM_CREATE_VM", vm: 0, type: 0x8000_0000 }],
  "KVM_SET_FW_IPA/VM-12": [withFirmware, { kind: "KVM_SET_FW_IPA", vm: 7, ipa: 0n }],
  "KVM_SET_FW_IPA/VM-6": [
    withVm(false, false, withFirmware),
    { kind: "KVM_SET_FW_IPA", vm: 0, ipa: 0n },
  ],
  "KVM_SET_FW_IPA/VM-7": [withVm(true, false), { kind: "KVM_SET_FW_IPA", vm: 0, ipa: 0n }],
  "KVM_SET_FW_IPA/VM-8": [
    withVm(true, true, withFirmware),
    { kind: "KVM_SET_FW_IPA", vm: 0, ipa: 0n },
  ],
  "KVM_RUN/VM-12": [DEPRIVILEGED, { kind: "KVM_RUN", vm: 7 }],
  "KVM_RUN/DOC-10": [withVm(true, false, insecure), { kind: "KVM_RUN", vm: 0 }],
  "KVM_CLOSE/VM-12": [DEPRIVILEGED, { kind: "KVM_CLOSE", vm: 7 }],
  ...Object.fromEntries(
    (
      [
        "serial_driver",
        "host_perm_fault_handler",
        "host_smc_handler",
        "default_trap_handler",
        "illegal_abt_notifier",
        "psci_notifier",
        "hyp_panic_notifier",
      ] satisfies CallbackType[]
    ).map((type): [string, Witness] => [
      `register_${type}/REG-9`,
      [
        like(LOADED, (h) => {
          h.dispatch.callbacks[type] = HANDLER;
        }),
        { kind: "op", cpu: 0, op: `register_${type}`, args: [HANDLER + 4n] },
      ],
    ]),
  ),
};

/** Rules that a step breaks, and those that its state breaks and the state before did not. */
function broken(done: ReturnType<typeof step>): string[] {
  const of = (hyp: Hyp) => judgeState(hyp).flatMap(({ rule, wrong }) => wrong.map(() => rule.id));
  const before = of(done.pre);
  return [
    ...judgeStep(done).flatMap(({ rule, wrong }) => wrong.map(() => rule.id)),
    ...of(done.post).filter((id) => !before.includes(id)),
  ];
}

test("every guard has a witness and every witness a guard", () => {
  expect(Object.keys(WITNESSES).sort()).toEqual(GUARDS.map(({ key }) => key).sort());
});

describe.each(GUARDS)("$key", ({ key, clause }) => {
  const [pre, action] = WITNESSES[key] ?? [POWER_ON, { kind: "kvm_arm_init" }];

  test("refuses, and the refusal breaks no rule", () => {
    const done = step(pre, action);
    expect(done.refusedBy).toBe(clause);
    expect(broken(done)).toEqual([]);
  });

  test("is noticed when it is gone", () => {
    const done = step(pre, action, { omit: new Set([key]) });
    expect(done.refusedBy).not.toBe(clause);
    expect(broken(done)).not.toEqual([]);
  });
});
