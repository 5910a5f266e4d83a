// Runs the project's tests, natively loaded, with one file of the model changed, or says what of
// the model each of them runs: vitest.setup.ts.

import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What sees no fault of the model, or sees it in other processes only, or takes minutes. */
const WITHOUT = [
  "properties/{bench,check-modules,cli,cpu,exec,kdir,mutants,oracle,recorder,search,vectors}/**",
  "properties/model/*.prop.ts",
  "properties/{canary,tidy}.test.ts",
  "properties/**/command.test.ts",
  "properties/model/guards.test.ts",
];

export default defineConfig({
  root: join(import.meta.dirname, "../../.."),
  cacheDir: process.env["FAULT_CACHE"] ?? "out/faults/vitest",
  test: {
    include: ["properties/**/*.{test,prop}.ts", "counterexamples/**/*.test.ts"],
    exclude: process.env["FAULT_SLOW"] === undefined ? WITHOUT : [],
    setupFiles: [join(import.meta.dirname, "vitest.setup.ts")],
    experimental: { viteModuleRunner: false },
    pool: "threads",
    maxWorkers: 1,
    isolate: false,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
