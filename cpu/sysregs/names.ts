// The names of all system registers that exist here, gathered from the tables.

import { control } from "./tables/control.ts";
import { debug } from "./tables/debug.ts";
import { exceptions } from "./tables/exceptions.ts";
import { gic } from "./tables/gic.ts";
import { identification } from "./tables/identification.ts";
import { performance } from "./tables/performance.ts";
import { pointerAuthentication } from "./tables/pointer-authentication.ts";
import { timer } from "./tables/timer.ts";

const allRows = [
  ...identification,
  ...control,
  ...exceptions,
  ...pointerAuthentication,
  ...timer,
  ...debug,
  ...performance,
  ...gic,
] as const;

/** Arm's name of a system register. */
export type SysregName = (typeof allRows)[number][0];

/** Every row of every table. */
export const sysregRows: readonly (readonly [
  name: SysregName,
  encoding: string,
  rules?: import("./row.ts").SysregRules,
])[] = allRows;

export const sysregNames: readonly SysregName[] = allRows.map(([name]) => name);
