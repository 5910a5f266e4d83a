// The serial port of the machine: a PL011 whose output is kept.

import type { AccessSize, Device } from "../../cpu/memory.ts";

/** Source: measured, machines: 0x9000000, in use by the host. */
export const PL011_BASE = 0x900_0000n;
const PL011_BYTES = 0x1000n;

/** Offsets of registers. Source: PrimeCell UART (PL011), DDI0183, section 3.2. */
const DR = 0x00n;
const FR = 0x18n;
const CR = 0x30n;
/** The identification, a byte in each word. Source: DDI0183, sections 3.3.15 to 3.3.22. */
const IDENTIFICATION = 0xfe0n;
const IDS = [0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1] as const;

/** Both FIFOs are empty: what is written is out at once, and nothing comes in. */
const TXFE_RXFE = 0x90n;
/** TXE and RXE: what the register has after reset. */
const CR_RESET = 0x300n;

/** The device, and what was written to it since somebody looked. */
export interface Pl011 extends Device {
  /** Takes the characters that were sent. */
  readonly take: () => string;
}

/** One word: what was written there last, where the register is not one of the above. */
function readWord(kept: ReadonlyMap<bigint, bigint>, offset: bigint): bigint {
  if (offset === FR) return TXFE_RXFE;
  if (offset >= IDENTIFICATION) return BigInt(IDS[Number((offset - IDENTIFICATION) / 4n)] ?? 0);
  return kept.get(offset) ?? (offset === CR ? CR_RESET : 0n);
}

/** A PL011; an access of 8 bytes is two of 4, as on the measured machine's bus. */
export function createPl011(
  registers: ReadonlyMap<bigint, bigint> = new Map(),
  pending = "",
): Pl011 {
  const kept = new Map(registers);
  let sent = pending;
  const words = (offset: bigint, sizeBytes: AccessSize): readonly bigint[] => {
    const first = offset & ~3n;
    return sizeBytes <= 4 ? [first] : [first, first + 4n];
  };
  return {
    name: "PL011",
    base: PL011_BASE,
    sizeBytes: PL011_BYTES,
    read: (offset, sizeBytes) =>
      words(offset, sizeBytes).reduce(
        (value, at, n) => value | (readWord(kept, at) << BigInt(32 * n)),
        0n,
      ) >>
      (8n * (offset & 3n)),
    write: (offset, sizeBytes, value) => {
      for (const [n, at] of words(offset, sizeBytes).entries()) {
        const word = BigInt.asUintN(32, value >> BigInt(32 * n));
        if (at === DR) sent += String.fromCharCode(Number(word & 0xffn));
        else kept.set(at, word);
      }
      return true;
    },
    fork: () => createPl011(kept, sent),
    take: () => {
      const text = sent;
      sent = "";
      return text;
    },
  };
}
