// What is seen of module code at EL2 without being refused or changing anything but memory.

import { cite } from "../../spec/sources.ts";
import type {
  CallRepeated,
  El2Access,
  OpFailed,
  SecretsVaried,
} from "../../spec/types/observed-action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** What EL2 maps, code at EL2 may touch: ownership is not asked again at an access. */
export const el2Access: Transition<El2Access> = {
  name: "el2_access",
  source: [cite("android14-6.1", "hyp/nvhe/mm.c: modules run with the hypervisor's own table")],
  guards: [],
  effect: () => returned(0),
};

/** A call that repeats the one before it: what both took is looked at together. */
export const callRepeated: Transition<CallRepeated> = {
  name: "call_repeated",
  source: [cite("android14-6.1", "handle_host_dynamic_hcall: calls are not counted")],
  guards: [],
  effect: () => returned(0),
};

/** A call beside the same call with other secrets: the state is that of the first. */
export const secretsVaried: Transition<SecretsVaried> = {
  name: "secrets_varied",
  source: [cite("android14-6.1", "__host_exit, hyp/nvhe/host.S: only x0 to x30 are the host's")],
  guards: [],
  effect: () => returned(0),
};

/** A call in which an op failed: the state is that after the failure. */
export const opFailed: Transition<OpFailed> = {
  name: "op_failed",
  source: [cite("android14-6.1", "struct pkvm_module_ops: errnos, or NULL")],
  guards: [],
  effect: () => returned(0),
};
