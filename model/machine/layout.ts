// Where everything lies in the machine: physical memory, the kernel's addresses, the hypervisor's
// addresses.

import type { Branch } from "../../spec/branches/branch.ts";
import { type HypVa, hypVa, type KernVa, kernVa, pfn } from "../../spec/types/address.ts";
import { CARVED_OUT_ALWAYS, MEMORY, PRIVATE_BASE, PRIVATE_LIMIT } from "../initial.ts";
import { HYP_LINEAR_OFFSET } from "../pgtable/hyp-stage1.ts";

const PAGE = 4096n;
const MIB = 1n << 20n;

/** Source: measured machine, 1 GiB at 0x40000000. */
export const MEMORY_START = BigInt(MEMORY.first) * PAGE;
export const MEMORY_END = (BigInt(MEMORY.last) + 1n) * PAGE;

/**
 * NON-SPEC: stacks and context pages are laid out for at most this many; the measured machine has
 * 2.
 */
export const CPU_MAX = 4;

/**
 * The kernel's linear map: VA = PA + this. Source: measured for 39 and 48 VA bits without KASLR;
 * PAGE_OFFSET, asm/memory.h.
 */
export const linearOffset = ({ layout }: Branch): bigint => layout.linearMapBase - MEMORY_START;

/**
 * The linear-map address of a physical address. Source: __phys_to_virt, asm/memory.h (linux 6.1).
 */
export const kernelLinear = (branch: Branch, pa: bigint): KernVa =>
  kernVa(pa + linearOffset(branch));

/** kern_hyp_va for a linear-map address. Source: measured, op 26. */
export const kernHypVa = (branch: Branch, va: bigint): HypVa =>
  hypVa(va - linearOffset(branch) + HYP_LINEAR_OFFSET);

/**
 * The kernel image, with the text at its start and the data after it.
 * Source: KIMAGE_VADDR = MODULES_END for 39 bits, asm/memory.h (linux 6.1). CHOICE: the same with
 * 48 bits, where nothing that is measured depends on it; sizes, and the physical place 2 MiB above
 * the start of memory, where QEMU's loader puts an image.
 */
export const KERNEL_TEXT = kernVa(0xffff_ffc0_0800_0000n);
export const KERNEL_TEXT_PA = MEMORY_START + 2n * MIB;
export const KERNEL_TEXT_BYTES = 8n * MIB;
export const KERNEL_DATA = kernVa(KERNEL_TEXT + KERNEL_TEXT_BYTES);
export const KERNEL_DATA_PA = KERNEL_TEXT_PA + KERNEL_TEXT_BYTES;
export const KERNEL_DATA_BYTES = 2n * MIB;

/**
 * The kernel's translation tables. CHOICE: the place; the root is the first page, an empty TTBR0
 * table the second.
 */
export const KERNEL_TABLES_PA = KERNEL_DATA_PA + KERNEL_DATA_BYTES;
export const KERNEL_TABLES_BYTES = 4n * MIB;

/**
 * In the text: vectors (VBAR_EL1), stubs that are executed, the return gate, one gate for each
 * exported function.
 */
export const KERNEL_VECTORS = kernVa(KERNEL_TEXT + 0x1_0000n);
export const KERNEL_STUBS = kernVa(KERNEL_TEXT + 0x1_1000n);
export const KERNEL_RETURN_GATE = kernVa(KERNEL_TEXT + 0x1_2000n);
export const KERNEL_CODE = kernVa(KERNEL_TEXT + 0x1_3000n);
export const KERNEL_GATES = kernVa(KERNEL_TEXT + 0x2_0000n);
export const GATE_BYTES = 16n;

/**
 * In the data: exported variables, a struct task_struct for each CPU (contents not modelled),
 * kernel stacks.
 */
export const KERNEL_OBJECTS = KERNEL_DATA;
export const taskOf = (cpu: number): KernVa => kernVa(KERNEL_DATA + 0x1_0000n + BigInt(cpu) * PAGE);
/**
 * A shadow call stack for each CPU, which grows upwards. Source: SCS_SIZE, linux/scs.h
 * (CONFIG_SHADOW_CALL_STACK, as every Android kernel has it).
 */
export const shadowStackOf = (cpu: number): KernVa =>
  kernVa(KERNEL_DATA + 0x1_8000n + BigInt(cpu) * PAGE);
export const KERNEL_STACK_BYTES = 0x4000n;
export const kernelStackPa = (cpu: number): bigint =>
  KERNEL_DATA_PA + 0x2_0000n + BigInt(cpu) * KERNEL_STACK_BYTES;

