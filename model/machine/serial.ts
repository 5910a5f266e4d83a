// What EL2 prints: the characters of puts and putx64, one call of the module's driver each.

import type { Fault } from "../../cpu/exceptions/exception.ts";
import { type Caller, callBack } from "./callbacks.ts";
import { readHyp } from "./hyp-memory.ts";

/** How a line ends, in this order. Source: hyp_puts, hyp_putx64, hyp/nvhe/serial.c. */
const LINE_END = "\n\r";

/** A number as putx64 prints it: all its digits, in lower case. */
const hex64 = (value: bigint): string => `0x${value.toString(16).padStart(16, "0")}`;

/** One character after the other; false when the driver did not come back. */
function sent({ caller, cpu, driver }: Printing, text: string): boolean {
  return [...text].every(
    (character) => callBack(caller, cpu, driver, [BigInt(character.charCodeAt(0))]) !== undefined,
  );
}

interface Printing {
  readonly caller: Caller;
  readonly cpu: number;
  readonly driver: Parameters<typeof callBack>[2];
}

/** Whether the driver came back from every character, or the abort that the string met. */
export type Printed = boolean | { readonly fault: Fault };

/** NON-SPEC: a string without an end stops here, where memory does not stop it before. */
const LENGTH_MAX = 1 << 16;

/** The characters of a string, each read when its turn comes, as the driver may change them. */
function sentString(printing: Printing, at: bigint): Printed {
  const { machine } = printing.caller.system;
  for (let n = 0; n < LENGTH_MAX; n++) {
    const bytes = readHyp(machine, printing.cpu, BigInt.asUintN(64, at + BigInt(n)), 1);
    if (!(bytes instanceof Uint8Array)) return { fault: bytes };
    const [character = 0] = bytes;
    if (character === 0) return sent(printing, LINE_END);
    if (!sent(printing, String.fromCharCode(character))) return false;
  }
  return true;
}

/**
 * Does what an op prints. Without a driver nothing is read and nothing is sent.
 * Source: hyp_serial_enabled, hyp/nvhe/serial.c (android14-6.1).
 */
export function printed(caller: Caller, cpu: number, op: string, args: readonly bigint[]): Printed {
  const driver = caller.system.hyp.dispatch.callbacks.serial_driver;
  if (driver === undefined || (op !== "puts" && op !== "putx64")) return true;
  const printing = { caller, cpu, driver };
  const [value = 0n] = args;
  return op === "puts" ? sentString(printing, value) : sent(printing, hex64(value) + LINE_END);
}
