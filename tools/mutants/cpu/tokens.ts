// The tokens of a TypeScript source, types left out: what the operators of mutation work on.

import { stripTypeScriptTypes } from "node:module";

export type TokenKind = "name" | "number" | "string" | "chunk" | "regexp" | "punctuator";

/** A token, and where in the file it is. `chunk` is the text of a template between its holes. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A file of `cpu/`, ready to be changed. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  /** For a bracket the position among the tokens of its partner; -1 for all others. */
  readonly partner: readonly number[];
  /**
   * Tokens that are left alone: imports, what errors say, names and sources that only people read.
   */
  readonly exempt: readonly boolean[];
}

const blank = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const number = /0[xX][\da-fA-F_]+n?|0[bB][01_]+n?|\d[\d_]*(?:\.\d+)?n?/y;
const word = /[A-Za-z_$][\w$]*/y;
const string = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;
const regexp = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Longest first, so that a prefix never wins. */
const punctuators = [
  ...["...", ">>>=", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??="],
  ...["=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "--"],
  ...["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**", "<<", ">>"],
];
const escaped = (text: string): string => text.replaceAll(/[.*+?^$|\\/]/g, "\\$&");
const punctuator = new RegExp(
  `${punctuators.map(escaped).join("|")}|[{}()[\\];,<>+\\-*/%&|^!~?:=.@#]`,
  "y",
);
const chunk = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))+/y;

/** Words after which a slash begins a regular expression. */
const beforeOperand = new Set(["return", "typeof", "case", "in", "of", "throw", "new", "else"]);

function takesOperand(last: Token | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === "name") return beforeOperand.has(last.text);
  return last.kind === "punctuator" && !/^[)\]}]$/.test(last.text);
}

/** Splits JavaScript text into tokens. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  /** Open brackets; a template's hole goes back to its text when it closes. */
  const open: string[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (kind: TokenKind, token: string): void => {
    tokens.push({ kind, text: token, start: at, end: at + token.length });
    at += token.length;
  };
  const template = (): void => {
    const part = match(chunk);
    if (part !== undefined) push("chunk", part);
    if (text.startsWith("${", at)) {
      open.push("${");
      push("punctuator", "${");
    } else {
      push("punctuator", "`");
    }
  };
  while (at < text.length) {
    const space = match(blank);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (text[at] === "`") {
      push("punctuator", "`");
      template();
      continue;
    }
    if (text[at] === "/" && takesOperand(tokens.at(-1))) {
      push("regexp", match(regexp) ?? "/");
      continue;
    }
    const kinds = [
      ["number", number],
      ["name", word],
      ["string", string],
      ["punctuator", punctuator],
    ] as const;
    const found = kinds.map(([kind, pattern]) => [kind, match(pattern)] as const);
    const [kind, token] = found.find(([, matched]) => matched !== undefined) ?? [];
    if (kind === undefined || token === undefined) throw new Error(`no token at ${at}`);
    if (/^[{([]$/.test(token)) open.push(token);
    const closed = /^[})\]]$/.test(token) ? open.pop() : undefined;
    push(kind, token);
    if (closed === "${") template();
  }
  return tokens;
}

function partnersOf(tokens: readonly Token[]): number[] {
  const partner = new Array<number>(tokens.length).fill(-1);
  const open: number[] = [];
  tokens.forEach(({ kind, text }, i) => {
    if (kind !== "punctuator") return;
    if (/^(?:[{([]|\$\{)$/.test(text)) open.push(i);
    if (!/^[})\]]$/.test(text)) return;
    const from = open.pop();
    if (from === undefined) throw new Error(`unmatched ${text}`);
    partner[from] = i;
    partner[i] = from;
  });
  return partner;
}

/** The position of the semicolon that ends the statement of a token. */
export function statementEnd(
  { tokens, partner }: Pick<Source, "tokens" | "partner">,
  from: number,
): number {
  for (let i = from; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.text === ";" && token.kind === "punctuator") return i;
    const to = partner[i]!;
    if (to > i) i = to;
  }
  return tokens.length - 1;
}

/** Calls whose arguments are text for people, or checks of our own that never fail. */
const complaints = new Set(["check", "sameWidth"]);

function exemptions(tokens: readonly Token[], partner: readonly number[]): boolean[] {
  const exempt = new Array<boolean>(tokens.length).fill(false);
  const spare = (from: number, to: number) => exempt.fill(true, from, to + 1);
  tokens.forEach((token, i) => {
    const [next, before] = [tokens[i + 1], tokens[i - 1]];
    if (token.kind === "name" && (token.text === "import" || token.text === "throw"))
      spare(i, statementEnd({ tokens, partner }, i));
    if (complaints.has(token.text) && next?.text === "(" && before?.text !== "function")
      spare(i, partner[i + 1]!);
    const label = token.text === "source" || token.text === "name";
    if (label && next?.text === ":" && tokens[i + 2]?.kind === "string") spare(i, i + 2);
  });
  return exempt;
}

/** Reads a file of `cpu/`. Stripping its types keeps every other token where it is. */
export function readSource(file: string, text: string): Source {
  const stripped = stripTypeScriptTypes(text, { mode: "strip" });
  if (stripped.length !== text.length) throw new Error(`${file}: stripping its types moves tokens`);
  const tokens = tokenize(stripped).filter(({ start, end, text: token }) => {
    // Stripping may put a semicolon where a type was.
    return text.slice(start, end) === token;
  });
  const partner = partnersOf(tokens);
  return { file, text, tokens, partner, exempt: exemptions(tokens, partner) };
}
