// Who owns one page of memory, as pKVM keeps it.

/**
 * What the host may do with a page. Source: facts of enum pkvm_page_state, nvhe/mem_protect.h
 * (android14-6.1).
 */
export type HostPageState =
  | "OWNED"
  | "SHARED_OWNED"
  | "SHARED_BORROWED"
  | "NOPAGE"
  | "MODULE_OWNED";

/** Whose mark an invalid host stage-2 entry carries. Source: enum pkvm_component_id. */
export type OwnerId = "HOST" | "HYP" | "GUEST" | "FFA" | "PROTECTED";

/**
 * What the hypervisor may do with a page through its linear map, as it reads it off its own entry:
 * one with other permissions than RW is in no state that any check wants.
 */
export type HypPageState = "NOPAGE" | "OWNED" | "SHARED_BORROWED" | "RESTRICTED_PROT";

/** One page. Only pages that differ from `PLAIN_PAGE` are kept. */
export interface PageState {
  readonly host: HostPageState;
  readonly owner: OwnerId;
  readonly hyp: HypPageState;
  /** Pins by hyp_pin_shared_mem. */
  readonly refcount: number;
  /** PROT bits that a module left to the host; only a MODULE_OWNED page of the host has them. */
  readonly prot?: number;
  /** PROT bits of EL2's own entry, where a module mapped it otherwise than pKVM would. */
  readonly hypProt?: number;
}

/** A page of memory that is plainly the host's. */
export const PLAIN_PAGE: PageState = { host: "OWNED", owner: "HOST", hyp: "NOPAGE", refcount: 0 };

/** A page that the hypervisor owns: state Y of the ownership table. */
export const HYP_PAGE: PageState = { host: "NOPAGE", owner: "HYP", hyp: "OWNED", refcount: 0 };

/** A page of a protected guest, which nobody else can reach: state G. */
export const GUEST_PAGE: PageState = { host: "NOPAGE", owner: "GUEST", hyp: "NOPAGE", refcount: 0 };

/** A page that a protected guest shares with the host: state GS. */
export const GUEST_SHARED_PAGE: PageState = {
  host: "SHARED_BORROWED",
  owner: "GUEST",
  hyp: "NOPAGE",
  refcount: 0,
};

/** A page that the host lends to a guest that is not protected: state N. */
export const LENT_PAGE: PageState = {
  host: "SHARED_OWNED",
  owner: "HOST",
  hyp: "NOPAGE",
  refcount: 0,
};

/** A page that the host shares with the hypervisor: state HS of the ownership table. */
export const SHARED_PAGE: PageState = {
  host: "SHARED_OWNED",
  owner: "HOST",
  hyp: "SHARED_BORROWED",
  refcount: 0,
};
