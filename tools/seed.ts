// The seed of a random run: a number, or `fresh`, which is another one each time and is printed.

import { randomInt } from "node:crypto";

/** Seeds of all recorders and checks fit into nine digits. */
const SEEDS = 1_000_000_000;

/** The seed that an option asks for; what runs with a fresh one prints it. */
export function seedOf(text: string): number {
  if (text === "fresh") return randomInt(1, SEEDS);
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--seed: 'fresh' or up to nine digits, not ${text}`);
  return Number(text);
}
