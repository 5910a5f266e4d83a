// A change to a source, and the shapes of text that operators look for.

import type { Source } from "./tokens.ts";

/** Text that takes the place of a part of the file. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A kind of mistake, and everywhere that it can be made in a source. */
export interface Operator {
  readonly name: string;
  readonly edits: (source: Source) => readonly Edit[];
}

/** The text of the tokens `from` to `to`, both included. */
export function textOf({ text, tokens }: Source, from: number, to: number): string {
  return text.slice(tokens[from]!.start, tokens[to]!.end);
}

/** Replaces the tokens `from` to `to`. */
export function replace(source: Source, from: number, to: number, replacement: string): Edit {
  const { tokens } = source;
  return { start: tokens[from]!.start, end: tokens[to]!.end, replacement };
}

/** A run of tokens, first and last. */
export type Span = readonly [from: number, to: number];

/** Exchanges two runs of tokens, the first before the second; nothing where they are the same. */
export function exchange(source: Source, first: Span, second: Span): readonly Edit[] {
  const [a, b] = [textOf(source, ...first), textOf(source, ...second)];
  if (a === b || first[1] >= second[0]) return [];
  const between = source.text.slice(source.tokens[first[1]]!.end, source.tokens[second[0]]!.start);
  return [replace(source, first[0], second[1], b + between + a)];
}

/** The runs of tokens between the commas of a bracket that opens at `open`; empty ones left out. */
export function elements({ tokens, partner }: Source, open: number): readonly Span[] {
  const close = partner[open]!;
  const found: Span[] = [];
  let from = open + 1;
  for (let i = from; i <= close; i++) {
    if (i === close || (tokens[i]!.text === "," && tokens[i]!.kind === "punctuator")) {
      if (from < i) found.push([from, i - 1]);
      from = i + 1;
    } else if (partner[i]! > i) {
      i = partner[i]!;
    }
  }
  return found;
}

const keywords = new Set(["if", "for", "while", "switch", "catch", "return", "function", "super"]);

/** Whether a call of a named function has its bracket at `open`. */
export function isCall({ tokens, partner }: Source, open: number): boolean {
  const [callee, before, after] = [tokens[open - 1], tokens[open - 2], tokens[partner[open]! + 1]];
  if (tokens[open]!.text !== "(" || callee?.kind !== "name" || keywords.has(callee.text))
    return false;
  return before?.text !== "function" && after?.text !== "{" && after?.text !== "=>";
}

/** Whether the token is an operator between two operands. */
export function isBinary({ tokens }: Source, i: number): boolean {
  const before = tokens[i - 1];
  if (before === undefined || tokens[i]!.kind !== "punctuator") return false;
  if (before.kind === "name") return !/^(?:return|case|typeof|in|of)$/.test(before.text);
  return before.kind === "number" || before.kind === "string" || /^[)\]}`]$/.test(before.text);
}

/** The operand that ends at a token: a number, or a chain of names, calls and indices. */
export function operandBefore({ tokens, partner }: Source, last: number): Span | undefined {
  let from = last;
  for (;;) {
    const token = tokens[from]!;
    if (/^[)\]]$/.test(token.text)) {
      from = partner[from]!;
      const callee = tokens[from - 1];
      if (callee?.kind === "name" && !keywords.has(callee.text)) from--;
      else if (tokens[from]!.text === "[" && callee?.text === "]") from--;
      else if (tokens[from]!.text === "(") return [from, last];
    } else if (token.kind !== "name" && token.kind !== "number") {
      return undefined;
    }
    if (tokens[from]!.kind === "name" && /^\??\.$/.test(tokens[from - 1]?.text ?? "")) from -= 2;
    else if (tokens[from]!.kind === "name" || tokens[from]!.kind === "number") return [from, last];
    else if (tokens[from]!.text !== "]" && tokens[from]!.text !== ")") return undefined;
  }
}

/** The operand that begins at a token. */
export function operandAfter({ tokens, partner }: Source, first: number): Span | undefined {
  const token = tokens[first];
  if (token === undefined) return undefined;
  let to = first;
  if (token.text === "(") to = partner[first]!;
  else if (token.kind !== "name" && token.kind !== "number") return undefined;
  for (;;) {
    const next = tokens[to + 1];
    if (next?.text === "." && tokens[to + 2]?.kind === "name") to += 2;
    else if (next?.text === "(" || next?.text === "[") to = partner[to + 1]!;
    else return [first, to];
  }
}

/** The edits that `at` finds at each token that is not exempt. */
export function atTokens(
  source: Source,
  at: (i: number, text: string) => readonly Edit[],
): readonly Edit[] {
  return source.tokens.flatMap((token, i) => (source.exempt[i] ? [] : at(i, token.text)));
}
