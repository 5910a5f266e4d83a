// Parts of states as small numbers: the same value is the same number, whoever made it.

/** The text of a value: the same for what is the same all the way down. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (value instanceof Set) return `(${[...value].map(textOf).sort().join()})`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const fields = entries.map(([key, item]) => `${textOf(key)}:${textOf(item)}`).sort();
  return value instanceof Map ? `<${fields.join()}>` : `{${fields.join()}}`;
}

/**
 * 32 bits of a text, signed, the same on every run. NON-SPEC: FNV-1a, then the finaliser of
 * MurmurHash3.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return mixed(hash);
}

/** Spreads 32 bits. */
export function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/**
 * The values that one part of the state was seen to have. A part that is a record can be split:
 * then each of its fields has a table of its own, `boot.key`.
 */
export interface PartTable {
  readonly name: string;
  /** The key of the state, and the field of it where the part is split. */
  readonly key: string;
  readonly field: string | undefined;
  readonly values: unknown[];
  readonly texts: string[];
  /** A number for each value that does not depend on the order in which they were seen. */
  readonly hashes: number[];
  readonly ids: Map<string, number>;
  /** Values by identity: most parts of a state are those of the state before. */
  readonly known: WeakMap<object, number>;
}

export function createPartTable(name: string): PartTable {
  const [key = name, field] = name.split(".");
  const empty = { values: [], texts: [], hashes: [], ids: new Map(), known: new WeakMap() };
  return { name, key, field, ...empty };
}

/** The value of a table in a state. */
export function valueIn({ key, field }: PartTable, state: object): unknown {
  const part = (state as Record<string, unknown>)[key];
  return field === undefined ? part : (part as Record<string, unknown>)[field];
}

/** The number of a value; a new one if it was never seen. */
export function idOf(table: PartTable, value: unknown): number {
  const isObject = typeof value === "object" && value !== null;
  if (isObject) {
    const known = table.known.get(value);
    if (known !== undefined) return known;
  }
  const text = textOf(value);
  let id = table.ids.get(text);
  if (id === undefined) {
    id = table.values.length;
    table.values.push(value);
    table.texts.push(text);
    table.hashes.push(hashOf(`${table.name}${text}`));
    table.ids.set(text, id);
  }
  if (isObject) table.known.set(value, id);
  return id;
}
