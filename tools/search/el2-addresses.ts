// Notes what a handler of a module returns to the host that is an address of EL2.

import { PRIVATE_BASE, PRIVATE_LIMIT } from "../../model/initial.ts";
import type { HvcRecord, InsnRecord } from "../../model/log.ts";
import { hostContextPa } from "../../model/machine/layout.ts";
import type { System } from "../../model/machine/system.ts";
import { translate } from "../../model/pgtable/table.ts";
import type { HostAction } from "../../model/scenario.ts";
import { hypVa, PAGE_SIZE } from "../../spec/types/address.ts";
import type { ModuleState } from "../../spec/types/module.ts";
import { type CodePlace, placeAtEl2 } from "../report/source-place.ts";

/** What an address of EL2 is the address of. */
export type El2AddressClass =
  | "address in the module's EL2 memory"
  | "address in another module's EL2 memory"
  | "address in EL2's private range"
  | "address in EL2's linear map";

/** A register that a handler returned with an address of EL2 in it. */
export interface ReturnedAddress {
  /** Where it was written. */
  readonly place: CodePlace;
  readonly register: number;
  readonly what: El2AddressClass;
}

/** The module that an address of EL2 is of. */
function moduleOf({ hyp }: System, va: bigint): string | undefined {
  const mapping = hyp.el2.mappings.get(hypVa(va - (va % PAGE_SIZE)));
  if (mapping === undefined) return undefined;
  const has = ({ sections }: ModuleState): boolean =>
    sections.some(({ pfns }) => pfns.includes(mapping.pfn));
  return [...hyp.modules.values()].find(has)?.name;
}

/** Whether EL2 has anything at an address: where it has not, the number is like any other. */
const isEl2Address = ({ machine: { physical, hypTable } }: System, value: bigint): boolean =>
  value >= PRIVATE_BASE &&
  value >> BigInt(hypTable.inputBits) === 0n &&
  translate(physical, hypTable, value) !== undefined;

function classOf(system: System, value: bigint, module: string): El2AddressClass {
  const whose = moduleOf(system, value);
  if (whose === module) return "address in the module's EL2 memory";
  if (whose !== undefined) return "address in another module's EL2 memory";
  return value < PRIVATE_LIMIT ? "address in EL2's private range" : "address in EL2's linear map";
}

const argumentsOf = (action: HostAction): readonly bigint[] => ("x" in action ? action.x : []);

/**
 * The addresses of EL2 that code of a module wrote to the host's registers in its last call. Where
 * the host gave one, then or `earlier`, nothing is told: what comes back may be made of it.
 */
export function returnedAddresses(
  system: System,
  earlier: readonly HostAction[],
): readonly ReturnedAddress[] {
  const { log, watch, hyp } = system;
  const call = log.findLast((event): event is HvcRecord | InsnRecord =>
    event.kind === "hvc" ? event.by === "host" : event.kind === "insn",
  );
  if (watch === undefined || call?.after === undefined) return [];
  const { before, after, cpu } = call;
  const given = [...earlier.flatMap(argumentsOf), ...before];
  if (given.some((value) => isEl2Address(system, value))) return [];
  return after.flatMap((value, register): readonly ReturnedAddress[] => {
    if (!isEl2Address(system, value)) return [];
    const from = watch.writers.get(hostContextPa(cpu) + BigInt(8 * register));
    const place = from === undefined ? undefined : placeAtEl2(hyp, from);
    if (place === undefined) return [];
    return [{ place, register, what: classOf(system, value, place.module) }];
  });
}
