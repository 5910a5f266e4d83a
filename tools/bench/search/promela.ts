// The lifecycle model of `lifecycle.ts` for Spin: the same states, one process, one place in it.

import type { Size } from "./lifecycle.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Stages of a module as Spin's bytes. */
const IDLE = 0;
const LOADING = 1;
const LOADED = 2;
const FAILED = 3;
/** No call was made yet, and nobody's handler. */
const NO_CALL = 255;
const NOBODY = 254;

/** The whole model. Each alternative is one step, and every step checks the three rules. */
export function promela({ modules, calls, vms }: Size): string {
  const slots = modules * calls;
  const all = numbers(modules);
  const noneLoading = all.map((m) => `stage[${m}] != ${LOADING}`).join(" && ");
  const allLoaded = all.map((m) => `stage[${m}] == ${LOADED}`).join(" && ");
  const owned = (m: number): string =>
    numbers(slots)
      .map((slot) => `(owner[${slot}] == ${m + 1})`)
      .join(" + ");
  const noVm = numbers(vms)
    .map((vm) => `!vm[${vm}]`)
    .join(" && ");
  const rules = [
    `!failed || (${noVm})`,
    `!deprivileged || (${noneLoading})`,
    `lastId == ${NO_CALL} || lastHandler == HANDLER(lastId)`,
  ];
  const check = `assert((${rules.join(") && (")}));`;
  const step = (guard: string, effect: string): string =>
    `  :: atomic { ${guard} -> ${effect} ${check} }`;
  const steps = [
    ...all.flatMap((m) => [
      step(
        `!deprivileged && stage[${m}] == ${IDLE} && ${noneLoading}`,
        `stage[${m}] = ${LOADING};`,
      ),
      step(`stage[${m}] == ${LOADING}`, `stage[${m}] = ${LOADED};`),
      step(`stage[${m}] == ${LOADING}`, `stage[${m}] = ${FAILED}; failed = true;`),
      step(
        `!deprivileged && stage[${m}] == ${LOADED} && ${owned(m)} < ${calls}`,
        `owner[registered] = ${m + 1}; registered++;`,
      ),
    ]),
    step(`!deprivileged && ${noneLoading} && (failed || (${allLoaded}))`, "deprivileged = true;"),
    ...numbers(vms).flatMap((vm) => [
      step(`deprivileged && !failed && !vm[${vm}]`, `vm[${vm}] = true;`),
      step(`vm[${vm}]`, `vm[${vm}] = false;`),
    ]),
    ...numbers(slots + 1).map((id) =>
      step("deprivileged", `lastId = ${id}; lastHandler = HANDLER(${id});`),
    ),
  ];
  return [
    `#define HANDLER(id) ((id) < registered -> owner[((id) < ${slots} -> (id) : 0)] : ${NOBODY})`,
    `byte stage[${modules}]; byte owner[${slots}]; byte registered;`,
    `bool deprivileged; bool failed; bool vm[${vms}]; byte lastId = ${NO_CALL}; byte lastHandler;`,
    "init {",
    "end: do",
    ...steps,
    "  od",
    "}",
    "",
  ].join("\n");
}