/**
 * Kernel stacks: 16 KiB each, nothing mapped below.
 * Source: THREAD_SIZE, THREAD_ALIGN with VMAP_STACK, asm/memory.h (linux 6.1). CHOICE: the
 * addresses.
 */
export const kernelStack = (cpu: number): { readonly bottom: KernVa; readonly top: KernVa } => {
  const bottom = kernVa(0xffff_ffc0_0a00_8000n + BigInt(cpu) * 0x1_0000n);
  return { bottom, top: kernVa(bottom + KERNEL_STACK_BYTES) };
};

/**
 * Modules: 128 MiB that end with the kernel's text, so that every direct branch reaches it.
 * Source: module_alloc_base = _etext - MODULES_VSIZE without KASLR, arch/arm64/kernel/module.c,
 * kaslr.c (linux 6.1).
 */
export const MODULE_AREA = {
  start: kernVa(KERNEL_TEXT + KERNEL_TEXT_BYTES - 128n * MIB),
  end: KERNEL_TEXT,
} as const;

/** vmalloc. CHOICE: a part of the kernel's range that holds nothing else here. */
export const VMALLOC_AREA = {
  start: kernVa(0xffff_ffc0_1000_0000n),
  end: kernVa(0xffff_ffc0_5000_0000n),
} as const;

/**
 * Frames that the kernel gives out: above its image and tables, below the measured place of the
 * guest firmware.
 * Source: measured, fw-* traces: firmware at 0x78000000. CHOICE: the rest.
 */
export const FREE_FRAMES = {
  first: pfn(Number((KERNEL_TABLES_PA + KERNEL_TABLES_BYTES) / PAGE)),
  end: pfn(0x78000),
} as const;

/**
 * Physical address of the hypervisor's own pages, by their place in what every measured machine
 * carves out. CHOICE: the place and the order.
 */
const hypPage = (index: number): bigint => (BigInt(CARVED_OUT_ALWAYS.first) + BigInt(index)) * PAGE;
export const HYP_TEXT_PA = hypPage(0);
export const HYP_TEXT_PAGES = 2n;
export const HYP_RODATA_PA = hypPage(2);
export const hostContextPa = (cpu: number): bigint => hypPage(4 + cpu);
export const hypStackPa = (cpu: number): bigint => hypPage(8 + cpu);
/**
 * Two pages, aligned to their size. Source: measured, stage-2 roots are 2 pages aligned to 8 KiB.
 */
export const HOST_STAGE2_ROOT = hypPage(12);
export const HYP_STAGE1_ROOT = hypPage(14);
export const HYP_POOL = {
  first: hypPage(16),
  end: hypPage(CARVED_OUT_ALWAYS.last - CARVED_OUT_ALWAYS.first + 1),
};

const hypLinearPage = (pa: bigint): HypVa => hypVa(pa + HYP_LINEAR_OFFSET);

/** EL2 text: vectors (VBAR_EL2) and the ERET that enters the host, then the ops. */
export const HYP_VECTORS = hypLinearPage(HYP_TEXT_PA);
export const HYP_RETURN_GATE = hypVa(HYP_VECTORS + 0x800n);
export const HYP_ENTER_HOST = hypVa(HYP_VECTORS + 0x900n);
export const HYP_OPS_GATES = hypVa(HYP_VECTORS + PAGE);
/** struct pkvm_module_ops, in the hypervisor's rodata. */
export const MODULE_OPS = hypLinearPage(HYP_RODATA_PA);
/**
 * struct kvm_cpu_context of the host, one a CPU: regs[31], sp, pc, pstate. Source: struct
 * user_pt_regs, asm/ptrace.h.
 */
export const hostContext = (cpu: number): HypVa => hypLinearPage(hostContextPa(cpu));

/**
 * EL2 stacks: one page in the private range with nothing mapped below.
 * Source: hyp_create_stack of later branches, recreate_hyp_mappings, hyp/nvhe/setup.c
 * (android14-6.1): two pages of
 * addresses, the upper one mapped. All of them lie below the first free address, which is measured.
 */
export const hypStack = (cpu: number): { readonly bottom: HypVa; readonly top: HypVa } => {
  const guard = PRIVATE_BASE + BigInt(cpu) * 2n * PAGE;
  return { bottom: hypVa(guard + PAGE), top: hypVa(guard + 2n * PAGE) };
};

/** One page slot a CPU for fixmap_map. CHOICE: the top of the private range. */
export const fixmapSlot = (cpu: number): HypVa =>
  hypVa(PRIVATE_LIMIT - BigInt(CPU_MAX - cpu) * PAGE);
