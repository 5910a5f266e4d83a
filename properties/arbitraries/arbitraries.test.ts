// The generators: the examples are those on disk, a seed decides everything, every scenario can be
// stored.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCounterexample, parseCounterexample } from "../../counterexamples/counterexample.ts";
import { CHECKED_EXAMPLES, EXAMPLES, LATER_EXAMPLES } from "./examples.ts";
import { FAILING_LOADS, GOOD_BOOTS, probed } from "./failing-loads.ts";
import { program } from "./program.ts";
import { SYSTEMS, scenario } from "./scenario.ts";

const SAMPLE = { seed: 7, numRuns: 200 } as const;

test("every example on disk is one of the examples, and there are no others", () => {
  const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
  const onDisk = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(`${folder}${name}`)
        .filter((file) => file.endsWith(".ko"))
        .map((file) => `examples/${name}/${file}`),
    );
  const known = [...EXAMPLES, ...LATER_EXAMPLES, ...CHECKED_EXAMPLES];
  expect(known.map(({ file }) => file).sort()).toEqual(onDisk.sort());
});

describe.each(SYSTEMS)("scenarios on $build, documented $documented", (system) => {
  const scenarios = [
    ...fc.sample(scenario(system, EXAMPLES), SAMPLE),
    ...[...FAILING_LOADS, ...GOOD_BOOTS].map((directed) => probed(system, directed)),
  ];

  test("are the same for the same seed", () => {
    const again = fc.sample(scenario(system, EXAMPLES), SAMPLE);
    expect(scenarios.slice(0, again.length)).toEqual(again);
  });

  test("can be stored and read again", () => {
    for (const one of scenarios) {
      const text = formatCounterexample({
        name: "x",
        verdict: "finding",
        clause: "LIFE-1",
        sentence: "x",
        scenario: one,
        options: { budget: 1, el2Only: false, stubs: {} },
        found: { by: "a test", from: 0, runs: 0 },
        steps: ["x"],
      });
      const parsed = parseCounterexample(text);
      if (!parsed.ok) throw new Error(`${parsed.error}\n${text}`);
      expect(parsed.counterexample.scenario).toEqual(one);
    }
  });

  test("name modules that are there, and some that are not", () => {
    const named = scenarios.map(({ boot }) => {
      const list = /protected_modules=(\S*)/.exec(boot.commandLine)?.[1] ?? "";
      const present = boot.initramfs.map(({ name }) => name);
      return list.split(",").filter((name) => name !== "" && !present.includes(name)).length;
    });
    expect(named).toContain(0);
    expect(Math.max(...named)).toBeGreaterThan(0);
  });
});

test("programs fit the buffer that the module copies them to", () => {
  const programs = fc.sample(program, { ...SAMPLE, numRuns: 1000 });
  expect(Math.max(...programs.map((text) => text.length))).toBeLessThan(128);
  expect(programs.some((text) => text.length > 40)).toBe(true);
  expect(new Set(programs).size).toBeGreaterThan(400);
});
