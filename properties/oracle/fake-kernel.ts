// A kernel for tests of the oracle itself: the model, with one mistake planted in it.

import { type Answer, answerText } from "../../tools/oracle/answer.ts";
import type { Asked, LiveMachine } from "../../tools/oracle/live-machine.ts";
import { bootModel, type ModelMachine, modelAnswer } from "../../tools/oracle/model-machine.ts";
import { FAULT, type Reply, type Request } from "../../tools/oracle/protocol.ts";
import type { StepAction } from "../../tools/oracle/script.ts";
import type { Laboratory } from "../../tools/oracle/session.ts";

/** A mistake: the answer that is given instead. A new one is made for each boot. */
export type Mistake = (action: StepAction, answer: Answer) => Answer;

/** The first page of the pool. CHOICE: any page of memory that the model leaves alone. */
const POOL_PFN = 0x5_0000n;

const reply = (serial: number, given: Partial<Reply>): Asked => ({
  kind: "reply",
  reply: { serial, errno: 0, changed: 0, x: [0n, 0n, 0n, 0n], ...given },
});

/** What the machine would send for an answer. */
function sent(serial: number, answer: Answer): Asked {
  switch (answer.kind) {
    case "registers":
      return reply(serial, { x: answer.x, changed: answer.changed });
    case "value":
      return reply(serial, { x: [0n, answer.value, 0n, 0n] });
    case "stored":
      return reply(serial, {});
    case "aborted":
      return reply(serial, { errno: FAULT });
    case "ended":
      return { kind: "ended", console: CONSOLES[answer.reason] ?? [] };
    case "unmodelled":
      throw new Error(answerText(answer));
  }
}

/** Source: measured, the console of Debian 6.1.192-2 in these cases, shortened. */
const CONSOLES: Readonly<Record<string, readonly string[]>> = {
  HOST_ABORT_UNHANDLED: [
    "kvm [0]: nVHE hyp BUG at: [<ffff800008cf50e8>] __kvm_nvhe_handle_host_mem_abort+0x288/0x2a0!",
    "Kernel panic - not syncing: HYP panic:",
    "PS:604003c9 PC:000092c480ef50e8 ESR:00000000f2000800",
  ],
  EL2_ABORT: [
    "kvm [0]: nVHE hyp panic at: [<ffff800008cfa9b4>] __kvm_nvhe___kvm_adjust_pc+0x14/0x1c0!",
    "Kernel panic - not syncing: HYP panic:",
    "PS:804003c9 PC:00009af540efa9b4 ESR:0000000096000006",
  ],
};

function fakeMachine(mistake: Mistake): LiveMachine {
  const model: ModelMachine = bootModel();
  let serial = 0;
  const one = (request: Request): Asked => {
    const number = serial++;
    if (request.kind === "alloc") return reply(number, { x: [POOL_PFN, 0n, 0n, 0n] });
    return sent(number, mistake(request, modelAnswer(model, request)));
  };
  const ask = async (requests: readonly Request[]): Promise<readonly Asked[]> => {
    const asked: Asked[] = [];
    for (const request of requests) {
      asked.push(one(request));
      if (asked.at(-1)?.kind === "ended") break;
    }
    return asked;
  };
  return {
    console: ["kvm [0]: Reserved 10 MiB at 0x7f200000"],
    ask,
    stop: async () => undefined,
  };
}

/** Machines that make a mistake, and how many of them were booted. */
export function fakeLaboratory(
  mistake: () => Mistake,
): Laboratory & { readonly boots: () => number } {
  let boots = 0;
  return {
    boot: async () => {
      boots++;
      return fakeMachine(mistake());
    },
    bootModel,
    boots: () => boots,
  };
}

/** No mistake. */
export const FAITHFUL: Mistake = (_, answer) => answer;
