// Every encoding of MRS, MSR and SYS in the space where registers and operations are: whether QEMU
// has it, and we.

import type { Machine } from "./configurations.ts";
import { backgroundOf, type Draft, finish, newDraft, type Workshop } from "./draft.ts";
import type { Planned } from "./generate.ts";
import { isRecordable, isRunnable } from "./generate-system.ts";
import type { Oracle } from "./oracles.ts";
import { namedRandom } from "./random.ts";
import { OPERATION_SPACE, REGISTER_SPACE } from "./system-words.ts";
import type { ElName } from "./vector.ts";

/** Where each level runs: nothing is translated below EL2. */
const PLACES: readonly (readonly [ElName, string])[] = [
  ["EL2h", "flat"],
  ["EL1h", "off"],
  ["EL0t", "off"],
];

/** Xt is X3, and holds an address in memory. */
const Rt = 3;
const VALUE = 0x5000_0000n;

interface Kind {
  readonly entry: string;
  /** The bits above op1: MRS, MSR and SYS, with op0. */
  readonly top: number;
  readonly space: { readonly op1: readonly number[]; readonly CRn: readonly number[] };
}

const KINDS: readonly Kind[] = [
  { entry: "MRS", top: 0xd530_0000, space: REGISTER_SPACE },
  { entry: "MRS", top: 0xd538_0000, space: REGISTER_SPACE },
  { entry: "MSR (register)", top: 0xd510_0000, space: REGISTER_SPACE },
  { entry: "MSR (register)", top: 0xd518_0000, space: REGISTER_SPACE },
  { entry: "SYS", top: 0xd508_0000, space: OPERATION_SPACE },
];

function* wordsOf({ top, space }: Kind): Generator<number> {
  for (const op1 of space.op1)
    for (const CRn of space.CRn)
      for (let low = 0; low < 128; low++)
        yield (top | (op1 << 16) | (CRn << 12) | ((low >>> 3) << 8) | ((low & 7) << 5) | Rt) >>> 0;
}

/** DC ZVA and its kin write a block at their address; vectors of SYS aim them. */
const writesBlock = (word: number): boolean => (word & 0xfff8_ff00) >>> 0 === 0xd508_7400;

/** One vector for each encoding at each level, but for those that the harness cannot run. */
export function planEveryRegister(oracle: Oracle, machine: Machine, seed: number): Planned[] {
  const { features } = oracle.cpuModel;
  const random = namedRandom(seed, "every register");
  const background = backgroundOf(seed);
  const shop: Workshop = { random, machine, features, background, slots: { used: 0 } };
  const planned: Planned[] = [];
  const add = (draft: Draft): void => {
    if (!isRecordable(draft) || !isRunnable(draft) || writesBlock(draft.words[0]!)) return;
    draft.x[Rt] = VALUE;
    planned.push({ vector: finish(draft), signatures: [] });
  };
  for (const [el, name] of PLACES) {
    const configuration = machine.configurations.find((one) => one.name === name)!;
    for (const kind of KINDS) {
      // What is written at EL2 without a name here may change what the harness runs on.
      if (el === "EL2h" && kind.entry === "MSR (register)") continue;
      for (const word of wordsOf(kind))
        add(Object.assign(newDraft(shop, kind.entry, configuration, el), { words: [word] }));
    }
  }
  return planned;
}
