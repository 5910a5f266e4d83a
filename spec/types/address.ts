// The address spaces of a pKVM machine, each its own type, so that one is never taken for another.

declare const space: unique symbol;

/** A physical page frame number: physical address / 4096. At most 52 - 12 bits, so a number. */
export type Pfn = number & { readonly [space]: "pfn" };

/** A kernel (EL1) virtual address, 64 bits. */
export type KernVa = bigint & { readonly [space]: "kernel VA" };

/** A hypervisor (EL2) virtual address, 64 bits. */
export type HypVa = bigint & { readonly [space]: "hyp VA" };

/** A physical address in bytes. */
export type PhysAddr = bigint & { readonly [space]: "PA" };

export const pfn = (value: number): Pfn => value as Pfn;
export const kernVa = (value: bigint): KernVa => BigInt.asUintN(64, value) as KernVa;
export const hypVa = (value: bigint): HypVa => BigInt.asUintN(64, value) as HypVa;
export const physAddr = (value: bigint): PhysAddr => value as PhysAddr;

/** Bytes of a page; every pKVM build measured uses the 4 KiB granule. */
export const PAGE_SIZE = 4096n;
export const PAGE_SHIFT = 12n;

/** The page that holds a physical address. */
export const pfnOf = (address: PhysAddr): Pfn => Number(address >> PAGE_SHIFT) as Pfn;

/** The first byte of a page. */
export const addressOf = (page: Pfn): PhysAddr => (BigInt(page) << PAGE_SHIFT) as PhysAddr;
