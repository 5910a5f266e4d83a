// Sources are split into tokens as the language says, with nothing lost but types and blanks.

import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readSource, statementEnd, tokenize } from "../../tools/mutants/cpu/tokens.ts";

const texts = (text: string): string[] => tokenize(text).map((token) => token.text);

describe("tokens", () => {
  it("the longest operator wins", () => {
    expect(texts("a>>>=b>>>c>>d**e")).toEqual(["a", ">>>=", "b", ">>>", "c", ">>", "d", "**", "e"]);
  });

  it("numbers keep their radix, separators and n", () => {
    expect(texts("0x0f_ffn + 0b10 - 1_000.5")).toEqual(["0x0f_ffn", "+", "0b10", "-", "1_000.5"]);
  });

  it("a slash after an operand divides, elsewhere it begins a regular expression", () => {
    expect(texts("a / b / c")).toEqual(["a", "/", "b", "/", "c"]);
    expect(texts("f(/[/]\\//g)")).toEqual(["f", "(", "/[/]\\//g", ")"]);
  });

  it("templates are text with holes, which may hold templates", () => {
    const parts = ["`", "a ", "${", "b", "+", "`", "c", "${", "d", "}", "`", "}", " e", "`"];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the source of a template.
    expect(texts("`a ${b + `c${d}`} e`")).toEqual(parts);
    expect(tokenize("`a`;").map(({ kind }) => kind)).toEqual([
      "punctuator",
      "chunk",
      "punctuator",
      "punctuator",
    ]);
  });

  it("comments are no tokens, nor is what looks like one in a string", () => {
    expect(texts('a /* b */ "//" // c\n d')).toEqual(["a", '"//"', "d"]);
  });
});

describe("sources", () => {
  it("types leave no tokens; all others stay where they are", () => {
    const text = "export function f(a: 0 | 1, b?: string): El {\n  return (a as El)!;\n}\n";
    const { tokens } = readSource("f.ts", text);
    const kept = "export function f ( a , b ) { return ( a ) ; }".split(" ");
    expect(tokens.map((token) => token.text)).toEqual(kept);
    for (const { start, end, text: token } of tokens) expect(text.slice(start, end)).toBe(token);
  });

  it("imports, errors, names and sources are exempt", () => {
    const source = readSource(
      "f.ts",
      [
        'import { a } from "b";',
        'const c = { name: "C", source: "D", n: 1 };',
        'throw new Error("x" + 1);\n',
      ].join("\n"),
    );
    const kept = source.tokens.filter((_, i) => !source.exempt[i]).map(({ text }) => text);
    expect(kept).toEqual(["const", "c", "=", "{", ",", ",", "n", ":", "1", "}", ";"]);
  });

  it("a statement ends at its own semicolon", () => {
    const source = readSource("f.ts", "a(() => { b; c; }); d;");
    expect(source.tokens[statementEnd(source, 0) + 1]?.text).toBe("d");
  });

  it.each(globSync("cpu/**/*.ts"))("%s: every character is blank or of one token", (file) => {
    const { text, tokens } = readSource(file, readFileSync(file, "utf8"));
    let last = 0;
    for (const { start, end, text: token } of tokens) {
      expect(start).toBeGreaterThanOrEqual(last);
      expect(text.slice(start, end)).toBe(token);
      last = end;
    }
  });
});
