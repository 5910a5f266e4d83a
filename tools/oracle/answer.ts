// What one step came to, on the real kernel and in the model, in one form that can be compared.

import { match, P } from "ts-pattern";
import { panicReasonOf } from "../../properties/conformance/panics.ts";
import type { Asked } from "./live-machine.ts";
import { FAULT, type Reply } from "./protocol.ts";
import { hex, type StepAction } from "./script.ts";

/** What a step came to. */
export type Answer =
  | { readonly kind: "registers"; readonly x: readonly bigint[]; readonly changed: number }
  | { readonly kind: "value"; readonly value: bigint }
  | { readonly kind: "stored" | "aborted" }
  | { readonly kind: "ended"; readonly reason: string }
  | { readonly kind: "unmodelled"; readonly what: string };

/** The registers that a mask of changes names. */
export const changedNames = (changed: number): readonly string[] =>
  Array.from({ length: 18 }, (_, n) => `x${n}`).filter((_, n) => (changed >> n) & 1);

/** An answer in one line; answers are the same when their lines are. */
export const answerText = (answer: Answer): string =>
  match(answer)
    .with(
      { kind: "registers" },
      ({ x, changed }) =>
        `x0..x3 = ${x.map(hex).join(" ")}, changed ${changedNames(changed).join(" ") || "nothing"}`,
    )
    .with({ kind: "value" }, ({ value }) => `value ${hex(value)}`)
    .with({ kind: P.union("stored", "aborted") }, ({ kind }) => kind)
    .with({ kind: "ended" }, ({ reason }) => `did not return: ${reason}`)
    .with({ kind: "unmodelled" }, ({ what }) => `not modelled: ${what}`)
    .exhaustive();

/**
 * The place in the hypervisor that a console line names, and the syndrome. Source: measured;
 * nvhe_hyp_panic_handler, arch/arm64/kvm/handle_exit.c (linux 6.1).
 */
const PLACE = /hyp (BUG|panic) at:.*?(__kvm_nvhe_\w+|\w+\.c:\d+)/;
const SYNDROME = /\bESR:([0-9a-f]{16})\b/;

/** Aborts taken without a change of level. Source: DDI0487 D24.2.40, ESR_ELx.EC. */
const SAME_LEVEL_ABORTS = [0x21n, 0x25n];

/** Why a machine went down, from what it printed. */
export function endReason(console: readonly string[]): string {
  const text = console.join("\n");
  const [, how = "", place = ""] = PLACE.exec(text) ?? [];
  if (how === "") return text.includes("Kernel panic") ? "HOST_PANIC" : "nothing was printed";
  const esr = BigInt(`0x${SYNDROME.exec(text)?.[1] ?? "0"}`);
  if (how === "panic" && SAME_LEVEL_ABORTS.includes((esr >> 26n) & 0x3fn)) return "EL2_ABORT";
  return panicReasonOf(`hyp ${how} at: ${place}`) ?? place;
}

function replyAnswer(action: StepAction, reply: Reply): Answer {
  if (reply.errno === FAULT && action.kind.startsWith("host_")) return { kind: "aborted" };
  if (reply.errno !== 0) throw new Error(`the machine could not: errno ${reply.errno}`);
  switch (action.kind) {
    case "hvc":
    case "smc":
      return { kind: "registers", x: reply.x, changed: reply.changed };
    case "host_read":
      return { kind: "value", value: reply.x[1] ?? 0n };
    case "host_write":
      return { kind: "stored" };
  }
}

/** The answer of the real kernel to an action. */
export const liveAnswer = (action: StepAction, asked: Asked): Answer =>
  asked.kind === "reply"
    ? replyAnswer(action, asked.reply)
    : { kind: "ended", reason: endReason(asked.console) };
