// The files that `exec` runs: a flat image, or an ELF whose segments are loaded as they say.
// Source: System V gABI, chapter 5, Program Header; ELF for the Arm 64-bit Architecture (AAELF64).

/** Bytes at an address; memory up to `sizeBytes` is there, and zero where `bytes` ends. */
export interface Segment {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  readonly bytes: Uint8Array;
}

/** What is put into memory, and where execution starts. */
export interface LoadedImage {
  readonly kind: "flat" | "ELF";
  readonly segments: readonly Segment[];
  readonly entry: bigint;
}

/** A file that cannot be run, and why. */
export class ImageError extends Error {}

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_AARCH64 = 183;
const PT_LOAD = 1;
const PT_INTERP = 3;
/** More program headers than any linker writes. */
const PHDR_COUNT_MAX = 256;

/** Why an ELF file of this type has no program to run. */
const otherTypes: Readonly<Record<number, string>> = {
  1: "a relocatable file (ET_REL): a module is loaded by `run`, not by `exec`",
  4: "a core dump (ET_CORE)",
};

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

function refuse(why: string): never {
  throw new ImageError(why);
}

/**
 * Where the bytes of a file go. `at` is where a flat image or a position-independent ELF is loaded;
 * for an ELF with fixed addresses it replaces the entry point.
 */
export function loadImage(file: Uint8Array, at: bigint | undefined): LoadedImage {
  if (file.length === 0) refuse("the file is empty");
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (magic.every((byte, i) => file[i] === byte)) return loadElf(file, at);
  if (at === undefined) refuse("a flat image needs --at, the address where it is loaded");
  const segment = { address: at, sizeBytes: BigInt(file.length), bytes: file };
  return { kind: "flat", segments: [segment], entry: at };
}

function loadElf(file: Uint8Array, at: bigint | undefined): LoadedImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const type = checkHeader(view);
  const bias = type === ET_DYN ? at : 0n;
  if (bias === undefined)
    return refuse("a position-independent ELF needs --at, the address where it is loaded");
  const segments = readSegments(file, view, bias);
  if (segments.length === 0) refuse("the ELF has no segment to load");
  const entry = view.getBigUint64(24, true);
  return { kind: "ELF", segments, entry: type === ET_EXEC ? (at ?? entry) : bias + entry };
}

/** The type of the file, once it is known to be an AArch64 program. */
function checkHeader(view: DataView): number {
  if (view.byteLength < EHDR_SIZE) refuse("the ELF header is cut off");
  if (view.getUint8(4) !== 2) refuse("not a 64-bit ELF");
  if (view.getUint8(5) !== 1) refuse("not a little-endian ELF");
  const machine = view.getUint16(18, true);
  if (machine !== EM_AARCH64) refuse(`an ELF for machine ${machine}, not AArch64 (${EM_AARCH64})`);
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN)
    refuse(otherTypes[type] ?? `an ELF of type ${type}, not a program`);
  return type;
}

function readSegments(file: Uint8Array, view: DataView, bias: bigint): Segment[] {
  const offset = view.getBigUint64(32, true);
  const entrySize = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count === 0) return [];
  if (entrySize !== PHDR_SIZE) refuse(`program headers of ${entrySize} bytes, not ${PHDR_SIZE}`);
  if (count > PHDR_COUNT_MAX) refuse(`${count} program headers`);
  if (offset + BigInt(count * PHDR_SIZE) > BigInt(file.length))
    refuse("the program headers lie beyond the end of the file");
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const header = Number(offset) + i * PHDR_SIZE;
    const type = view.getUint32(header, true);
    if (type === PT_INTERP) refuse("the ELF needs a dynamic linker");
    const segment = type === PT_LOAD ? readSegment(file, view, header, bias, i) : undefined;
    if (segment !== undefined) segments.push(segment);
  }
  return segments;
}

/** One PT_LOAD entry; nothing where it takes no memory. */
function readSegment(
  file: Uint8Array,
  view: DataView,
  header: number,
  bias: bigint,
  index: number,
): Segment | undefined {
  const offset = view.getBigUint64(header + 8, true);
  const address = bias + view.getBigUint64(header + 16, true);
  const inFile = view.getBigUint64(header + 32, true);
  const sizeBytes = view.getBigUint64(header + 40, true);
  if (sizeBytes === 0n) return undefined;
  if (inFile > sizeBytes) refuse(`segment ${index} has more bytes in the file than in memory`);
  if (offset + inFile > BigInt(file.length))
    refuse(`segment ${index} (${hex(offset)}+${hex(inFile)}) lies beyond the end of the file`);
  const bytes = file.subarray(Number(offset), Number(offset + inFile));
  return { address, sizeBytes, bytes };
}
