// `exec` on damaged files: it runs to its budget or refuses in one line, and nothing else happens.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { kernelFile } from "../../tools/bench/core/kernels.ts";
import { ImageError } from "../../tools/exec/load-image.ts";
import { execImage } from "../../tools/exec.ts";

const program = new Uint8Array(readFileSync(kernelFile("kernels-system.elf")));
/** The ELF header and the program headers. */
const HEADERS = 64 + 3 * 56;
const BUDGET = 200;

const changes = fc.array(
  fc.tuple(fc.nat(HEADERS - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff))),
  { minLength: 1, maxLength: 6 },
);

it("damaged headers", () => {
  const outcomes = { ran: 0, refused: 0 };
  const cut = fc.oneof(fc.constant(program.length), fc.nat(program.length));
  const at = fc.option(fc.bigInt(0n, 2n ** 64n - 1n), { nil: undefined });
  fc.assert(
    fc.property(changes, cut, at, fc.constantFrom(0, 1, 2), (damage, length, address, el) => {
      const image = program.slice(0, length);
      for (const [offset, value] of damage) if (offset < length) image[offset] = value;
      try {
        const { instructions } = execImage({ image, at: address, el, budget: BUDGET });
        expect(instructions).toBeLessThanOrEqual(BUDGET);
        outcomes.ran++;
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        expect(error.message).not.toContain("\n");
        outcomes.refused++;
      }
    }),
    { seed: 3, numRuns: 400 },
  );
  // Both must happen, or the damage was too small or too great.
  expect(outcomes.ran).toBeGreaterThan(20);
  expect(outcomes.refused).toBeGreaterThan(20);
});
