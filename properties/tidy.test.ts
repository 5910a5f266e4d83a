// The form of the project: every source file keeps every rule, and each rule can fail.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { functionsOf, importsOf, readSource } from "./support/source-text.ts";
import { TIDY_RULES } from "./support/tidy-rules.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["spec", "cpu", "model", "properties", "counterexamples", "tools"];

const PATHS = [
  "vitest.config.ts",
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
  ),
];
const FILES = PATHS.map((path) => ({
  path,
  source: readSource(readFileSync(join(ROOT, path), "utf8")),
}));

const linesOf = (count: number): string => "  work();\n".repeat(count);

/** For each rule, files that must offend and files that must not: path and text. */
const EXAMPLES: Readonly<
  Record<string, { bad: readonly (readonly [string, string])[]; good: readonly string[] }>
> = {
  "imports go in one direction": {
    bad: [
      ["spec/a.ts", '// A.\nimport { b } from "../model/b.ts";'],
      ["spec/a.ts", '// A.\nimport type { b } from "../cpu/b.ts";'],
      ["cpu/isa/a.ts", '// A.\nimport { b } from "../../spec/b.ts";'],
      ["model/pgtable/a.ts", '// A.\nimport { b } from "../../cpu/b.ts";'],
      ["model/machine/a.ts", '// A.\nimport { b } from "../../properties/b.ts";'],
      ["counterexamples/a.ts", '// A.\nconst b = await import("../cpu/b.ts");'],
    ],
    good: ['// A.\nimport { b } from "../spec/b.ts";\nimport { z } from "zod";'],
  },
  "imports name a .ts file": {
    bad: [["model/a.ts", '// A.\nimport { b } from "./b";']],
    good: ['// A.\nimport { b } from "./b.ts";'],
  },
  "no file hands on the names of another": {
    bad: [
      ["model/a.ts", '// A.\nexport * from "./b.ts";'],
      ["model/a.ts", '// A.\nexport type { b } from "./b.ts";'],
    ],
    good: ['// A.\nimport { b } from "./b.ts";\nexport const c = { b };'],
  },
  "a file has at most 400 lines": {
    bad: [["model/a.ts", `// A.\n${linesOf(400)}`]],
    good: [`// A.\n${linesOf(399)}`],
  },
  "a function has at most 70 lines": {
    bad: [
      ["model/a.ts", `// A.\nfunction f(): { a: 1 } {\n${linesOf(69)}}\n`],
      ["model/a.ts", `// A.\nconst f = (a: number) => {\n${linesOf(69)}};\n`],
      ["model/a.ts", `// A.\nconst f = {\n  method(a) {\n${linesOf(69)}  },\n};\n`],
    ],
    good: [
      `// A.\nfunction f() {\n${linesOf(68)}}\n`,
      `// A.\ndescribe("f", () => {\n${linesOf(200)}});\n`,
      `// A.\nconst table = {\n${"  a: 1,\n".repeat(200)}};\n`,
    ],
  },
  "a line has at most 100 columns": {
    bad: [["model/a.ts", `// ${"a".repeat(98)}`]],
    good: [`// ${"a".repeat(97)}`],
  },
  "a file is named after what it specifies, in kebab case": {
    bad: ["index.ts", "utils.ts", "helpers.test.ts", "common.ts", "misc.ts", "loadModule.ts"].map(
      (name) => [`model/${name}`, "// A."] as const,
    ),
    good: ["// A."],
  },
  "no type is any": {
    bad: [
      ["model/a.ts", "// A.\nconst a: any = 1;"],
      ["model/a.ts", "// A.\nconst a = b as any;"],
      ["model/a.ts", "// A.\nconst a: Map<string, any[]> = b;"],
    ],
    good: ['// Of any kind.\nconst a = "any";\nconst b = { any: 1, c: P.any };'],
  },
  "no default exports": {
    bad: [
      ["model/a.ts", "// A.\nexport default 1;"],
      ["model/a.ts", "// A.\nexport { a as default };"],
    ],
    good: ["// A.\nswitch (a) {\n  default:\n}"],
  },
  "the first line is a comment that says what the file specifies": {
    bad: [
      ["model/a.ts", "const a = 1;"],
      ["model/a.ts", "//\nconst a = 1;"],
      ["tools/a.ts", "#!/usr/bin/env node\nconst a = 1;"],
    ],
    good: ["/** A. */", "#!/usr/bin/env node\n// A."],
  },
  "only the four marks, and well formed": {
    bad: [
      ["model/a.ts", "// TODO: later"],
      ["model/a.ts", "// TODO(#x): later"],
      ["model/a.ts", "// A CHOICE without a colon"],
      ["model/a.ts", "// FIXME"],
      ["model/a.ts", "/* A.\n * XXX why */"],
      ["model/a.ts", "// DEVIATION:"],
    ],
    good: [
      "// NON-SPEC: ours.\n// CHOICE: this one.",
      "/** A.\n * DEVIATION: that. */\n// TODO(#7): later.",
      '// A.\nconst marks = "TODO XXX";',
    ],
  },
  "no test is skipped or runs alone": {
    bad: [
      ["properties/a.test.ts", "// A.\nit.skip();"],
      ["properties/a.test.ts", "// A.\ndescribe.only();"],
    ],
    good: ["// A. it.skip\nit.each([])();"],
  },
};

describe("tidy", () => {
  it("sees the project's files", () => {
    expect(FILES.length).toBeGreaterThan(100);
    expect(PATHS).toContain("properties/tidy.test.ts");
    expect(PATHS).toContain("spec/clause.ts");
  });

  it.each(TIDY_RULES)("$name", ({ offences }) => {
    const found = FILES.flatMap((file) =>
      offences(file).map((offence) => `${file.path}: ${offence}`),
    );
    expect(found).toEqual([]);
  });
});

describe("each rule can fail", () => {
  it.each(TIDY_RULES)("$name", ({ name, offences }) => {
    const examples = EXAMPLES[name];
    if (examples === undefined) throw new Error(`no example for "${name}"`);
    for (const [path, text] of examples.bad) {
      expect(offences({ path, source: readSource(text) }), `${path}\n${text}`).not.toEqual([]);
    }
    for (const text of examples.good) {
      expect(offences({ path: "model/a.ts", source: readSource(text) }), text).toEqual([]);
    }
  });
});

describe("reading a source file", () => {
  it("keeps code apart from strings, templates, regular expressions and comments", () => {
    const text = `const a = "{"; // }\nconst b = \`x\${{ c: \`}\` }}y{\`;\nd = /[/}]{/ / 2;\n`;
    const { code, comments } = readSource(text);
    expect(code).toBe(
      `const a = " ";     \nconst b = \` \${{ c: \` \` }}  \`;\nd = /     / / 2;\n`,
    );
    expect(comments).toEqual([{ line: 1, text: "// }" }]);
  });

  it("finds functions behind return types and in objects", () => {
    const text =
      "function f(a: { b: 1 }): Promise<{ c: 1 }> {\n\n}\nconst o = { m() {\n} };\nif (a) {\n}\n";
    expect(functionsOf(readSource(text))).toEqual([
      { line: 1, lines: 3 },
      { line: 4, lines: 2 },
    ]);
  });

  it("finds imports of every form", () => {
    const text = 'import "./a.ts";\nimport type { b } from "./b.ts";\nawait import("./c.ts");\n';
    expect(importsOf(readSource(text))).toEqual(["./a.ts", "./b.ts", "./c.ts"]);
  });
});
