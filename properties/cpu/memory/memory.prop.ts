// Random writes, reads and forks against a plain map of bytes.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AccessSize,
  createMemory,
  forkMemory,
  type Memory,
  readPhysical,
  writePhysical,
} from "../../../cpu/memory.ts";

const base = 0x4000_0000n;
const regions = [{ base, sizeBytes: 0x40_0000n }];

type Step =
  | { kind: "write"; at: number; sizeBytes: AccessSize; value: bigint; on: number }
  | { kind: "read"; at: number; sizeBytes: AccessSize; on: number }
  | { kind: "fork"; on: number };

const size = fc.constantFrom<AccessSize>(1, 2, 4, 8, 16);
/** Few pages, in two chunks, so that writes and forks meet; unaligned and across pages too. */
const at = fc.oneof(
  fc.nat(0x2100),
  fc.nat(0x2100).map((offset) => 0x1f_f000 + offset),
);
const on = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      at,
      sizeBytes: size,
      value: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
      on,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("read" as const), at, sizeBytes: size, on }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fork" as const), on }) },
);

interface Pair {
  readonly memory: Memory;
  readonly bytes: Map<number, number>;
}

function expected(bytes: Map<number, number>, from: number, sizeBytes: number): bigint {
  let value = 0n;
  for (let index = sizeBytes - 1; index >= 0; index--) {
    value = value * 256n + BigInt(bytes.get(from + index) ?? 0);
  }
  return value;
}

function apply(pairs: Pair[], action: Step): void {
  const pair = pairs[action.on % pairs.length]!;
  if (action.kind === "fork") {
    if (pairs.length < 8) {
      pairs.push({ memory: forkMemory(pair.memory), bytes: new Map(pair.bytes) });
    }
    return;
  }
  const pa = base + BigInt(action.at);
  if (action.kind === "read") {
    const value = readPhysical(pair.memory, pa, action.sizeBytes);
    expect(value).toBe(expected(pair.bytes, action.at, action.sizeBytes));
    return;
  }
  expect(writePhysical(pair.memory, pa, action.sizeBytes, action.value)).toBe(true);
  for (let index = 0; index < action.sizeBytes; index++) {
    pair.bytes.set(action.at + index, Number((action.value >> BigInt(8 * index)) & 0xffn));
  }
}

test("memory and its forks each behave as a map of bytes", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
      const pairs: Pair[] = [{ memory: createMemory(regions), bytes: new Map() }];
      for (const action of steps) apply(pairs, action);
      for (const { memory, bytes } of pairs) {
        for (const [address, value] of bytes) {
          expect(readPhysical(memory, base + BigInt(address), 1)).toBe(BigInt(value));
        }
      }
    }),
    { seed: 20261123, numRuns: 200 },
  );
});
