// How a source file is read by the tidy test: its code without text, its comments, its functions.

/** A comment with the line that it starts on, counted from 1. */
export interface Comment {
  readonly line: number;
  readonly text: string;
}

/** A source file in two layers of equal length: positions and line ends are those of the file. */
export interface SourceText {
  /** The file as it is. */
  readonly whole: string;
  /** Comments and the insides of strings, templates and regular expressions are spaces. */
  readonly code: string;
  readonly comments: readonly Comment[];
}

const lineOf = (text: string, at: number): number => {
  let line = 1;
  for (let index = text.indexOf("\n"); index >= 0 && index < at; ) {
    line += 1;
    index = text.indexOf("\n", index + 1);
  }
  return line;
};

const blanked = (text: string): string => text.replace(/[^\n]/g, " ");

/** What may stand before a slash that starts a regular expression. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|case|typeof|in|of))\s*$/;

/** The end of a regular expression that starts at `start`: classes may hold a slash. */
function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\\") at += 1;
    else if (char === "\n") return start + 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return text.length;
}

/** The end of a quoted string that starts at `start`. */
function endOfString(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\\") at += 1;
    else if (char === quote || char === "\n") return at + 1;
  }
  return text.length;
}

/** Where the literal part of a template ends: after its backtick, or after the `${` of a hole. */
function endOfTemplatePart(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\\") at += 1;
    else if (char === "`") return at + 1;
    else if (char === "$" && text.charAt(at + 1) === "{") return at + 2;
  }
  return text.length;
}

/** Where the comment that starts at `at` ends; undefined when there is none. */
function endOfComment(text: string, at: number): number | undefined {
  if (text.startsWith("//", at)) {
    const end = text.indexOf("\n", at);
    return end < 0 ? text.length : end;
  }
  if (!text.startsWith("/*", at)) return undefined;
  const end = text.indexOf("*/", at + 2);
  return end < 0 ? text.length : end + 2;
}

/** Reads one file. */
export function readSource(whole: string): SourceText {
  const comments: Comment[] = [];
  const holes: number[] = []; // brace depth of each template hole that is open
  let code = "";
  let depth = 0;
  let at = 0;
  /** Keeps the first and the last `edge` characters of a literal and blanks what is between. */
  const literal = (end: number, before: number, after: number): void => {
    const text = whole.slice(at, end);
    const inside = Math.max(before, text.length - after);
    code += text.slice(0, before) + blanked(text.slice(before, inside)) + text.slice(inside);
    at = end;
  };
  const template = (before: number): void => {
    const end = endOfTemplatePart(whole, at + before);
    const opensHole = whole.charAt(end - 1) === "{";
    if (opensHole) {
      holes.push(depth);
      depth += 1;
    }
    literal(end, before, opensHole ? 2 : 1);
  };
  while (at < whole.length) {
    const char = whole.charAt(at);
    const comment = endOfComment(whole, at);
    if (comment !== undefined) {
      comments.push({ line: lineOf(whole, at), text: whole.slice(at, comment) });
      literal(comment, 0, 0);
    } else if (char === '"' || char === "'") literal(endOfString(whole, at), 1, 1);
    else if (char === "`") template(1);
    else if (char === "/" && BEFORE_REGEX.test(code.slice(-40))) {
      literal(endOfRegex(whole, at), 1, 1);
    } else {
      if (char === "{") depth += 1;
      if (char === "}") depth -= 1;
      code += char;
      at += 1;
      const closesHole = char === "}" && holes.at(-1) === depth;
      if (closesHole) {
        holes.pop();
        template(0);
      }
    }
  }
  return { whole, code, comments };
}

/** The position after the bracket that closes the one at `start`. */
export function afterBracket(code: string, start: number): number {
  let depth = 0;
  for (let at = start; at < code.length; at += 1) {
    const char = code.charAt(at);
    if (char === "(" || char === "[" || char === "{") depth += 1;
    if (char === ")" || char === "]" || char === "}") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return code.length;
}

/** One function: where its head starts and how many lines it takes. */
export interface FunctionSpan {
  readonly line: number;
  readonly lines: number;
}

const CONTROL = /\b(?:if|for|while|switch|catch|with)\s*$/;

/** Where a body starts after a parameter list that ends at `at`, past a return type. */
function bodyAfter(code: string, at: number): number | undefined {
  for (let here = at; here < code.length; here += 1) {
    const char = code.charAt(here);
    if (char === ";" || char === "}") return undefined;
    if (char !== "{") continue;
    const before = code.slice(at, here).trimEnd().at(-1);
    if (before === undefined || !":|&<,(=[".includes(before)) return here;
    here = afterBracket(code, here) - 1; // an object type
  }
  return undefined;
}

/** Every function with a body. A `describe` block is a suite, not a function. */
export function functionsOf(source: SourceText): readonly FunctionSpan[] {
  const { code } = source;
  const bodies = new Map<number, number>(); // brace of the body, start of the head
  for (const { index } of code.matchAll(/\bfunction\b/g)) {
    const brace = bodyAfter(code, afterBracket(code, code.indexOf("(", index)));
    if (brace !== undefined) bodies.set(brace, index);
  }
  for (const { index, 0: arrow } of code.matchAll(/=>\s*\{/g)) {
    const statement = code.lastIndexOf("\n", index) + 1;
    const suite = /\bdescribe(?:\.each\(.*\))?\(/.test(code.slice(statement, index));
    if (!suite) bodies.set(index + arrow.length - 1, statement);
  }
  for (const { index, 0: found } of code.matchAll(/([\w$]+)\s*\(/g)) {
    const end = afterBracket(code, index + found.length - 1);
    const brace = /^\s*\{/.exec(code.slice(end));
    if (brace === null || CONTROL.test(code.slice(0, index + found.length - 1))) continue;
    const at = end + brace[0].length - 1;
    if (!bodies.has(at)) bodies.set(at, index);
  }
  return [...bodies].map(([brace, head]) => {
    const line = lineOf(code, head);
    return { line, lines: lineOf(code, afterBracket(code, brace) - 1) - line + 1 };
  });
}

/** The specifiers that a file imports, re-exports included. */
export function importsOf(source: SourceText): readonly string[] {
  const found: string[] = [];
  for (const { index, 0: head } of source.code.matchAll(/\b(?:from|import)\s*\(?\s*"/g)) {
    const start = index + head.length;
    found.push(source.whole.slice(start, source.code.indexOf('"', start)));
  }
  return found;
}
