// Does to memory what a step said that it does: pages are emptied, words stored, pages copied.

import { writeBytes } from "../../cpu/memory.ts";
import { addressOf } from "../../spec/types/address.ts";
import { eventsOf, type Outcome } from "../../spec/types/outcome.ts";
import type { Machine } from "./machine.ts";
import { invalidateVmid } from "./tlb.ts";

/** Applies the events of an answer in order. Who may reach a page is the descriptors' matter. */
export function applyEvents(machine: Machine, outcome: Outcome): void {
  const { memory, physical } = machine;
  for (const event of eventsOf(outcome)) {
    switch (event.kind) {
      case "zero":
        writeBytes(memory, addressOf(event.page), new Uint8Array(event.bytes));
        break;
      case "store": {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setBigUint64(0, event.value, true);
        writeBytes(memory, event.address, bytes);
        break;
      }
      case "copy":
        physical.writePage(addressOf(event.to), physical.readPage(addressOf(event.from)));
        break;
      case "flush vmid":
        invalidateVmid(machine, event.vmid);
        break;
      case "take":
      case "give":
      case "unmap":
        break;
    }
  }
}
