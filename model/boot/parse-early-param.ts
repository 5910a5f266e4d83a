// The command line: which mode KVM takes, and which modules are to be loaded early.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { ParseEarlyParam } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import type { BootState, KvmMode } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import { COMMAND_LINE_SIZE, parseArgs, sameParameter } from "../kernel/command-line.ts";
import type { Mutable, Transition } from "../transition.ts";

type Handler = (boot: Mutable<BootState>, value: string | undefined) => number;

const MODES: readonly string[] = ["none", "protected", "nvhe", "nested"];

/**
 * kvm-arm.mode=: the last occurrence wins; no value and an unknown value are -EINVAL and change
 * nothing.
 * Source: early_kvm_mode_cfg, arch/arm64/kvm/arm.c.
 */
const kvmMode: Handler = (boot, value) => {
  if (value === undefined || !MODES.includes(value)) return negative("EINVAL");
  boot.mode = value as KvmMode;
  return 0;
};

/**
 * kvm-arm.protected_modules=: a bounded copy; the last occurrence wins; the flag form is -EINVAL.
 * Source: early_pkvm_modules_cfg, arch/arm64/kvm/pkvm.c.
 */
const protectedModules: Handler = (boot, value) => {
  if (value === undefined) return negative("EINVAL");
  boot.protectedModules = value.slice(0, COMMAND_LINE_SIZE - 1);
  return 0;
};

/**
 * id_aa64mmfr1.vh=0 keeps a CPU with FEAT_VHE at EL1. Source: arch/arm64/kernel/idreg-override.c.
 */
const withoutVhe: Handler = (boot, value) => {
  if (value === "0" && boot.mode === "vhe") boot.mode = "nvhe";
  return 0;
};

const HANDLERS: readonly (readonly [string, Handler])[] = [
  ["kvm-arm.mode", kvmMode],
  ["kvm-arm.protected_modules", protectedModules],
  ["id_aa64mmfr1.vh", withoutVhe],
];

/**
 * Reads the command line; answers how many parameters were malformed (the kernel warns of each and
 * goes on).
 */
export const parseEarlyParam: Transition<ParseEarlyParam> = {
  name: "parse_early_param",
  source: [
    cite("linux", "parse_early_param, init/main.c"),
    cite("android14-6.1", "early_kvm_mode_cfg, arm.c; early_pkvm_modules_cfg, pkvm.c"),
  ],
  guards: [],
  effect: (hyp, { commandLine }) => {
    let malformed = 0;
    for (const { name, value } of parseArgs(commandLine)) {
      const handler = HANDLERS.find(([known]) => sameParameter(known, name));
      // A kernel without vendor modules leaves their list to user space.
      if (handler?.[1] === protectedModules && !branchOf(hyp.config).vendorModules) continue;
      if (handler !== undefined && handler[1](hyp.boot, value) !== 0) malformed += 1;
    }
    return returned(malformed);
  },
};
