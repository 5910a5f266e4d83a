// The hypercalls of KVM on mainline 6.1: what they answer to a host that calls them by itself.

import { clause, type Step, type StepClause } from "../clause.ts";
import { pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import type { Hvc } from "../types/action.ts";
import { type Pfn, pfn } from "../types/address.ts";
import { VMCR_RESET, vmcrKept } from "../vmcr.ts";
import { argument, reachedHcall } from "./hypercall.ts";
import { all, answers, changesNothing, changesOnly, ensure, panics, spell } from "./phrases.ts";

const HYP_MAIN = "arch/arm64/kvm/hyp/nvhe/hyp-main.c";

const reaches =
  (names: readonly string[]) =>
  (step: Step<Hvc>): boolean =>
    names.includes(reachedHcall(step) ?? "");

/** They take the address of a structure in x1. */
const FOLLOWS = [
  "__kvm_adjust_pc",
  "__kvm_vcpu_run",
  "__kvm_tlb_flush_vmid_ipa",
  "__kvm_tlb_flush_vmid",
  "__kvm_flush_cpu_context",
  "__vgic_v3_save_aprs",
  "__vgic_v3_restore_aprs",
  "__pkvm_vcpu_init_traps",
];

/** 1 GiB from 0x40000000: the bits below decide. Source: measured, machines. */
const pageOfAddress = (address: bigint): Pfn =>
  pfn(0x40000 + Number(BigInt.asUintN(30, address) >> 12n));

const isSilent = ({ outcome }: Step<Hvc>) =>
  ensure(
    outcome.kind === "hcall" && outcome.x0 === 0n && outcome.x1 === undefined,
    `x0 is not 0 alone: ${spell(outcome)}`,
  );

export const KVM_HYPERCALLS: readonly StepClause[] = [
  clause({
    id: "DISP-41",
    kind: "kernel",
    statement: "A hypercall that follows an address which EL2 does not map ends the hypervisor.",
    source: [
      cite("linux", `${HYP_MAIN}: kern_hyp_va of the argument, then loads from it`),
      cite("linux", "kern_hyp_va, asm/kvm_mmu.h: every address is one of the linear map"),
    ],
    branches: ["mainline-6.1"],
    on: ["hvc"],
    applies: (step) =>
      reaches(FOLLOWS)(step) && pageAt(step.pre, pageOfAddress(argument(step, 1))).hyp === "NOPAGE",
    holds: ({ outcome }) => panics(outcome, "EL2_ABORT"),
  }),
  clause({
    id: "DISP-42",
    kind: "kernel",
    statement: "What only changes a register of EL2 or the TLB shows nothing in x1.",
    source: [
      cite("linux", `handle___kvm_timer_set_cntvoff, handle___kvm_flush_vm_context, ${HYP_MAIN}`),
    ],
    branches: ["mainline-6.1"],
    on: ["hvc"],
    applies: reaches(["__kvm_timer_set_cntvoff", "__kvm_flush_vm_context"]),
    holds: (step) => all(isSilent(step), changesNothing(step)),
  }),
  clause({
    id: "DISP-43",
    kind: "kernel",
    statement: "ICH_VMCR_EL2 of the calling CPU keeps what the GIC implements of the value.",
    source: [cite("linux", `handle___vgic_v3_write_vmcr, ${HYP_MAIN}: the low 32 bits of x1`)],
    branches: ["mainline-6.1"],
    on: ["hvc"],
    applies: reaches(["__vgic_v3_write_vmcr"]),
    holds: (step) => {
      const { cpu } = step.action;
      return all(
        isSilent(step),
        ensure(
          step.post.vmcr.get(cpu) === vmcrKept(argument(step, 1)),
          `ICH_VMCR_EL2 of CPU ${cpu} is 0x${step.post.vmcr.get(cpu)?.toString(16)}`,
        ),
        ensure(
          [...step.pre.vmcr].every(
            ([other, value]) => other === cpu || step.post.vmcr.get(other) === value,
          ),
          "the register of another CPU changed",
        ),
        changesOnly(step, "vmcr"),
      );
    },
  }),
  clause({
    id: "DISP-44",
    kind: "kernel",
    statement: "ICH_VMCR_EL2 of the calling CPU is read as it was last written.",
    source: [cite("linux", `handle___vgic_v3_read_vmcr, ${HYP_MAIN}`)],
    branches: ["mainline-6.1"],
    on: ["hvc"],
    applies: reaches(["__vgic_v3_read_vmcr"]),
    holds: (step) =>
      all(
        answers(step.outcome, step.pre.vmcr.get(step.action.cpu) ?? VMCR_RESET),
        changesNothing(step),
      ),
  }),
];
