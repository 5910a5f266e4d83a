// Mistakes in what is written where: levels, fields, statements, encodings, rules of tables.

import {
  atTokens,
  type Edit,
  elements,
  exchange,
  isCall,
  type Operator,
  replace,
  textOf,
} from "./edit.ts";
import { readNumber } from "./expression-operators.ts";
import { type Source, statementEnd } from "./tokens.ts";

const otherLevel: Readonly<Record<string, string>> = {
  ...{ el10: "el2", el2: "el10", lower: "upper", upper: "lower" },
  ...{ lowerRange: "upperRange", upperRange: "lowerRange", singleRange: "lowerRange" },
};
const otherRegister = (name: string): string | undefined =>
  /^\w+_EL[12]$/.test(name)
    ? name.replace(/_EL([12])$/, (_, el) => `_EL${el === "1" ? 2 : 1}`)
    : undefined;
/** What a number that is compared with, or given to, one of these names is. */
const levelName = /^(?:EL|el|target|from|stage|level|startLevel|mode)$/;

/** The number of a level, with the levels next to it. */
function levelNumber(source: Source, i: number, text: string): readonly Edit[] {
  const [separator, name] = [source.tokens[i - 1], source.tokens[i - 2]];
  if (!/^(?:===|!==|<|<=|>|>=|:|=)$/.test(separator?.text ?? "")) return [];
  if (!levelName.test(name?.text ?? "") || !/^[0-3]$/.test(text)) return [];
  return [1, 2].map((by) => replace(source, i, i, `${(Number(text) + by) % 3}`));
}

/** Another Exception level, stage or level of lookup. */
const wrongLevel: Operator = {
  name: "wrong level",
  edits: (source) => {
    const known = new Set(source.tokens.map(({ text }) => text));
    return atTokens(source, (i, text) => {
      const { kind } = source.tokens[i]!;
      if (kind === "number") return levelNumber(source, i, text);
      if (kind !== "name" || source.tokens[i + 1]?.text === ":") return [];
      const other = Object.hasOwn(otherLevel, text) ? otherLevel[text] : otherRegister(text);
      return other === undefined || !known.has(other) ? [] : [replace(source, i, i, other)];
    });
  },
};

/** Names that are easily taken for one another. */
const lookalikes = [
  ["Rn", "Rm", "Rd", "Rt", "Rt2", "Rs", "Ra"],
  ["imms", "immr"],
  ["N", "Z", "C", "V"],
  ["D", "A", "I", "F"],
  ["op0", "op1", "op2", "CRn", "CRm"],
  ["low", "high"],
  ["va", "pa", "ipa"],
  ["vmid", "asid"],
  ["tbiData", "tbiInstruction"],
  ["irq", "fiq", "serror"],
  ["stage1", "stage2"],
  ["first", "second"],
];
const windowTokens = 90;

/** A field that stands nearby, in place of the right one. */
function lookalike(source: Source, i: number, text: string): readonly Edit[] {
  if (source.tokens[i]!.kind !== "name" || source.tokens[i + 1]?.text === ":") return [];
  const group = lookalikes.find((names) => names.includes(text));
  if (group === undefined) return [];
  const nearby = source.tokens.slice(Math.max(0, i - windowTokens), i + windowTokens);
  const present = new Set(nearby.map((token) => token.text));
  return group
    .filter((name) => name !== text && present.has(name))
    .map((name) => replace(source, i, i, name));
}

