// Mistakes that a model can have: guards, errnos, owners, effects; and the general ones.

import { operators } from "../cpu/candidates.ts";
import { atTokens, type Edit, elements, exchange, type Operator, replace } from "../cpu/edit.ts";
import type { Source } from "../cpu/tokens.ts";

/** The guards of each list of guards, as runs of tokens. */
function guardLists(source: Source): readonly (readonly (readonly [number, number])[])[] {
  const { tokens } = source;
  return tokens.flatMap((token, i) => {
    const opens =
      token.text === "guards" && tokens[i + 1]?.text === ":" && tokens[i + 2]?.text === "[";
    return opens ? [elements(source, i + 2)] : [];
  });
}

/** A guard is missing. */
const droppedGuard: Operator = {
  name: "dropped guard",
  edits: (source) =>
    guardLists(source).flatMap((guards) =>
      guards.map(([from, to]) => {
        const comma = source.tokens[to + 1]?.text === "," ? to + 1 : to;
        return replace(source, from, comma, "");
      }),
    ),
};

/** Two guards are asked in the other order. */
const swappedGuards: Operator = {
  name: "swapped guards",
  edits: (source) =>
    guardLists(source).flatMap((guards) =>
      guards.slice(1).flatMap((guard, n) => exchange(source, guards[n]!, guard)),
    ),
};

/** A guard permits what it should refuse. */
const negatedGuard: Operator = {
  name: "negated guard",
  edits: (source) =>
    guardLists(source).flatMap((guards) =>
      guards.flatMap(([from, to]): readonly Edit[] => {
        const { tokens, partner } = source;
        for (let i = from; i < to; i++) {
          if (tokens[i]!.text !== "=>" || tokens[i + 1]?.text === "{") continue;
          let end = i + 1;
          while (end < to && tokens[end + 1]!.text !== "," && tokens[end + 1]!.text !== "}") {
            end = partner[end + 1]! > end + 1 ? partner[end + 1]! : end + 1;
          }
          const text = source.text.slice(tokens[i + 1]!.start, tokens[end]!.end);
          return [replace(source, i + 1, end, `!(${text})`)];
        }
        return [];
      }),
    ),
};

/** Words of which one is easily written for another. */
const GROUPS: readonly (readonly string[])[] = [
  ["EPERM", "EINVAL", "ENOMEM", "EBUSY", "ERANGE", "ENOENT"],
  ["HOST", "HYP", "GUEST", "PROTECTED"],
  ["OWNED", "SHARED_OWNED", "SHARED_BORROWED", "NOPAGE", "MODULE_OWNED"],
  ["PLAIN_PAGE", "HYP_PAGE", "SHARED_PAGE"],
];

/** One word of a group for the next. */
const wordFor = (name: string, groups: readonly (readonly string[])[]): Operator => ({
  name,
  edits: (source) =>
    atTokens(source, (i, text) => {
      const bare = text.replaceAll('"', "");
      const group = groups.find((words) => words.includes(bare));
      if (group === undefined || source.tokens[i + 1]?.text === ":") return [];
      const other = group[(group.indexOf(bare) + 1) % group.length]!;
      return [replace(source, i, i, text.replace(bare, other))];
    }),
});

const GENERAL = new Set([
  "swapped operands",
  "flipped condition",
  "off by one",
  "dropped write",
  "dropped check",
]);

/** Where the model says which source it was read in, for people. */
function citations({ tokens, partner }: Source): readonly (readonly [number, number])[] {
  return tokens.flatMap(({ text, start }, i): (readonly [number, number])[] => {
    const opens = text === "source" && tokens[i + 1]?.text === ":" && tokens[i + 2]?.text === "[";
    const isCite = text === "cite" && tokens[i + 1]?.text === "(";
    if (!opens && !isCite) return [];
    return [[start, tokens[partner[i + (opens ? 2 : 1)]!]!.end]];
  });
}

/** The same kind of mistake, but not in citations. */
const outsideCitations = ({ name, edits }: Operator): Operator => ({
  name,
  edits: (source) => {
    const left = citations(source);
    return edits(source).filter(
      ({ start, end }) => !left.some(([from, to]) => from <= start && end <= to),
    );
  },
});

/** All operators for files of `model/`. */
export const modelOperators: readonly Operator[] = [
  droppedGuard,
  swappedGuards,
  negatedGuard,
  wordFor("wrong errno", GROUPS.slice(0, 1)),
  wordFor("wrong owner", GROUPS.slice(1)),
  ...operators.filter(({ name }) => GENERAL.has(name)).map(outsideCitations),
];
