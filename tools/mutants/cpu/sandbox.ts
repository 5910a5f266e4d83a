// A copy of the core and of what checks it, in a temporary folder, in which one file at a time is
// wrong.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The root of a copy. */
export interface Sandbox {
  readonly root: string;
}

const copied = [
  "cpu",
  "model",
  "spec",
  "tools",
  "properties/cpu",
  "properties/vectors",
  "package.json",
  "tsconfig.json",
];

/** Types are checked in the core alone; what a fault leaves unused is no reason to refuse it. */
const typeCheck = {
  extends: "./tsconfig.json",
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  include: ["cpu"],
};

/** One worker without isolation: all test files in a few seconds. */
const testConfig = `import { defineConfig } from "vitest/config";
export default defineConfig({
  test: {
    include: ["properties/**/*.{test,prop}.ts"],
    pool: "threads",
    maxWorkers: 1,
    isolate: false,
    testTimeout: 60_000,
  },
});
`;

/** Copies the project into a new folder. */
export function createSandbox(project: string): Sandbox {
  const root = mkdtempSync(join(tmpdir(), "pkvm-spec-mutants-"));
  for (const path of copied) cpSync(join(project, path), join(root, path), { recursive: true });
  // Tools keep caches beside their packages: the packages are shared, the folder is not.
  mkdirSync(join(root, "node_modules"));
  const packages = join(project, "node_modules");
  for (const name of readdirSync(packages))
    if (name === ".bin" || !name.startsWith("."))
      symlinkSync(join(packages, name), join(root, "node_modules", name));
  writeFileSync(join(root, "tsconfig.cpu.json"), JSON.stringify(typeCheck));
  writeFileSync(join(root, "vitest.config.ts"), testConfig);
  return { root };
}

/** Puts a text into one of its files. */
export function write({ root }: Sandbox, file: string, text: string): void {
  writeFileSync(join(root, file), text);
}

export function remove({ root }: Sandbox): void {
  rmSync(root, { recursive: true, force: true });
}
