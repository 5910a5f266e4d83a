// A bounded reader of DWARF's variable-length fields, over bytes that may be hostile.
// Source: DWARF 5, 7.6 (variable-length data) and 7.5.6 (form encodings).

/** Where the reader stands, and where what it may read ends. */
export interface Cursor {
  readonly view: DataView;
  at: number;
  readonly end: number;
  /** Set by the first read past the end; every read after it answers 0. */
  failed: boolean;
}

export const cursorOf = (view: DataView, at: number, end: number): Cursor => ({
  view,
  at,
  end: Math.min(end, view.byteLength),
  failed: at < 0 || at > view.byteLength || end > view.byteLength,
});

/** Makes room for `bytes` more; false, and failed, where there is none. */
function take(cursor: Cursor, bytes: number): boolean {
  if (cursor.failed || bytes < 0 || cursor.at + bytes > cursor.end) {
    cursor.failed = true;
    cursor.at = cursor.end;
    return false;
  }
  return true;
}

/** An unsigned number of 1, 2 or 4 bytes. */
export function unsigned(cursor: Cursor, bytes: 1 | 2 | 4): number {
  if (!take(cursor, bytes)) return 0;
  const { view, at } = cursor;
  cursor.at += bytes;
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

export const u8 = (cursor: Cursor): number => unsigned(cursor, 1);

/** A byte as a signed number. */
export const s8 = (cursor: Cursor): number => (u8(cursor) << 24) >> 24;

/** An unsigned number of 8 bytes; what a double cannot hold fails. */
export function u64(cursor: Cursor): number {
  if (!take(cursor, 8)) return 0;
  const value = cursor.view.getBigUint64(cursor.at, true);
  cursor.at += 8;
  return exact(cursor, value);
}

function exact(cursor: Cursor, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)) {
    return Number(value);
  }
  cursor.failed = true;
  return 0;
}

/** NON-SPEC: LEB128 has no longest form; a number of more than 64 bits takes ten bytes. */
const LEB_BYTES_MAX = 10;

/** The bits of an LEB128 number, how many they are, and whether the last one read is set. */
function leb(cursor: Cursor): { value: bigint; bits: bigint; negative: boolean } {
  let value = 0n;
  let bits = 0n;
  for (let n = 0; n < LEB_BYTES_MAX; n++) {
    const byte = u8(cursor);
    value |= BigInt(byte & 0x7f) << bits;
    bits += 7n;
    if ((byte & 0x80) === 0) return { value, bits, negative: (byte & 0x40) !== 0 };
  }
  cursor.failed = true;
  return { value: 0n, bits: 0n, negative: false };
}

export const uleb = (cursor: Cursor): number => exact(cursor, leb(cursor).value);

export function sleb(cursor: Cursor): number {
  const { value, bits, negative } = leb(cursor);
  return exact(cursor, negative ? value - (1n << bits) : value);
}

/** Steps over bytes. */
export function skip(cursor: Cursor, bytes: number): void {
  if (take(cursor, bytes)) cursor.at += bytes;
}

/** Steps over a string with its zero and says where it began; undefined at the empty string. */
export function skipString(cursor: Cursor): number | undefined {
  const start = cursor.at;
  while (u8(cursor) !== 0);
  return cursor.at === start + 1 ? undefined : start;
}
