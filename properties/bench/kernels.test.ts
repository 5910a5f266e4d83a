// Whole programs: each kernel computes on our core what three other engines computed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  checksumText,
  kernelFile,
  kernelNames,
  readRecorded,
  runKernel,
} from "../../tools/bench/core/kernels.ts";
import { describeWith } from "../kdir/toolchain.ts";

const { runs } = readRecorded();
const once = runs
  .filter(({ iterations }) => iterations === 1)
  .map((run) => ({ ...run, name: kernelNames[run.kernel] ?? "" }));

const version = (tool: string): string =>
  spawnSync(tool, ["--version"], { encoding: "utf8" }).stdout?.split("\n")[0] ?? "";

/** What built the committed files; another compiler says nothing about them. */
const COMPILER = "aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0";

describe("kernels", () => {
  it("every kernel has a recorded run", () => {
    expect(once.map(({ kernel }) => kernel)).toEqual(kernelNames.map((_, kernel) => kernel));
  });

  it.each(once)("$name: the checksum, after $instructions instructions", (run) => {
    const { ended, core, instructions } = runKernel(run.kernel, 1, {
      budget: run.instructions + 1,
    });
    expect(ended).toEqual({ kind: "returned" });
    expect(checksumText(core.x[0] ?? 0n)).toBe(run.checksum);
    expect(instructions).toBe(run.instructions);
  });

  it.each([0, 1] as const)("records, three iterations, at EL%i", (el) => {
    const recorded = runs.find((run) => run.kernel === 5 && run.iterations === 3);
    // At EL0 the end is a fault, which takes one more.
    const budget = (recorded?.instructions ?? 0) + 2;
    const { ended, core, instructions } = runKernel(5, 3, { el, budget });
    expect(instructions).toBe(recorded?.instructions);
    expect(ended).toEqual({ kind: "returned" });
    expect(checksumText(core.x[0] ?? 0n)).toBe(recorded?.checksum);
  });

  it("one instruction less than it takes is not enough", () => {
    const { ended } = runKernel(7, 1, { budget: (once[7]?.instructions ?? 0) - 1 });
    expect(ended).toEqual({ kind: "budget" });
  });
});

describeWith(
  { present: version("aarch64-linux-gnu-gcc") === COMPILER, wanted: COMPILER },
  "kernels, built again",
  () => {
    it("the committed files are what the source builds to", () => {
      const folder = mkdtempSync(join(tmpdir(), "kernels-"));
      try {
        expect(spawnSync(kernelFile("build.sh"), [folder], { encoding: "utf8" }).stderr).toBe("");
        for (const name of ["kernels.bin", "kernels-user.elf", "kernels-system.elf"])
          expect(readFileSync(join(folder, name)).equals(readFileSync(kernelFile(name)))).toBe(
            true,
          );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
);