/** Whether a brace opens an object, not a block. */
function isObject({ tokens }: Source, i: number): boolean {
  if (tokens[i]!.text !== "{") return false;
  const inside = /^(?:,|\.\.\.)$/.test(tokens[i + 2]?.text ?? "") || tokens[i + 2]?.text === ":";
  return inside && /^(?:[(,:=[?]|return|=>)$/.test(tokens[i - 1]?.text ?? "");
}

/** The values of neighbouring members of an object, exchanged. */
function exchangedMembers(source: Source, i: number): readonly Edit[] {
  if (!isObject(source, i)) return [];
  const members = elements(source, i).filter(([from]) => source.tokens[from + 1]?.text === ":");
  return members
    .slice(1)
    .flatMap(([from, to], n) =>
      exchange(source, [members[n]![0] + 2, members[n]![1]], [from + 2, to]),
    );
}

const swappedField: Operator = {
  name: "swapped field",
  edits: (source) =>
    atTokens(source, (i, text) => [
      ...lookalike(source, i, text),
      ...exchangedMembers(source, i),
      ...encodingEdits(source, i, (words) =>
        words.slice(1).flatMap((word, n) => {
          const other = words[n]!;
          if (!/^\w+:\d+$|^[a-zA-Z]\w*$/.test(word) || !/^\w+:\d+$|^[a-zA-Z]\w*$/.test(other))
            return [];
          return [words.with(n, word).with(n + 1, other)];
        }),
      ),
    ]),
};

/** Encoding diagrams: strings of fixed bits and fields. */
function encodingEdits(
  source: Source,
  i: number,
  change: (words: readonly string[]) => readonly (readonly string[])[],
): readonly Edit[] {
  const { kind, text } = source.tokens[i]!;
  if (kind !== "string" || !/^"[\w:() ]*\d[\w:() ]* [\w:() ]+"$/.test(text)) return [];
  const words = text.slice(1, -1).split(" ");
  return change(words).map((changed) => replace(source, i, i, `"${changed.join(" ")}"`));
}

/** A fixed bit of a diagram, or a number of a system register's encoding, is wrong. */
const wrongEncoding: Operator = {
  name: "wrong encoding",
  edits: (source) =>
    atTokens(source, (i) =>
      encodingEdits(source, i, (words) =>
        words.flatMap((word, n) => {
          if (/^[01]{2,}$|^[01]$/.test(word) && words.some((other) => other.includes(":"))) {
            const at = word.length >> 1;
            const flipped = word[at] === "0" ? "1" : "0";
            return [words.with(n, word.slice(0, at) + flipped + word.slice(at + 1))];
          }
          return /^\d+$/.test(word) ? [words.with(n, `${Number(word) ^ 1}`)] : [];
        }),
      ),
    ),
};

const assignment = /^(?:=|\+=|-=|\|=|&=|\^=|<<=|>>=|\?\?=|\+\+|--)$/;

/** A statement that begins after one of these is whole. */
function beginsStatement({ tokens, partner }: Source, i: number): boolean {
  const before = tokens[i - 1];
  if (before === undefined || tokens[i]!.kind !== "name") return false;
  if (/^[{};]$/.test(before.text) || before.text === "else") return true;
  return before.text === ")" && tokens[partner[i - 1]! - 1]?.text === "if";
}

/** Statements that only do something: assignments to members and calls. */
function effectStatement(source: Source, i: number): readonly Edit[] {
  if (!beginsStatement(source, i)) return [];
  const { tokens, partner } = source;
  let at = i;
  while (tokens[at + 1]?.text === "." || tokens[at + 1]?.text === "[")
    at = tokens[at + 1]!.text === "[" ? partner[at + 1]! : at + 2;
  const end = statementEnd(source, i);
  const next = tokens[at + 1];
  const isWrite = assignment.test(next?.text ?? "");
  const isLoneCall = next?.text === "(" && isCall(source, at + 1) && partner[at + 1]! + 1 === end;
  if (tokens[end]?.text !== ";" || !(isWrite || isLoneCall)) return [];
  return [replace(source, i, end, ";")];
}

/** An effect of an instruction: a call among the elements of a list. */
function listedEffect(source: Source, i: number): readonly Edit[] {
  const { tokens } = source;
  if (tokens[i]!.text !== "[" || tokens[i - 1]?.kind === "name") return [];
  const spans = elements(source, i);
  if (spans.length < 2) return [];
  return spans
    .map(([from, to], n) => {
      const [first, last] = n === 0 ? [from, spans[1]![0] - 1] : [spans[n - 1]![1] + 1, to];
      return { from, first, last };
    })
    .filter(({ from }) => tokens[from + 1]?.text === "(" || tokens[from + 1]?.text === ".")
    .map(({ first, last }) => replace(source, first, last, ""));
}

const droppedWrite: Operator = {
  name: "dropped write",
  edits: (source) =>
    atTokens(source, (i) => [...effectStatement(source, i), ...listedEffect(source, i)]),
};

/** `if (…) return …;` without its `if`, and what it guards: the check is gone. */
const droppedCheck: Operator = {
  name: "dropped check",
  edits: (source) =>
    atTokens(source, (i, text) => {
      const { tokens, partner } = source;
      if (text !== "if" || tokens[i - 1]?.text === "else") return [];
      const then = partner[i + 1]! + 1;
      const isReturn = tokens[then]?.text === "return" || tokens[then]?.text === "continue";
      if (!isReturn) return [];
      return [replace(source, i, statementEnd(source, then), ";")];
    }),
};

/** A member of a row of a table is missing: a trap, a feature, an access rule. */
const droppedRule: Operator = {
  name: "dropped rule",
  edits: (source) => {
    if (!/tables\/|cpu-model/.test(source.file)) return [];
    return atTokens(source, (i, text) => {
      const members = isObject(source, i);
      const strings = text === "[" && source.tokens[i + 1]?.kind === "string";
      if (!members && !strings) return [];
      const spans = elements(source, i).filter(([from, to]) =>
        strings ? from === to && /^"[A-Z]/.test(textOf(source, from, to)) : true,
      );
      if (strings && spans.length !== elements(source, i).length) return [];
      return spans.map(([from, to]) => {
        const comma = source.tokens[to + 1]?.text === "," ? to + 1 : to;
        return replace(source, from, comma, "");
      });
    });
  },
};

/** A bit number of a table is its neighbour's. */
const wrongBitNumber: Operator = {
  name: "wrong bit number",
  edits: (source) => {
    if (!/tables\/|fields/.test(source.file)) return [];
    return atTokens(source, (i, text) => {
      if (source.tokens[i]!.kind !== "number" || source.tokens[i - 1]?.text !== ":") return [];
      const number = readNumber(text);
      return number === undefined ? [] : [replace(source, i, i, number.write(number.value + 1n))];
    });
  },
};

export const structureOperators: readonly Operator[] = [
  wrongLevel,
  swappedField,
  wrongEncoding,
  droppedWrite,
  droppedCheck,
  droppedRule,
  wrongBitNumber,
];
