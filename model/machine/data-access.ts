// What memory a load or store word touches, read off its bits. NON-SPEC: for aiming and watching.

/** Base, offset and size of the access that a word makes. */
export interface DataAccess {
  /** Number of the base register, 31 for the stack pointer; undefined for the PC. */
  readonly base: number | undefined;
  /** The immediate that is added, in bytes. */
  readonly offset: bigint;
  /** The register that is added instead. */
  readonly index:
    | { readonly register: number; readonly option: number; readonly shift: number }
    | undefined;
  readonly sizeBytes: number;
  readonly kind: "plain" | "exclusive" | "atomic" | "ordered" | "tags" | "authenticated";
  /** The base is written. */
  readonly writeback: boolean;
  /** More than one register is transferred. */
  readonly pair: boolean;
  readonly load: boolean;
}

const field = (word: number, low: number, width: number): number =>
  (word >>> low) & (2 ** width - 1);

function signedField(word: number, low: number, width: number): bigint {
  return BigInt.asIntN(width, BigInt(field(word, low, width)));
}

const NOTHING = { offset: 0n, index: undefined, writeback: false, pair: false, load: false };

/**
 * The access of a word in the space of loads and stores; undefined where it is none of A64 base.
 */
export function dataAccess(word: number): DataAccess | undefined {
  // Bits 27 and 25 are 1 and 0 for loads and stores; bit 26 says SIMD and floating-point.
  if (field(word, 25, 3) !== 4) return undefined;
  switch (field(word, 28, 2) * 2 + field(word, 24, 1)) {
    case 0:
      return exclusiveOrOrdered(word);
    case 2:
      return literal(word);
    case 3:
      return tagsOrUnscaledOrdered(word);
    case 4:
    case 5:
      return pair(word);
    case 6:
      return register(word);
    case 7:
      return unsignedOffset(word);
    default:
      return undefined;
  }
}

const baseOf = (word: number): number => field(word, 5, 5);

function exclusiveOrOrdered(word: number): DataAccess {
  const size = field(word, 30, 2);
  const [o2, load, o1] = [field(word, 23, 1), field(word, 22, 1) === 1, field(word, 21, 1)];
  const base = baseOf(word);
  if (o2 === 1) {
    const kind = o1 === 1 ? "atomic" : "ordered";
    return { ...NOTHING, base, sizeBytes: 1 << size, kind, load };
  }
  if (o1 === 0) return { ...NOTHING, base, sizeBytes: 1 << size, kind: "exclusive", load };
  // Size 0x is CASP, 1x is LDXP and STXP.
  const kind = size < 2 ? "atomic" : "exclusive";
  return { ...NOTHING, base, sizeBytes: 8 << (size & 1), kind, pair: true, load };
}

function literal(word: number): DataAccess {
  const sizeBytes = field(word, 30, 2) === 1 ? 8 : 4;
  const offset = signedField(word, 5, 19) * 4n;
  return { ...NOTHING, base: undefined, offset, sizeBytes, kind: "plain", load: true };
}

function tagsOrUnscaledOrdered(word: number): DataAccess {
  const base = baseOf(word);
  const imm9 = signedField(word, 12, 9);
  const mode = field(word, 10, 2);
  if (field(word, 21, 1) === 0) {
    const sizeBytes = 1 << field(word, 30, 2);
    const load = field(word, 22, 2) !== 0;
    return { ...NOTHING, base, offset: imm9, sizeBytes, kind: "ordered", load };
  }
  const offset = mode === 1 ? 0n : imm9 * 16n;
  const writeback = mode === 1 || mode === 3;
  return { ...NOTHING, base, offset, sizeBytes: 16, kind: "tags", writeback };
}

function pair(word: number): DataAccess {
  const opc = field(word, 30, 2);
  const load = field(word, 22, 1) === 1;
  const tagged = opc === 1 && !load;
  const scale = opc === 2 ? 8n : tagged ? 16n : 4n;
  const mode = field(word, 23, 2);
  const imm = signedField(word, 15, 7) * scale;
  return {
    ...{ base: baseOf(word), offset: mode === 1 ? 0n : imm, index: undefined, load },
    ...{ sizeBytes: opc === 2 || tagged ? 16 : 8, kind: tagged ? "tags" : "plain" },
    ...{ writeback: (mode & 1) === 1, pair: true },
  };
}

function register(word: number): DataAccess {
  const base = baseOf(word);
  const sizeBytes = 1 << field(word, 30, 2);
  const load = field(word, 22, 2) !== 0;
  const mode = field(word, 10, 2);
  if (field(word, 21, 1) === 0) {
    const offset = mode === 1 ? 0n : signedField(word, 12, 9);
    const writeback = mode === 1 || mode === 3;
    return { ...NOTHING, base, offset, sizeBytes, kind: "plain", writeback, load };
  }
  if (mode === 0) return { ...NOTHING, base, sizeBytes, kind: "atomic", load: true };
  if (mode === 2) {
    const shift = field(word, 12, 1) === 1 ? field(word, 30, 2) : 0;
    const index = { register: field(word, 16, 5), option: field(word, 13, 3), shift };
    return { ...NOTHING, base, index, sizeBytes, kind: "plain", load };
  }
  const imm10 = BigInt.asIntN(10, BigInt((field(word, 22, 1) << 9) | field(word, 12, 9)));
  const writeback = mode === 3;
  const offset = imm10 * 8n;
  return { ...NOTHING, base, offset, sizeBytes: 8, kind: "authenticated", writeback, load: true };
}

function unsignedOffset(word: number): DataAccess {
  const size = field(word, 30, 2);
  const offset = BigInt(field(word, 10, 12)) << BigInt(size);
  const load = field(word, 22, 2) !== 0;
  return { ...NOTHING, base: baseOf(word), offset, sizeBytes: 1 << size, kind: "plain", load };
}

/** What an index register adds. Source: DDI0487 ExtendReg. */
export function indexOffset(index: NonNullable<DataAccess["index"]>, value: bigint): bigint {
  const { option, shift } = index;
  const bits = (option & 3) === 2 ? 32 : 64;
  const extended = (option & 4) !== 0 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return extended << BigInt(shift);
}
