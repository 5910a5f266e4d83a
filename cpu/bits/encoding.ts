// Encoding diagrams: 32 bits as text, their fields as a type, and how a word is matched.

/** The words of an encoding diagram that are not fixed bits. */
type FieldToken<E extends string> = E extends `${infer Head} ${infer Tail}`
  ? FieldToken<Head> | FieldToken<Tail>
  : E extends "" | `0${string}` | `1${string}` | `(${string}`
    ? never
    : E;

type FieldName<T extends string> = T extends `${infer Name}:${string}` ? Name : T;

/**
 * The fields of an encoding diagram: `Fields<"sf 0 0 100010 sh imm12:12 Rn:5 Rd:5">` is
 * `{ sf: 0 | 1; sh: 0 | 1; imm12: number; Rn: number; Rd: number }`.
 */
export type Fields<E extends string> = {
  readonly [T in FieldToken<E> as FieldName<T>]: T extends `${string}:${string}` ? number : 0 | 1;
};

/** Where one field sits in the word. */
export interface Field {
  readonly name: string;
  readonly low: number;
  readonly width: number;
}

/** An encoding diagram, parsed. */
export interface Encoding {
  readonly diagram: string;
  /** Bits that must have the value below. */
  readonly mask: number;
  readonly value: number;
  /**
   * Should-be-one and should-be-zero bits, and what they should be; they take no part in matching.
   */
  readonly shouldMask: number;
  readonly shouldValue: number;
  readonly fields: readonly Field[];
}

const token = /^(?:(?<fixed>[01]+)|\((?<should>[01]+)\)|(?<name>[A-Za-z]\w*)(?::(?<width>\d+))?)$/;

/**
 * Reads a diagram, most significant bit first: `0101` are fixed bits, `(11111)` should-be-one bits,
 * `Rd:5` a field of five bits, `sf` a field of one bit.
 * Source: DDI0487 C2.1.3 The instruction encoding or encodings.
 */
export function parseEncoding(diagram: string): Encoding {
  let mask = 0;
  let value = 0;
  let shouldMask = 0;
  let shouldValue = 0;
  let low = 32;
  const fields: Field[] = [];
  for (const text of diagram.split(" ")) {
    const groups = token.exec(text)?.groups;
    if (groups === undefined) throw new Error(`${diagram}: cannot read "${text}"`);
    const { fixed, should, name = "", width: count = "1" } = groups;
    const width = (fixed ?? should)?.length ?? Number(count);
    low -= width;
    if (low < 0) throw new Error(`${diagram}: more than 32 bits`);
    if (fixed !== undefined) {
      mask |= onesAt(low, width);
      value |= Number.parseInt(fixed, 2) << low;
    } else if (should !== undefined) {
      shouldMask |= onesAt(low, width);
      shouldValue |= Number.parseInt(should, 2) << low;
    } else {
      fields.push({ name, low, width });
    }
  }
  if (low !== 0) throw new Error(`${diagram}: ${32 - low} bits instead of 32`);
  if (new Set(fields.map((field) => field.name)).size !== fields.length)
    throw new Error(`${diagram}: a field is named twice`);
  return {
    diagram,
    mask: mask >>> 0,
    value: value >>> 0,
    shouldMask: shouldMask >>> 0,
    shouldValue: shouldValue >>> 0,
    fields,
  };
}

function onesAt(low: number, width: number): number {
  return width === 32 ? -1 : ((1 << width) - 1) << low;
}

/** Whether the word has the diagram's fixed bits. */
export function matches(encoding: Encoding, word: number): boolean {
  return (word & encoding.mask) >>> 0 === encoding.value;
}

/** The values of the diagram's fields in a word. */
export function extractFields(encoding: Encoding, word: number): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { name, low, width } of encoding.fields)
    values[name] = (word >>> low) & (2 ** width - 1);
  return values;
}

/** The word with these field values; should-be bits are as they should be. */
export function encode(encoding: Encoding, values: Readonly<Record<string, number>>): number {
  let word = encoding.value | encoding.shouldValue;
  for (const { name, low, width } of encoding.fields) {
    const value = values[name];
    if (value === undefined) throw new Error(`${encoding.diagram}: no value for ${name}`);
    word |= (value & (2 ** width - 1)) << low;
  }
  return word >>> 0;
}
