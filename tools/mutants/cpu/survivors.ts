// Why some faults live: a reason for each, kept as data.

import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Mutant } from "./candidates.ts";

const survivor = z.object({
  file: z.string(),
  before: z.string(),
  after: z.string(),
  /** `equivalent`: no program can tell. `elsewhere`: something outside of `npm test` notices. */
  kind: z.enum(["equivalent", "elsewhere"]),
  reason: z.string().min(20),
});

export type Survivor = z.infer<typeof survivor>;

/** A list of reasons: the one that is kept beside this file, or another. */
export function readSurvivors(
  file = new URL("survivors.json", import.meta.url),
): readonly Survivor[] {
  const text = readFileSync(file, "utf8");
  return z.array(survivor).parse(JSON.parse(text));
}

/** The reason given for a fault. */
export function reasonFor(list: readonly Survivor[], mutant: Mutant): Survivor | undefined {
  return list.find(
    ({ file, before, after }) =>
      file === mutant.file && before === mutant.before && after === mutant.after,
  );
}
