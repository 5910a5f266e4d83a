// A kernel for tests of exported functions: one run of mapped memory, real allocators, a log.

import { createArea } from "../../../model/kernel/exported/address-area.ts";
import { EXPORTED_FUNCTIONS } from "../../../model/kernel/exported/exported.ts";
import { createHeap } from "../../../model/kernel/exported/heap.ts";
import { type Kernel, type KernelStop, u64 } from "../../../model/kernel/exported/kernel.ts";
import { createPageAllocator } from "../../../model/kernel/exported/page-allocator.ts";
import { kernVa } from "../../../spec/types/address.ts";

/** The mapped run: 64 pages, which the page allocator gives out; the first 16 are scratch. */
export const MAPPED = 0xffff_ff80_0000_0000n;
const BYTES = 64 * 4096;
const FIRST_FRAME = 0x40000;

export interface BenchKernel {
  readonly kernel: Kernel;
  readonly log: string[];
  /** Calls by name with up to eight arguments and what lies on the stack. */
  readonly call: (name: string, ...args: readonly (bigint | number)[]) => bigint | undefined;
  /** Puts bytes or text at an offset of the scratch; answers the address. */
  readonly put: (offset: number, content: string | Uint8Array) => bigint;
  /** Bytes from an offset as text. */
  readonly get: (offset: number, lengthBytes: number) => string;
}

const SP = MAPPED + 0xf000n;

export function benchKernel(): BenchKernel {
  const bytes = new Uint8Array(BYTES);
  const log: string[] = [];
  const at = (va: bigint, lengthBytes: number): number => {
    const offset = Number(u64(va) - MAPPED);
    if (offset < 0 || offset + lengthBytes > BYTES) {
      const fault: KernelStop = { kernelStop: "fault", what: `0x${u64(va).toString(16)}` };
      throw fault;
    }
    return offset;
  };
  const kernel: Kernel = {
    memory: {
      read: (va, lengthBytes) =>
        bytes.slice(at(va, lengthBytes), at(va, lengthBytes) + lengthBytes),
      write: (va, content) => bytes.set(content, at(va, content.length)),
    },
    pages: createPageAllocator(FIRST_FRAME + 16, FIRST_FRAME + 64),
    heap: createHeap(MAPPED - BigInt(FIRST_FRAME) * 4096n),
    vmalloc: createArea(kernVa(0xffff_ffc0_1000_0000n), kernVa(0xffff_ffc0_2000_0000n)),
    mapPage: (va, frame) => log.push(`map ${va.toString(16)} ${frame.toString(16)}`),
    unmapPage: (va) => log.push(`unmap ${va.toString(16)}`),
    frameAt: () => FIRST_FRAME + 16,
    print: (level, text) => log.push(`${level ?? "-"}:${text}`),
    call: (address) => {
      throw new Error(`nothing to call at 0x${address.toString(16)}`);
    },
  };
  const put = (offset: number, content: string | Uint8Array): bigint => {
    const raw = typeof content === "string" ? Buffer.from(`${content}\0`, "latin1") : content;
    bytes.set(raw, offset);
    return MAPPED + BigInt(offset);
  };
  return {
    kernel,
    log,
    put,
    get: (offset, lengthBytes) =>
      Buffer.from(bytes.subarray(offset, offset + lengthBytes)).toString("latin1"),
    call: (name, ...args) => {
      const x = args.map((value) => u64(value));
      x.slice(8).forEach((value, n) => {
        new DataView(bytes.buffer).setBigUint64(0xf000 + 8 * n, value, true);
      });
      return EXPORTED_FUNCTIONS.get(name)!(kernel, { x: x.slice(0, 8), sp: SP });
    },
  };
}

/** A signed reading of an answer. */
export const signed = (value: bigint | undefined): number => Number(BigInt.asIntN(64, value!));
