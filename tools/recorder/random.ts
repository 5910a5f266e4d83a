// Seeded randomness: the same seed gives the same vectors on every machine.

/** A stream of random numbers. */
export interface Random {
  /** An integer from 0 to `below - 1`. */
  below(below: number): number;
  /** 64 random bits. */
  bits64(): bigint;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
  pick<T>(values: readonly T[]): T;
}

/** xoshiro128**, seeded by splitmix32. Source: D. Blackman, S. Vigna, 2018. */
export function seededRandom(seed: number): Random {
  let mixed = seed >>> 0;
  const splitmix = () => {
    mixed = (mixed + 0x9e37_79b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  const word = () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const below = (n: number) => Math.floor((word() / 0x1_0000_0000) * n);
  return {
    below,
    bits64: () => (BigInt(word()) << 32n) | BigInt(word()),
    oneIn: (n) => below(n) === 0,
    pick: <T>(values: readonly T[]): T => {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error("nothing to pick from");
      return value;
    },
  };
}

/** A stream that depends on the seed and on a name, so that adding one entry moves no other. */
export function namedRandom(seed: number, name: string): Random {
  let hash = seed ^ 0x811c_9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193);
  return seededRandom(hash);
}
