// The oracle against kernels that are wrong in one place: it finds the place and shows it small.

import { describe, expect, it } from "vitest";
import { endReason } from "../../tools/oracle/answer.ts";
import { DIRECTED, type NamedSequence } from "../../tools/oracle/directed.ts";
import { examine, type Outcome } from "../../tools/oracle/examine.ts";
import { SHARE, UNSHARE } from "../../tools/oracle/hypercall-ids.ts";
import { minimise } from "../../tools/oracle/minimise.ts";
import { hvc, stepText } from "../../tools/oracle/script.ts";
import { FAITHFUL, fakeLaboratory, type Mistake } from "./fake-kernel.ts";

const SEED = 20261123;

const examined = (
  mistake: () => Mistake,
  { calls = 400, directed = [] as readonly NamedSequence[] } = {},
): Promise<Outcome> =>
  examine(fakeLaboratory(mistake), {
    ...{ directed: directed.map(({ steps }) => steps), calls, seed: SEED },
    ...{ onObserved: () => undefined, onProgress: () => undefined, interrupted: () => false },
  });

const stepsOf = ({ finding }: Outcome): readonly string[] =>
  (finding?.sequences ?? []).flat().map(stepText);

/** Answers of one hypercall, changed. */
const answersOf =
  (id: number, change: (x1: bigint) => bigint): Mistake =>
  (action, answer) => {
    if (action.kind !== "hvc" || action.x[0] !== BigInt(id)) return answer;
    if (answer.kind !== "registers") return answer;
    const [x0 = 0n, x1 = 0n, ...rest] = answer.x;
    return { ...answer, x: [x0, BigInt.asUintN(64, change(BigInt.asIntN(64, x1))), ...rest] };
  };

describe("a kernel without a mistake", () => {
  it("agrees with the model, directed and random", async () => {
    const outcome = await examined(() => FAITHFUL, { directed: DIRECTED });
    expect(outcome.finding).toBeUndefined();
    expect(outcome.calls).toBeGreaterThanOrEqual(400);
  });
});

describe("a kernel with one mistake", () => {
  it("another errno: one call", async () => {
    const outcome = await examined(() => answersOf(UNSHARE, (x1) => (x1 === -1n ? -22n : x1)));
    expect(stepsOf(outcome)).toHaveLength(1);
    expect(outcome.finding?.difference.real).toContain("0xffffffffffffffea");
    expect(outcome.finding?.difference.ours).toContain("0xffffffffffffffff");
  });

  it("a call on the other CPU goes wrong: one call, on that CPU", async () => {
    const outcome = await examined(() => (action, answer) => {
      const wrong = answersOf(SHARE, (x1) => (x1 === 0n ? -12n : x1));
      return action.kind === "hvc" && action.cpu === 1 ? wrong(action, answer) : answer;
    });
    expect(stepsOf(outcome)).toHaveLength(1);
    expect(stepsOf(outcome)[0]).toMatch(/^cpu1 hvc #\d+ 0xc6000009 /);
  });

  it("a load that aborts where it should not: one load", async () => {
    const outcome = await examined(
      () => (action, answer) => (action.kind === "host_read" ? { kind: "aborted" } : answer),
    );
    expect(stepsOf(outcome)).toHaveLength(1);
    expect(stepsOf(outcome)[0]).toMatch(/^cpu\d load \[P\.pa\+0x0\]$/);
  });

  it("in a directed sequence: one call", async () => {
    const mistake = () => answersOf(UNSHARE, (x1) => (x1 === -34n ? -1n : x1));
    const outcome = await examined(mistake, { calls: 0, directed: DIRECTED });
    expect(stepsOf(outcome)).toHaveLength(1);
  });

  it("only after three shares: what led to it, and no more", async () => {
    const outcome = await examined(() => {
      let shares = 0;
      return (action, answer) =>
        answersOf(SHARE, (x1) => {
          if (x1 === 0n) shares++;
          return shares > 3 && x1 === 0n ? -16n : x1;
        })(action, answer);
    });
    const steps = stepsOf(outcome);
    expect(steps.filter((text) => text.includes("0xc6000009"))).toHaveLength(4);
    expect(steps.length).toBeLessThanOrEqual(7);
  });

  it("a panic that should not be: one call, with the reason", async () => {
    const outcome = await examined(() => (action, answer) => {
      const share = action.kind === "hvc" && action.x[0] === BigInt(SHARE);
      return share ? { kind: "ended", reason: "HOST_ABORT_UNHANDLED" } : answer;
    });
    expect(stepsOf(outcome)).toHaveLength(1);
    expect(outcome.finding?.difference.real).toBe("did not return: HOST_ABORT_UNHANDLED");
  });
});

describe("a list made short", () => {
  it("keeps what is needed, wherever it is", async () => {
    const fails = async (items: readonly number[]) => [3, 40, 77].every((n) => items.includes(n));
    const items = Array.from({ length: 100 }, (_, n) => n);
    expect(await minimise(items, fails, 1000)).toEqual([3, 40, 77]);
  });

  it("stops when its tries are spent", async () => {
    let tries = 0;
    const fails = async () => {
      tries++;
      return false;
    };
    await minimise(
      Array.from({ length: 100 }, (_, n) => n),
      fails,
      10,
    );
    expect(tries).toBe(10);
  });

  it("never tries the empty list", async () => {
    expect(await minimise([hvc(0)], async (items) => items.length === 0, 10)).toHaveLength(1);
  });
});

describe("why a machine went down", () => {
  it.each([
    ["HOST_PANIC", ["Kernel panic - not syncing: Attempted to kill init!"]],
    ["nothing was printed", []],
  ])("%s", (reason, console) => {
    expect(endReason(console)).toBe(reason);
  });
});
