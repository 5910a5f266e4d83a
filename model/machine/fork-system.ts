// An independent copy of a running system, so that many continuations are tried from one boot.

import { notifyPanic } from "./callbacks.ts";
import { callerOf } from "./environment.ts";
import { forkMachine } from "./machine.ts";
import type { System } from "./system.ts";
import { createWatch } from "./watch.ts";

/**
 * The same system with an empty log; nothing that one of the two does changes the other, as long as
 * neither works with VMs: what the host's KVM keeps is shared.
 */
export function forkSystem(system: System): System {
  const fork: System = {
    ...system,
    machine: forkMachine(system.machine),
    log: [],
    images: new Map(system.images),
    freed: new Map(system.freed),
    calls: new Map(system.calls),
    stubbed: new Set(system.stubbed),
    calling: new Set(system.calling),
    watch:
      system.watch === undefined
        ? undefined
        : { ...createWatch(), lastCall: system.watch.lastCall },
  };
  fork.beforePanic = (cpu) => {
    notifyPanic(callerOf(fork), cpu);
  };
  return fork;
}
