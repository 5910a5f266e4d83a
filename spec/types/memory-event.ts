// What EL2 does to memory while it answers: the order in which pages are taken, emptied and given.

import type { Pfn } from "./address.ts";
import type { OwnerId } from "./page.ts";

/** One thing done to memory. The order of these is what confidentiality is about. */
export type MemoryEvent =
  /** The host cannot reach the page from here on. */
  | { readonly kind: "take"; readonly page: Pfn; readonly to: OwnerId }
  /** The host can reach the page from here on. */
  | { readonly kind: "give"; readonly page: Pfn }
  /** EL2 no longer maps the page for a module from here on. */
  | { readonly kind: "unmap"; readonly page: Pfn }
  /** Bytes of a page become 0, from its first one on. */
  | { readonly kind: "zero"; readonly page: Pfn; readonly bytes: number }
  /** EL2 stores a word where the host reads it, now or after the page was given. */
  | { readonly kind: "store"; readonly address: bigint; readonly value: bigint }
  /** A page gets the contents of another. */
  | { readonly kind: "copy"; readonly from: Pfn; readonly to: Pfn }
  /** Every translation of a VMID is invalidated. */
  | { readonly kind: "flush vmid"; readonly vmid: number };
