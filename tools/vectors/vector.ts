// The format of recorded single-instruction vectors: one JSON object a line, checked when read.

import { z } from "zod";

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{1,${digits}}$`));
const big = hex(16).transform((text) => BigInt(`0x${text}`));
const small = hex(8).transform((text) => Number.parseInt(text, 16));
const cells = z.record(z.string(), big);

const post = z.object({
  x: z.record(z.string(), big).optional(),
  sp: big.optional(),
  pc: big.optional(),
  nzcv: small.optional(),
});

const memory = z.object({ pre: cells.optional(), post: cells.optional() }).nullable();

const exception = z
  .object({
    target_el: z.enum(["EL1", "EL2"]),
    vector_offset: small,
    esr: small,
    esr_mask: small.optional(),
    far: big.nullable(),
    elr: big,
    spsr: small,
    hpfar: big.nullish(),
  })
  .nullable();

const answer = z.object({ post: post.optional(), mem: memory.optional(), exception });

const config = z.object({
  sctlr_el1: big,
  tcr_el1: big,
  ttbr0_el1: big,
  ttbr1_el1: big,
  mair_el1: big,
  vtcr_el2: big,
  vttbr_el2: big,
  hcr_el2: big,
  tables: z.object({ file: z.string(), base: big, size: z.number() }),
});

const input = z.object({
  set: z.string(),
  n: z.number(),
  el: z.enum(["EL0t", "EL1h", "EL2t"]),
  op: small,
  asm: z.string().nullable(),
  pre: z.object({ pc: big, x: z.array(big).length(31), sp: big, nzcv: small, daif: small }),
  notes: z.array(z.string()).optional(),
  config: config.optional(),
  pa: big.optional(),
});

/** Both oracles gave this answer. */
const agreed = input.extend({ post, mem: memory, exception });

/** The oracles gave different answers, or one of them none. */
const disputed = input.extend({
  class: z.string(),
  qemu: answer,
  sail: z.union([answer, z.object({ error: z.string() })]),
});

export type Input = z.infer<typeof input>;
export type Answer = z.infer<typeof answer>;
export type Agreed = z.infer<typeof agreed>;
export type Disputed = z.infer<typeof disputed>;
export type Vector = Agreed | Disputed;

/** Reads one line; throws with a message of one line where it is not a vector. */
export function parseVector(line: string, where: string): Vector {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`${where}: not JSON`);
  }
  const schema =
    typeof value === "object" && value !== null && "class" in value ? disputed : agreed;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Error(`${where}: ${issue?.path.join(".")}: ${issue?.message}`);
}
