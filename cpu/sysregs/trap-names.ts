// The names of the controls that trap system register accesses, as the tables use them.

/**
 * A bit of a control register by Arm's name, or a group of bits; `traps.ts` says what each does.
 */
export type TrapName =
  | "TVM" // HCR_EL2: writes of virtual memory controls
  | "TRVM" // HCR_EL2: reads of them
  | "TID1" // HCR_EL2: implementation identification
  | "TID2" // HCR_EL2: cache identification
  | "TID3" // HCR_EL2: feature identification
  | "TID4" // HCR_EL2, FEAT_EVT: cache identification without CTR_EL0
  | "TID5" // HCR_EL2, FEAT_MTE: GMID_EL1
  | "TACR" // HCR_EL2: ACTLR_EL1
  | "TLOR" // HCR_EL2: limited ordering regions
  | "TERR" // HCR_EL2: error records
  | "APK" // HCR_EL2: pointer authentication keys, when the bit is 0
  | "ATA" // HCR_EL2: allocation tag controls, when the bit is 0
  | "SGI" // HCR_EL2.IMO or FMO: generating interrupts
  | "TCPAC" // CPTR_EL2: CPACR_EL1
  | "FP" // CPACR_EL1.FPEN and CPTR_EL2.TFP or FPEN
  | "TDA" // MDCR_EL2: debug registers
  | "TDRA" // MDCR_EL2: debug ROM address
  | "TDOSA" // MDCR_EL2: OS lock
  | "TDCC" // MDSCR_EL1: debug communications channel from EL0
  | "DCC" // MDCR_EL2.TDCC, FEAT_FGT: debug communications channel
  | "TPM" // MDCR_EL2: performance monitors
  | "TPMCR" // MDCR_EL2: PMCR_EL0
  | "PMUSERENR" // PMUSERENR_EL0: performance monitors from EL0
  | "UCT" // SCTLR_ELx: CTR_EL0 from EL0
  | "UMA" // SCTLR_EL1: DAIF from EL0
  | "EL0CNT" // CNTKCTL_EL1: CNTFRQ_EL0 from EL0
  | "PCTEN" // CNTKCTL_EL1 and CNTHCTL_EL2: CNTPCT_EL0
  | "VCTEN" // CNTKCTL_EL1 and CNTHCTL_EL2: CNTVCT_EL0
  | "PTEN" // CNTKCTL_EL1 and CNTHCTL_EL2: the physical timer
  | "VTEN"; // CNTKCTL_EL1 and CNTHCTL_EL2: the virtual timer
