// What an instruction says about one of its data accesses, fixed by its encoding.

/** Source: DDI0487 shared/functions/memory/AccType, and ESR_EL2's ISS for a Data Abort. */
export interface AccessDescriptor {
  /** LDTR and STTR: checked as if at EL0. */
  readonly unprivileged: boolean;
  /** Load-acquire and store-release: alignment is checked, unless SCTLR_ELx.nAA says otherwise. */
  readonly ordered: boolean;
  /** Load-exclusive, store-exclusive and atomic instructions: alignment is always checked. */
  readonly atomic: boolean;
  /** What the address has to be a multiple of, where alignment is checked. */
  readonly alignBytes: number;
  /** The unit of byte order where it is less than that: LDXP, STXP and CASP have two elements. */
  readonly elementBytes?: number;
  /** Whether allocation tags are checked: not for an immediate offset from SP, nor from PC. */
  readonly tagChecked: boolean;
  /** ISV, SAS, SSE, SRT, SF and AR at their places in the syndrome; zero where ISV is. */
  readonly syndrome: number;
}
