// QARMA5: the block cipher behind pointer authentication codes, on 16 cells of four bits.
// Source: DDI0487 aarch64/functions/pac/computepac (ComputePAC, PACCellShuffle, PACMult, PACSub,
// TweakShuffle); R. Avanzi, The QARMA Block Cipher Family, ToSC 2017(1), with the S-box sigma 2.

const roundConstants = [
  0x0000000000000000n,
  0x13198a2e03707344n,
  0xa4093822299f31d0n,
  0x082efa98ec4e6c89n,
  0x452821e638d01377n,
] as const;
const alpha = 0xc0ac29b7c97c50ddn;
const rounds = 5;

const substitution = [11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10];
const inverseSubstitution = inverseOf(substitution);

/** Cell i of the result is this cell of the input; cell 0 is the least significant. */
const shuffle = [13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15];
const inverseShuffle = inverseOf(shuffle);

const tweakShuffle = [4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9];
const inverseTweakShuffle = inverseOf(tweakShuffle);
/** Cells of the shuffled tweak that also pass through the shift register. */
const rotatedCells = [2, 4, 7, 11, 12, 14, 15];

function inverseOf(permutation: readonly number[]): number[] {
  return permutation.map((_, i) => permutation.indexOf(i));
}

function cellsOf(value: bigint): number[] {
  return Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(4 * i)) & 15n));
}

function fromCells(cells: readonly number[]): bigint {
  return cells.reduceRight((value, cell) => (value << 4n) | BigInt(cell), 0n);
}

function mapCells(value: bigint, f: (cell: number) => number): bigint {
  return fromCells(cellsOf(value).map(f));
}

function permute(value: bigint, permutation: readonly number[]): bigint {
  const cells = cellsOf(value);
  return fromCells(permutation.map((from) => cells[from] ?? 0));
}

const rotateLeft = (cell: number, by: number): number => ((cell << by) | (cell >> (4 - by))) & 15;

/** Multiplies by the matrix circ(0, rot 1, rot 2, rot 1): its own inverse. */
function mixColumns(value: bigint): bigint {
  const cells = cellsOf(value);
  const mixed = cells.map((_, i) => {
    const cell = (rows: number): number => cells[(i + 4 * rows) % 16] ?? 0;
    return rotateLeft(cell(1), 1) ^ rotateLeft(cell(2), 2) ^ rotateLeft(cell(3), 1);
  });
  return fromCells(mixed);
}

const substitute = (value: bigint): bigint => mapCells(value, (cell) => substitution[cell] ?? 0);
const unsubstitute = (value: bigint): bigint =>
  mapCells(value, (cell) => inverseSubstitution[cell] ?? 0);

/** The shift register: the new top bit is the xor of the two low ones. */
const stepCell = (cell: number): number => (cell >> 1) | (((cell ^ (cell >> 1)) & 1) << 3);
const unstepCell = (cell: number): number => ((cell << 1) & 15) | ((cell & 1) ^ (cell >> 3));

function nextTweak(tweak: bigint): bigint {
  const cells = cellsOf(permute(tweak, tweakShuffle));
  return fromCells(cells.map((cell, i) => (rotatedCells.includes(i) ? stepCell(cell) : cell)));
}

function previousTweak(tweak: bigint): bigint {
  const cells = cellsOf(tweak);
  const unstepped = cells.map((cell, i) => (rotatedCells.includes(i) ? unstepCell(cell) : cell));
  return permute(fromCells(unstepped), inverseTweakShuffle);
}

/** 64 bits in two halves, low half first; changed in place. */
type State = Uint32Array;

/** What each cell of a value adds to the result of a function, at 16 * cell + value of the cell. */
interface Layer {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly constant: State;
}

function split(value: bigint): State {
  return Uint32Array.of(Number(value & 0xffff_ffffn), Number(value >> 32n));
}

/**
 * Every function above is a sum (xor) over the cells of its argument, so that a table of what each
 * cell adds is all of it; the tables are made when the first code is computed.
 */
function makeLayer(f: (value: bigint) => bigint): Layer {
  const constant = f(0n);
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  for (let cell = 0; cell < 16; cell++) {
    for (let value = 0; value < 16; value++) {
      const added = split(f(BigInt(value) << BigInt(4 * cell)) ^ constant);
      low[16 * cell + value] = added[0]!;
      high[16 * cell + value] = added[1]!;
    }
  }
  return { low, high, constant: split(constant) };
}

function apply({ low, high, constant }: Layer, state: State): void {
  let resultLow = constant[0]!;
  let resultHigh = constant[1]!;
  for (let cell = 0; cell < 16; cell++) {
    const entry = 16 * cell + ((state[cell >> 3]! >>> (4 * (cell & 7))) & 15);
    resultLow ^= low[entry]!;
    resultHigh ^= high[entry]!;
  }
  state[0] = resultLow;
  state[1] = resultHigh;
}

function add(state: State, ...others: readonly State[]): void {
  for (const other of others) {
    state[0]! ^= other[0]!;
    state[1]! ^= other[1]!;
  }
}

const makeLayers = () => ({
  substitute: makeLayer(substitute),
  unsubstitute: makeLayer(unsubstitute),
  forward: makeLayer((value) => mixColumns(permute(value, shuffle))),
  backward: makeLayer((value) => permute(mixColumns(value), inverseShuffle)),
  unshuffle: makeLayer((value) => permute(value, inverseShuffle)),
  nextTweak: makeLayer(nextTweak),
  previousTweak: makeLayer(previousTweak),
});

let layers: ReturnType<typeof makeLayers> | undefined;
const constants = roundConstants.map(split);
const reflection = split(alpha);

/**
 * Encrypts data under a whitening key and a core key, with a modifier as tweak.
 * Source: DDI0487 ComputePAC.
 */
export function computePAC(data: bigint, modifier: bigint, key0: bigint, key1: bigint): bigint {
  layers ??= makeLayers();
  const { forward, backward } = layers;
  // The second whitening key: the first rotated right, xored with its own top bit.
  const whitening = split(((key0 & 1n) << 63n) | ((key0 >> 1n) ^ (key0 >> 63n)));
  const core = split(key1);
  const tweak = split(modifier);
  const value = split(data ^ key0);
  constants.forEach((constant, i) => {
    add(value, core, tweak, constant);
    if (i > 0) apply(forward, value);
    apply(layers!.substitute, value);
    apply(layers!.nextTweak, tweak);
  });
  // The centre: a forward round, the reflector, and a backward round.
  add(value, whitening, tweak);
  apply(forward, value);
  apply(layers.substitute, value);
  apply(forward, value);
  add(value, core);
  apply(layers.unshuffle, value);
  apply(layers.unsubstitute, value);
  apply(backward, value);
  add(value, split(key0), tweak);
  constants.forEach((_, i) => {
    apply(layers!.unsubstitute, value);
    if (i < rounds - 1) apply(backward, value);
    apply(layers!.previousTweak, tweak);
    add(value, constants[rounds - 1 - i]!, core, tweak, reflection);
  });
  add(value, whitening);
  return (BigInt(value[1]!) << 32n) | BigInt(value[0]!);
}
