// The rules that every source file of ours keeps, each a function from one file to its offences.

import { posix } from "node:path";
import { functionsOf, importsOf, type SourceText } from "./source-text.ts";

/** One file by its path from the root. */
export interface SourceFile {
  readonly path: string;
  readonly source: SourceText;
}

/** What a rule finds wrong: one sentence each, without the path. */
export interface TidyRule {
  readonly name: string;
  readonly offences: (file: SourceFile) => readonly string[];
}

const FILE_LINES = 400;
const FUNCTION_LINES = 70;
const COLUMNS = 100;

/** Folder by folder, what of ours it may import. Source: the layers of the README. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  spec: ["spec"],
  cpu: ["cpu"],
  // kdir is data here: the layout of struct module that modules are built against.
  model: ["model", "spec", "kdir"],
  "model/machine": ["model", "spec", "cpu"],
  counterexamples: ["counterexamples", "model", "spec"],
  properties: ["properties", "counterexamples", "model", "spec", "cpu", "tools"],
  tools: ["tools", "properties", "counterexamples", "model", "spec", "cpu"],
};

const topOf = (path: string): string => path.split("/")[0] ?? path;

/** The folder whose line in the table speaks of a file. */
function layerOf(path: string): string {
  if (path.startsWith("model/machine/")) return "model/machine";
  return topOf(path);
}

const importDirection: TidyRule = {
  name: "imports go in one direction",
  offences: ({ path, source }) => {
    const allowed = MAY_IMPORT[layerOf(path)];
    if (allowed === undefined) return [];
    return importsOf(source)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => posix.join(posix.dirname(path), specifier))
      .filter((target) => !allowed.includes(topOf(target)))
      .map((target) => `${layerOf(path)} may not import ${target}`);
  },
};

const importSpelling: TidyRule = {
  name: "imports name a .ts file",
  offences: ({ source }) =>
    importsOf(source)
      .filter((specifier) => specifier.startsWith(".") && !/\.(?:ts|json)$/.test(specifier))
      .map((specifier) => `import of "${specifier}" has no .ts`),
};

const noBarrels: TidyRule = {
  name: "no file hands on the names of another",
  offences: ({ source }) =>
    [...source.code.matchAll(/\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})[^;]*?\bfrom\s*"/g)].map(
      () => "re-exports from another file",
    ),
};

const fileLength: TidyRule = {
  name: `a file has at most ${FILE_LINES} lines`,
  offences: ({ source }) => {
    const lines = source.whole.trimEnd().split("\n").length;
    return lines <= FILE_LINES ? [] : [`${lines} lines`];
  },
};

const functionLength: TidyRule = {
  name: `a function has at most ${FUNCTION_LINES} lines`,
  offences: ({ source }) =>
    functionsOf(source)
      .filter(({ lines }) => lines > FUNCTION_LINES)
      .map(({ line, lines }) => `line ${line}: a function of ${lines} lines`),
};

const columns: TidyRule = {
  name: `a line has at most ${COLUMNS} columns`,
  offences: ({ source }) =>
    source.whole
      .split("\n")
      .flatMap((text, index) =>
        text.length <= COLUMNS ? [] : [`line ${index + 1}: ${text.length} columns`],
      ),
};

const BANNED_NAME = /^(?:index|utils?|helpers?|common|misc)(?:\..*)?\.ts$/;

const fileName: TidyRule = {
  name: "a file is named after what it specifies, in kebab case",
  offences: ({ path }) => {
    const name = posix.basename(path);
    if (BANNED_NAME.test(name)) return [`${name} says nothing`];
    return /^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/.test(name) ? [] : [`${name} is not kebab case`];
  },
};

const noAny: TidyRule = {
  name: "no type is any",
  offences: ({ source }) =>
    [...source.code.matchAll(/(?<![.\w$])any\b(?!\s*[:(?])/g)].map(() => "uses any"),
};

const noDefaultExport: TidyRule = {
  name: "no default exports",
  offences: ({ path, source }) =>
    !path.endsWith("vitest.config.ts") && /\bexport\s+default\b|\bas\s+default\b/.test(source.code)
      ? ["has a default export"]
      : [],
};

const firstLine: TidyRule = {
  name: "the first line is a comment that says what the file specifies",
  offences: ({ source }) => {
    const [first = "", second = ""] = source.whole.split("\n");
    const line = first.startsWith("#!") ? second : first;
    return /^\/[/*] *\S/.test(line) ? [] : ["does not begin with a comment"];
  },
};

/** A mark as it must be written, with something after it. */
const MARK = /\b(?:(?:NON-SPEC|DEVIATION|CHOICE):|TODO\(#\d+\):) +\S/;
const MARK_WORD = /\bNON-SPEC\b|\bDEVIATION\b|\bCHOICE\b|\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b/;

const marks: TidyRule = {
  name: "only the four marks, and well formed",
  offences: ({ source }) =>
    source.comments.flatMap(({ line, text }) =>
      text
        .split("\n")
        .flatMap((part, index) =>
          MARK_WORD.test(part) && !MARK.test(part)
            ? [`line ${line + index}: "${part.trim().slice(0, 60)}" is not one of the four marks`]
            : [],
        ),
    ),
};

const nothingSkipped: TidyRule = {
  name: "no test is skipped or runs alone",
  offences: ({ source }) =>
    [
      ...source.code.matchAll(
        /\b(?:describe|it|test|bench)\.(?:skip|only|todo|skipIf|runIf|fails)\b/g,
      ),
    ].map(([found]) => `${found} leaves tests out`),
};

/** Every rule, in the order in which STYLE.md names them. */
export const TIDY_RULES: readonly TidyRule[] = [
  importDirection,
  importSpelling,
  noBarrels,
  fileLength,
  functionLength,
  columns,
  fileName,
  noAny,
  noDefaultExport,
  firstLine,
  marks,
  nothingSkipped,
];
