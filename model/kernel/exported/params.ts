// Sets the parameters of a loaded module, in its memory, from the string that came with it.

import type { KernVa } from "../../../spec/types/address.ts";
import type { LoadedModule } from "../../elf/load.ts";
import type { Environment, Ran } from "../../machine/answers.ts";
import { exceptionOf, kernelOf } from "../../machine/kernel.ts";
import type { Machine } from "../../machine/machine.ts";
import { callEl1 } from "../../machine/run.ts";
import { EXPORTED_FUNCTIONS } from "./exported.ts";
import { isKernelStop, stop } from "./kernel.ts";
import { type ParametersSet, parseArguments } from "./parameter-functions.ts";

/** Who runs a `set` function that the module brings itself. */
export interface ParameterCaller {
  readonly cpu: number;
  readonly env: Environment;
  readonly budget: number;
}

/** The parameters are set, or refused with an errno, or the kernel did not come back from it. */
export type ParametersOutcome =
  | ({ readonly kind: "parsed" } & ParametersSet)
  | { readonly kind: "stopped"; readonly ran: Exclude<Ran, { kind: "returned" }> };

const KERNEL_PARAM_BYTES = 40;

/**
 * parse_args over the module's __param section as it lies in memory, relocated.
 * Source: load_module, kernel/module/main.c (linux 6.1): after the sections are in place, before
 * the init.
 */
export function setParameters(
  machine: Machine,
  loaded: LoadedModule,
  parameters: string,
  caller: ParameterCaller,
): ParametersOutcome {
  const { cpu, env, budget } = caller;
  let stopped: Exclude<Ran, { kind: "returned" }> | undefined;
  const kernel = kernelOf(machine, cpu, {
    print: (level, text) => env.printk(text, level),
    call: (address, args) => {
      const gate = machine.gates.el1.get(address);
      const own = gate?.kind === "kernel function" ? EXPORTED_FUNCTIONS.get(gate.name) : undefined;
      if (own !== undefined) return own(kernel, { x: args, sp: 0n }) ?? 0n;
      const ran = callEl1(machine, cpu, address as KernVa, args, env, budget);
      if (ran.kind === "returned") return ran.x[0]!;
      stopped = ran;
      throw stop("ended", "a function of the module");
    },
  });
  const section = loaded.sections.find(({ name }) => name === "__param");
  const table = {
    module: loaded.file.name,
    address: section?.address ?? 0n,
    count: Math.floor((section?.size ?? 0) / KERNEL_PARAM_BYTES),
  };
  try {
    return { kind: "parsed", ...parseArguments(kernel, table, parameters) };
  } catch (thrown) {
    if (!isKernelStop(thrown)) throw thrown;
    return { kind: "stopped", ran: stopped ?? exceptionOf(machine, cpu, thrown) };
  }
}
