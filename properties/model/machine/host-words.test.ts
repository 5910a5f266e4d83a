// What EL2 reads of the host's structures, up to the last word of memory and beyond it.

import { expect, test } from "vitest";
import { hostWords } from "../../../model/machine/host-words.ts";
import { VCPU } from "../../../spec/vm-layout.ts";
import { call } from "../../support/vm-hypercalls.ts";
import { newMachine, STARTED } from "./bench-machine.ts";

/** 1 GiB from 0x40000000; EL1's linear map begins with it (measured, machines). */
const END = 0x8000_0000n;
const linear = (pa: bigint): bigint => pa - 0x4000_0000n + 0xffff_ff80_0000_0000n;

test("the last eight bytes of memory are a word; behind them it is 0", () => {
  const machine = newMachine();
  machine.physical.write64(END - 8n, 0x1122_3344_5566_7788n);
  const indexAt = (place: bigint) => {
    const action = call("__pkvm_init_vcpu", [0x1000n, linear(place - VCPU.vcpuIdx)]);
    return hostWords(machine, STARTED, action).words?.get(place);
  };
  expect(indexAt(END - 8n)).toBe(0x1122_3344_5566_7788n);
  expect(indexAt(END)).toBe(0n);
});
