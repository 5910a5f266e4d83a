// Runs the project's tests with one file of the model changed: MUTANT_FILE is read as MUTANT_TEXT.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const project = join(import.meta.dirname, "../../..");
const { MUTANT_FILE = "", MUTANT_TEXT = "" } = process.env;

export default defineConfig({
  root: project,
  cacheDir: join(MUTANT_TEXT, "../cache"),
  plugins: [
    {
      name: "one file is wrong",
      enforce: "pre",
      load: (id) => (id === join(project, MUTANT_FILE) ? readFileSync(MUTANT_TEXT, "utf8") : null),
    },
  ],
  test: {
    include: ["properties/**/*.{test,prop}.ts", "counterexamples/**/*.test.ts"],
    pool: "threads",
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
  },
});
