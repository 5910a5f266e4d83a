// Calls that no kernel makes: VMs of ill-chosen memory, and pages at the edges of what EL2 maps.

import fc from "fast-check";
import type { HostAction, Scenario } from "../../model/scenario.ts";
import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { KVM } from "../../spec/vm-layout.ts";
import { bootOf } from "./failing-loads.ts";

/** A page of memory that the kernel gives to nobody, for the host's struct kvm. */
const HOST_KVM = 0x5_0000n;
/** Three more, for its struct kvm_vcpu. */
const HOST_VCPU = 0x5_0010n;
/** What is given for a VM: a few frames, so that half of the roots are odd and ranges meet. */
const GIVEN: readonly bigint[] = [0x5_0020n, 0x5_0023n, 0x5_0024n, 0x5_0027n, HOST_KVM, 0x7_f3ffn];
/** No VM, the first VM, and none that ever is. */
const HANDLES: readonly bigint[] = [0n, 0x1000n, 0xffff_ffffn];
/** Plain memory, EL2's own, a device, and the ends of 39, 40 and 52 bits. */
const FRAMES: readonly bigint[] = [
  0x5_0030n,
  0x7_f400n,
  0x900_0000n,
  0x1000_0000n,
  0xf_ffff_ffff_ffffn,
];
const COUNTS: readonly bigint[] = [0n, 1n, 2n];

/** Ops of the measurement module by its own numbers: donating pages, and protecting one. */
const DONATE = 1n;
const PROTECT = 7n;
/** A device, a page of memory, and what may be left of either to the host. */
const PROTECTED: readonly bigint[] = [0xa000n, 0x5_0030n];
const PROTS: readonly bigint[] = [0n, 4n, 6n, 7n];

/** The kernel's address of a page. Source: measured, machines. */
const kva = (frame: bigint): bigint => 0xffff_ff80_0000_0000n + (frame << 12n) - 0x4000_0000n;

/** One such call, or the write of a number into struct kvm that EL2 reads there. */
function oddAction(system: SystemConfig): fc.Arbitrary<HostAction> {
  const { hcalls, dynamicBase = 128 } = branchOf(system);
  const hvc = (number: number, ...args: readonly bigint[]): HostAction => ({
    kind: "hvc",
    cpu: 0,
    imm: 0,
    x: [hostSmcccId(number), ...args],
  });
  const call = (name: string, ...args: readonly bigint[]) => hvc(hcalls.indexOf(name), ...args);
  const frame = fc.constantFrom(...GIVEN);
  return fc.oneof(
    fc
      .constantFrom(HOST_KVM, HOST_KVM, HOST_VCPU, HOST_VCPU + 1n, HOST_VCPU + 2n)
      .map((page) => call("__pkvm_host_share_hyp", page)),
    fc.constantFrom(...COUNTS).map(
      (value): HostAction => ({
        kind: "host_write",
        cpu: 0,
        address: (HOST_KVM << 12n) + KVM.createdVcpus,
        value,
      }),
    ),
    fc
      .tuple(frame, frame, frame)
      .map((frames) => call("__pkvm_init_vm", ...[HOST_KVM, ...frames].map(kva))),
    fc
      .tuple(fc.constantFrom(...HANDLES), frame)
      .map(([handle, given]) => call("__pkvm_init_vcpu", handle, kva(HOST_VCPU), kva(given))),
    fc
      .tuple(fc.constantFrom(...FRAMES), fc.constantFrom(...COUNTS))
      .map(([page, count]) => hvc(dynamicBase, DONATE, page, count)),
    fc.constantFrom(...PROTECTED).map((page) => hvc(dynamicBase, DONATE, page, 1n)),
    fc
      .tuple(fc.constantFrom(...PROTECTED), fc.constantFrom(...PROTS))
      .map(([page, prot]) => hvc(dynamicBase, PROTECT, page, prot)),
  );
}

/** A boot of the measurement module, which calls ops for its host, and such calls in any order. */
export const oddCalls = (system: SystemConfig): fc.Arbitrary<Scenario> =>
  fc.array(oddAction(system), { minLength: 1, maxLength: 16, size: "max" }).map((actions) => ({
    system,
    boot: bootOf("ovm", ["ovm"], { words: "ovm.seq=load,regops" }),
    actions,
  }));
