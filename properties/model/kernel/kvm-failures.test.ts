// KVM's ioctls when a page is missing, or when EL2 refuses one: the errno that the process gets.

import { expect, test } from "vitest";
import { boot } from "../../../model/kernel/boot.ts";
import { orderOf } from "../../../model/kernel/exported/page-allocator.ts";
import { act, createSystem } from "../../../model/machine/run-scenario.ts";
import type { System } from "../../../model/machine/system.ts";
import { guestLife, type HostAction } from "../../../model/scenario.ts";
import { ERRNO } from "../../../spec/types/errno.ts";
import { pagesFor, SIZE } from "../../../spec/vm-layout.ts";
import { hypercallOn } from "../../support/branch-walks.ts";

const PROTECTED = 0x8000_0000;
const LIFE = guestLife(0, PROTECTED, "off");
const [CREATE_VM, CREATE_VCPU] = [LIFE[0]!, LIFE[1]!];

/** A host with pKVM at EL2, no module, and a few things done. */
function booted(...actions: readonly HostAction[]): System {
  const scenario = {
    system: {
      branch: "android14-6.1",
      build: "production",
      documented: false,
      cpuCount: 2,
    },
    boot: {
      commandLine: "kvm-arm.mode=protected",
      firmwareBytes: 0,
      modprobe: "stand-in",
      modulePath: "",
      initramfs: [],
      faults: [],
    },
    actions: [],
  } as const;
  const system = createSystem(scenario, new Map(), {});
  boot(system);
  for (const action of actions) act(system, action);
  return system;
}

/** The kernel has so many pages left, the last ones, and no other memory. */
function leave({ machine: { pages } }: System, count: number): void {
  for (const blocks of pages.free) blocks.length = 0;
  pages.next = pages.end - count;
}

/** What the last ioctl answered, or the errno of KVM_RUN as the negative that it is. */
function answer({ log }: System): number | string | undefined {
  const last = log.at(-1);
  if (last?.kind === "answer" && last.name !== "run_guest") return last.value;
  const run = log.at(-2);
  if (run?.kind !== "kvm-exit") return undefined;
  return run.exit.kind === "errno" ? -run.exit.errno : run.exit.kind;
}

// Source: kvm_arch_alloc_vm, kvm_vm_ioctl_create_vcpu: GFP_KERNEL_ACCOUNT, else -ENOMEM.
test("a structure without memory is -ENOMEM", () => {
  const first = booted();
  leave(first, 0);
  act(first, CREATE_VM);
  expect(answer(first)).toBe(-ERRNO.ENOMEM);
  const second = booted(CREATE_VM);
  expect(answer(second)).toBe(0);
  leave(second, 0);
  act(second, CREATE_VCPU);
  expect(answer(second)).toBe(-ERRNO.ENOMEM);
});

// Source: kvm_share_hyp, mmu.c, whose answer kvm_arch_init_vm and kvm_arch_vcpu_create return. EL2
// refuses a page that is shared already with -EPERM (measured, ops).
test.each([
  ["KVM_CREATE_VM", [], CREATE_VM, SIZE.kvm],
  ["KVM_CREATE_VCPU", [CREATE_VM], CREATE_VCPU, SIZE.vcpu],
] as const)("%s of a page that EL2 refuses is EL2's errno", (_, before, create, bytes) => {
  const system = booted(...before);
  const count = Number(pagesFor(bytes));
  leave(system, 2 ** orderOf(count));
  const { next } = system.machine.pages;
  for (let n = 0; n < count; n++) {
    act(system, hypercallOn("android14-6.1", "__pkvm_host_share_hyp", BigInt(next + n)));
  }
  const shared = [...system.hyp.pages].filter(([page]) => page >= next && page < next + count);
  expect(shared).toHaveLength(count);
  act(system, create);
  expect(answer(system)).toBe(-ERRNO.EPERM);
});

/** Runs the guest of LIFE when the kernel has so many pages left for it. */
function runWith(count: number): { readonly system: System; readonly answer: unknown } {
  const system = booted(...LIFE.slice(0, -1));
  leave(system, count);
  act(system, LIFE.at(-1)!);
  return { system, answer: answer(system) };
}

/** Pages that the kernel could give out now. */
const free = ({ machine: { pages } }: System): number =>
  pages.end -
  pages.next +
  pages.free.reduce((sum, { length }, order) => sum + length * 2 ** order, 0);

// Source: __pkvm_create_hyp_vm, topup_hyp_memcache: each page that is missing is -ENOMEM.
test("KVM_RUN is -ENOMEM until there is a page for everything that EL2 is given", () => {
  const answers: unknown[] = [];
  const closed = new Set<number>();
  while (answers.at(-1) === undefined || answers.at(-1) === -ERRNO.ENOMEM) {
    const { system, answer: given } = runWith(answers.length);
    answers.push(given);
    // However far it came, what was taken for it is the kernel's again when the VM is closed.
    act(system, { kind: "KVM_CLOSE", vm: 0 });
    closed.add(free(system) - (answers.length - 1) + system.kvm.memory.get(0)![0]!.frames.size);
    expect(system.unmodelled).toBeUndefined();
    expect(answers.length).toBeLessThan(40);
  }
  expect(answers.at(-1)).toBe("system event");
  expect([...closed]).toHaveLength(1);
  // At least a table, the VM, one vCPU and the cache of pages for tables.
  expect(answers.length).toBeGreaterThan(4);
});

// Source: kvm_arch_destroy_vm, pkvm_destroy_hyp_vm: free_hyp_memcache gives every page back.
test.each([PROTECTED, 0])("when a VM of type %i is closed, its pages are the kernel's", (type) => {
  const system = booted();
  const before = free(system);
  for (const action of guestLife(0, type, "off")) act(system, action);
  expect(before - free(system)).toBeGreaterThan(8);
  const [memory] = system.kvm.memory.get(0)!;
  act(system, { kind: "KVM_CLOSE", vm: 0 });
  // The process keeps the memory that it had given.
  expect(before - free(system)).toBe(memory!.frames.size);
});
