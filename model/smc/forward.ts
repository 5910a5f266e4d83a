// What reaches the firmware, and what the host finds when it comes back.

import { cite } from "../../spec/sources.ts";
import type { Smc } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import type { Mutable, Transition } from "../transition.ts";
import { firmware } from "./firmware.ts";

/** One call to the firmware: who made it and what it holds. */
export interface Forwarded {
  readonly cpu: number;
  readonly x: readonly bigint[];
}

/** A CPU, or all of them, is switched off by the firmware. */
export function switchOff(
  hyp: Mutable<Hyp>,
  cpu: number,
  what: "CPU_OFF" | "SYSTEM_OFF" | "SYSTEM_RESET",
): Outcome {
  if (what === "CPU_OFF") hyp.psci.power[cpu] = "off";
  else hyp.end = { kind: "off", what };
  return { kind: "off", what };
}

/** Hands an SMC down as it is: x0 comes back changed and nothing else does. */
export function forward(hyp: Mutable<Hyp>, { cpu, x }: Forwarded): Outcome {
  const answer = firmware(hyp, x);
  switch (answer.kind) {
    case "answers":
      return { kind: "registers", x: [answer.x0], asked: x };
    case "off":
      return switchOff(hyp, cpu, answer.what);
    case "starts":
      return { kind: "unmodelled", what: "a CPU that starts without pKVM's entry" };
  }
}

/**
 * An SMC that pKVM leaves to the firmware, or that goes there without pKVM.
 * Source: __kvm_hyp_host_forward_smc, hyp/nvhe/host.S.
 */
export const forwardSmc: Transition<Smc> = {
  name: "__kvm_hyp_host_forward_smc",
  source: [
    cite("android14-6.1", "handle_host_smc, hyp/nvhe/hyp-main.c"),
    cite("measured", "base: unknown ids are -1 and x1 and above are intact"),
  ],
  guards: [],
  effect: forward,
};
