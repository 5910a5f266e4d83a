// Which hypercalls the model knows, by the kernel's name.

import { SHARE_HCALLS } from "../ownership/share.ts";
import type { Hypercall } from "./hypercall.ts";
import {
  allocModuleVa,
  initModule,
  mapModulePage,
  registerHcall,
  unmapModulePage,
} from "./module-hypercalls.ts";
import { protFinalize } from "./prot-finalize.ts";

const KNOWN: readonly Hypercall[] = [
  allocModuleVa,
  mapModulePage,
  unmapModulePage,
  initModule,
  registerHcall,
  protFinalize,
  ...SHARE_HCALLS,
];

/** The transition of a hypercall, or nothing: then the run stops with its name. */
export const HYPERCALLS: ReadonlyMap<string, Hypercall> = new Map(
  KNOWN.map((hypercall) => [hypercall.name, hypercall]),
);
