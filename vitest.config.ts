// How the tests run: everything under properties/, and the replay beside the counterexamples.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["properties/**/*.{test,prop}.ts", "counterexamples/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
