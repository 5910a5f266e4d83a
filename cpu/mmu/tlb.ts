// Translations that a processing element may keep until a TLBI names them.

/** `none` walks anew whenever a table changed; `stale` keeps everything until a matching TLBI. */
export type TlbMode = "none" | "stale";

export interface Tlb {
  mode: TlbMode;
}

/** An empty TLB. */
export function createTlb(mode: TlbMode): Tlb {
  return { mode };
}

/** An independent copy. */
export function forkTlb(tlb: Tlb): Tlb {
  return { mode: tlb.mode };
}
