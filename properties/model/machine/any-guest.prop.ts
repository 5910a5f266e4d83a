// Whatever a guest executes, the run ends with an answer and no rule about guests is broken.

import fc from "fast-check";
import { expect, test } from "vitest";
import { runChecked } from "../../../counterexamples/run-checked.ts";
import { guestLife, type Scenario } from "../../../model/scenario.ts";
import { PSCI, SMCCC } from "../../../spec/guest-calls.ts";
import { GOOD_BOOTS } from "../../arbitraries/failing-loads.ts";

const BOOT = { ...GOOD_BOOTS[0]!.boot, commandLine: "kvm-arm.mode=protected" };
const PROTECTED = 0x8000_0000;
/** NON-SPEC: enough for what is generated; endless loops cost this much. */
const BUDGET = 3_000;

/** MOVZ and MOVK of a 64-bit value into a register. Source: DDI0487 C6.2.255, C6.2.253. */
const set = (register: number, value: bigint): readonly number[] =>
  [0n, 16n, 32n, 48n].map((shift, n) => {
    const immediate = Number((value >> shift) & 0xffffn);
    return ((n === 0 ? 0xd280_0000 : 0xf280_0000) | (n << 21) | (immediate << 5) | register) >>> 0;
  });
const HVC = 0xd400_0002;
/** STR X2, [X1] and LDR X2, [X1]. */
const STORE = 0xf900_0022;
const LOAD = 0xf940_0022;

const address = fc.oneof(
  fc.constantFrom(0x8000_0000n, 0x8003_0001n, 0x900_0000n, 0x1_0000_0000n, 1n << 40n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const id = fc.constantFrom(...Object.values(SMCCC), ...Object.values(PSCI), 0xdead);

/** A call with any arguments, an access anywhere, or any word at all. */
const piece: fc.Arbitrary<readonly number[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(id, address, fc.constantFrom(0n, 0n, 1n))
      .map(([n, x1, x2]) => [...set(0, BigInt(n)), ...set(1, x1), ...set(2, x2), HVC]),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(address, fc.constantFrom(STORE, LOAD))
      .map(([x1, word]) => [...set(1, x1), word]),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff_ffff }).map((word) => [word]) },
);

const scenarioOf = (type: number): Scenario => ({
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: BOOT,
  actions: [...guestLife(0, type, "guest"), { kind: "KVM_CLOSE", vm: 0 }],
});

/** Rules that a guest may break on this branch: what it says of addresses inside pages. */
const KNOWN: readonly string[] = ["GUEST-28", "GUEST-29"];

test("any guest", () => {
  let left = 0;
  const pieces = fc.array(piece, { minLength: 1, maxLength: 12 });
  const property = fc.property(pieces, fc.constantFrom(PROTECTED, 0), (words, type) => {
    const image = new Uint8Array(Uint32Array.from(words.flat()).buffer);
    const files = new Map([["guest", image]]);
    const { run, violations } = runChecked(scenarioOf(type), files, { budget: BUDGET });
    left += run.log.filter(({ kind }) => kind === "kvm-exit").length;
    const surprises = violations.filter(({ rule }) => !KNOWN.includes(rule));
    expect(surprises.map(({ rule, sentence }) => `${rule}: ${sentence}`)).toEqual([]);
  });
  fc.assert(property, { seed: 20261123, numRuns: 60 });
  expect(left).toBeGreaterThan(10);
});
