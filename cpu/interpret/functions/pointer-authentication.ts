// Pointer authentication: placeholders until QARMA5 is in.

import type { Unmodelled } from "../../exceptions/exception.ts";
import type { Core } from "../../state.ts";

const unmodelled = (_core: Core): bigint | Unmodelled => ({
  type: "unmodelled",
  what: "pointer authentication",
});

export const pointerAuthenticationFunctions = {
  AddPACIA: unmodelled,
  AddPACIB: unmodelled,
  AddPACDA: unmodelled,
  AddPACDB: unmodelled,
  AddPACGA: unmodelled,
  AuthIA: unmodelled,
  AuthIB: unmodelled,
  AuthDA: unmodelled,
  AuthDB: unmodelled,
  Strip: unmodelled,
};
