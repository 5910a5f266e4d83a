// Every console text that was recorded stands for a reason on the kernel that printed it, and every
// row that cites a trace is in that trace.

import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CONSOLE_TEXTS, consoleTextOf } from "../../spec/console-texts.ts";
import { readTraces } from "./folder.ts";
import { systemOf } from "./scenario.ts";

const read = readTraces(fileURLToPath(new URL("traces", import.meta.url)));

/** The texts of each trace, with the kernel that printed them. */
const PRINTED = (read.ok ? read.traces : []).flatMap(({ name, trace }) => {
  const system = systemOf(trace.header);
  return trace.records.flatMap(({ record }) =>
    record.kind === "console" && system !== undefined ? [{ name, system, text: record.text }] : [],
  );
});

test("traces were read, and they have texts", () => {
  expect(read).toMatchObject({ ok: true });
  expect(PRINTED.length).toBeGreaterThan(100);
});

test("every recorded text has its reason on its branch and its build", () => {
  const unknown = PRINTED.filter(({ text, system }) => !consoleTextOf(text, system));
  expect(unknown.map(({ name, text }) => `${name}: ${text}`)).toEqual([]);
});

describe("a row", () => {
  const cited = CONSOLE_TEXTS.filter(({ source }) => !source.at.startsWith("machines"));
  test.each(cited.map((row) => [row.text.source, row] as const))("%s was recorded", (_, row) => {
    const where = PRINTED.filter(
      ({ text, system }) =>
        row.text.test(text) && row.on.includes(system.branch) && row.builds.includes(system.build),
    );
    expect(where.length).toBeGreaterThan(0);
  });

  test("stands for one reason: no text matches two rows of a kernel", () => {
    for (const { text, system } of PRINTED) {
      const rows = CONSOLE_TEXTS.filter(
        (row) =>
          row.text.test(text) &&
          row.on.includes(system.branch) &&
          row.builds.includes(system.build),
      );
      expect(rows.length).toBeLessThanOrEqual(1);
    }
  });
});

test("a death that nobody recorded has no reason", () => {
  expect(consoleTextOf("hyp BUG at: __kvm_nvhe_nobody_knows")).toBeUndefined();
  const production = { branch: "android14-6.1", build: "production" } as const;
  expect(consoleTextOf("hyp BUG at: mm.c:126", production)).toBeUndefined();
});
