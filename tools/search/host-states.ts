// The states of the host that calls of a module start from: what tells two apart, what leads there.

import { createHash } from "node:crypto";
import { boot } from "../../model/kernel/boot.ts";
import { act, createSystem } from "../../model/machine/run-scenario.ts";
import { over, type System } from "../../model/machine/system.ts";
import { guestLife, type HostAction } from "../../model/scenario.ts";
import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import { isMemory } from "../../spec/machine.ts";
import { PSCI } from "../../spec/smccc.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../../spec/types/address.ts";
import { PROT } from "../../spec/types/module.ts";
import { HOST_PAGE_PA } from "./call-values.ts";
import type { CallsPlan, Node } from "./module-calls.ts";

/** Whatever later calls can depend on: ownership, mappings, registrations, CPUs, modules' data. */
export function stateKey({ hyp, machine }: System): string {
  const pages = [...hyp.pages].map(([page, state]) => `${page} ${Object.values(state).join()}`);
  const mappings = [...hyp.el2.mappings];
  const hash = createHash("md5");
  hash.update(pages.join(";")).update(String(hyp.el2.nextFree)).update(String(mappings.length));
  const { dynamicHcalls, callbacks, further } = hyp.dispatch;
  const several = Object.values(further).map((handlers) => handlers.length);
  hash.update(`${dynamicHcalls.length} ${Object.keys(callbacks).sort().join()} ${several.join()}`);
  hash.update(hyp.psci.power.join());
  for (const { hcrSet, hcrClear } of hyp.controls) hash.update(`${hcrSet} ${hcrClear};`);
  const data = mappings.filter(([, { prot }]) => (prot & PROT.W) !== 0).map(([, { pfn }]) => pfn);
  const shared = [HOST_PAGE_PA, HOST_PAGE_PA + PAGE_SIZE];
  const inMemory = data.filter((page) => isMemory(page));
  for (const pa of [...inMemory.map((page) => BigInt(page) << PAGE_SHIFT), ...shared]) {
    hash.update(machine.physical.readPage(pa));
  }
  return hash.digest("base64");
}

/** What the host writes where module code reads. */
export const HOST_WORDS: readonly bigint[] = [
  ...[1n, 8n, 64n, 0xfffn, 0x1000n, 0x7fff_ffffn, 0xffff_ffffn, (1n << 64n) - 1n],
];

/** CPUs that go off, where a module is told of those that come back; one stays on. */
function switchedOff({ hyp }: System): readonly HostAction[] {
  if (hyp.dispatch.callbacks.psci_notifier === undefined) return [];
  const on = hyp.psci.power.flatMap((power, cpu) => (power === "on" ? [cpu] : []));
  if (on.length < 2) return [];
  return on.map((cpu): HostAction => ({ kind: "smc", cpu, x: [PSCI.CPU_OFF] }));
}

/** What else the host does: CPUs; and, if they matter, the pages that calls may name. */
export function hostActions(
  system: System,
  words: ReadonlySet<bigint>,
  withPages: boolean,
): readonly HostAction[] {
  const { hcalls } = branchOf(system.hyp.config);
  const cpu = system.hyp.psci.power.indexOf("on");
  const byName = (name: string, page: bigint): HostAction => ({
    kind: "hvc",
    cpu,
    imm: 0,
    x: [hostSmcccId(hcalls.indexOf(name)), page],
  });
  if (!withPages) return switchedOff(system);
  const first = HOST_PAGE_PA >> PAGE_SHIFT;
  const writes = [...words].flatMap((address) =>
    HOST_WORDS.map((value): HostAction => ({ kind: "host_write", cpu, address, value })),
  );
  return [
    byName("__pkvm_host_share_hyp", first),
    byName("__pkvm_host_share_hyp", first + 1n),
    byName("__pkvm_host_unshare_hyp", first),
    ...writes,
    ...switchedOff(system),
  ];
}

/** KVM_VM_TYPE_ARM_PROTECTED. Source: uapi/linux/kvm.h (android14-6.1). */
const PROTECTED = 0x8000_0000;

/** A boot of its own after which two protected VMs have run and are still there. */
export function withGuests({
  scenario,
  files,
  options,
}: CallsPlan): Omit<Node, "known"> | undefined {
  const { protectedVms, vms } = branchOf(scenario.system);
  if (!protectedVms || vms === undefined) return undefined;
  const system = createSystem(scenario, files, { ...options, watch: true });
  boot(system);
  const actions = [0, 1].flatMap((vm) => guestLife(vm, PROTECTED, "off"));
  for (const action of actions) if (!over(system)) act(system, action);
  return over(system) || system.hyp.vmTable.size === 0 ? undefined : { system, actions };
}
