// The keys of pointer authentication. Source: DDI0487 D24.2.15 to D24.2.24.

import type { SysregRow } from "../row.ts";

/** Lo is bits 63:0 of a 128-bit key, Hi bits 127:64. */
export const pointerAuthentication = [
  ["APIAKeyLo_EL1", "3 0 2 1 0", { feature: "PAuth", traps: ["APK"], fgt: 7 }],
  ["APIAKeyHi_EL1", "3 0 2 1 1", { feature: "PAuth", traps: ["APK"], fgt: 7 }],
  ["APIBKeyLo_EL1", "3 0 2 1 2", { feature: "PAuth", traps: ["APK"], fgt: 8 }],
  ["APIBKeyHi_EL1", "3 0 2 1 3", { feature: "PAuth", traps: ["APK"], fgt: 8 }],
  ["APDAKeyLo_EL1", "3 0 2 2 0", { feature: "PAuth", traps: ["APK"], fgt: 4 }],
  ["APDAKeyHi_EL1", "3 0 2 2 1", { feature: "PAuth", traps: ["APK"], fgt: 4 }],
  ["APDBKeyLo_EL1", "3 0 2 2 2", { feature: "PAuth", traps: ["APK"], fgt: 5 }],
  ["APDBKeyHi_EL1", "3 0 2 2 3", { feature: "PAuth", traps: ["APK"], fgt: 5 }],
  ["APGAKeyLo_EL1", "3 0 2 3 0", { feature: "PAuth", traps: ["APK"], fgt: 6 }],
  ["APGAKeyHi_EL1", "3 0 2 3 1", { feature: "PAuth", traps: ["APK"], fgt: 6 }],
] as const satisfies readonly SysregRow[];
