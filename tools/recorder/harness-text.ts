// The parts of the harness that are generated: the layout for C, and access to the observed
// registers.

import type { Features } from "../../cpu/cpu-model.ts";
import { HARNESS_LIMITS, LAYOUT } from "./layout.ts";
import { type ObservedRegister, registersOf } from "./observed-registers.ts";

const PSTATE_FEATURES = ["PAN", "UAO", "DIT", "SSBS", "MTE2"] as const;

/** `layout.h` of entry.S, batch.c and link.ld. */
export function layoutHeader(features: Features): string {
  const names = registersOf(features).map(({ name }) => name);
  const SCTLR_EL2_INDEX = names.indexOf("SCTLR_EL2");
  const numbers = { ...LAYOUT, ...HARNESS_LIMITS, REGISTER_COUNT: names.length, SCTLR_EL2_INDEX };
  const lines = Object.entries(numbers).map(([name, n]) => `#define ${name} 0x${n.toString(16)}`);
  for (const feature of PSTATE_FEATURES) {
    if (features[feature]) lines.push(`#define HAS_${feature === "MTE2" ? "MTE" : feature} 1`);
  }
  return `${lines.join("\n")}\n`;
}

/** What a change of a register asks for: nothing, TLB maintenance, and EL2's translation off. */
const KINDS = ["none", "EL1", "EL2"];

/** Each register's setter takes this many instructions. */
const SETTER_INSTRUCTIONS = 4;

function setter(register: ObservedRegister): string[] {
  const body = [...(register.set ?? [`msr ${register.name}, x1`]), "ret"];
  if (body.length > SETTER_INSTRUCTIONS) throw new Error(`${register.name}: setter too long`);
  while (body.length < SETTER_INSTRUCTIONS) body.push("nop");
  return body;
}

/** `registers.S`: dump_registers, set_register and controls_translation. */
export function registerAccess(features: Features): string {
  const registers = registersOf(features);
  const stride = Math.log2(4 * SETTER_INSTRUCTIONS);
  return [
    '    .section .text, "ax"',
    "    .global dump_registers, set_register, controls_translation",
    "dump_registers:",
    ...registers.flatMap(({ name }, index) => [
      `    mrs x1, ${name}`,
      `    str x1, [x0, #${8 * index}]`,
    ]),
    "    ret",
    "set_register:",
    "    adr x2, setters",
    `    add x2, x2, x0, lsl #${stride}`,
    "    br x2",
    "setters:",
    ...registers.flatMap((register) => setter(register).map((line) => `    ${line}`)),
    '    .section .rodata, "a"',
    "controls_translation:",
    ...registers.map(({ translation = "none" }) => `    .byte ${KINDS.indexOf(translation)}`),
    "",
  ].join("\n");
}
