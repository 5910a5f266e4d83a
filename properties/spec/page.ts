// Which clause states which promise of the page, and what on the page is no promise.

import type { ClauseId } from "../../spec/clause.ts";
import type { PageSentence } from "../../spec/page.ts";

/** Complete by its type: a sentence without a clause does not compile. */
export const STATED_BY: Readonly<Record<PageSentence, readonly [ClauseId, ...ClauseId[]]>> = {
  init: ["DOC-1"],
  ops: ["DOC-2"],
  abi: ["DOC-2"],
  load: ["DOC-3", "DOC-4"],
  modprobe: ["DOC-5"],
  window: ["DOC-6"],
  included: ["DOC-7"],
  list: ["DOC-7"],
  signature: ["DOC-8"],
  failedLoad: ["DOC-9", "DOC-10", "DOC-13"],
  hvc: ["DOC-11"],
  call: ["DOC-11"],
  handler: ["DOC-12"],
  register: ["DOC-15"],
  failedInit: ["DOC-14"],
  callHvc: ["DOC-11"],
};

/**
 * The page's other sentences: headings, and what to write into which file. They are instructions
 * for building, say nothing of a running system, and are tried by building the page's own module.
 */
export const INSTRUCTIONS: readonly string[] = [
  "Implement a pKVM vendor module",
  [
    "This page explains how to implement a protected kernel-based virtual machine (pKVM) vendor",
    "module.",
  ].join(" "),
  "When you are done with these steps, you should have a directory tree similar to:",
  "Add the EL2 hypervisor code (el2.c).",
  "Create the hyp/Makefile to build the hypervisor code:",
  "Add the EL1 kernel code (el1.c).",
  "Finally, create the root makefile to tie the EL1 and EL2 code together:",
  "Load a pKVM module",
  "Call an EL2 (hypervisor) function from EL2 (kernel module)",
];
