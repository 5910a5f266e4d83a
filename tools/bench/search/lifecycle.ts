// The small lifecycle model on which searches are compared: modules, calls, VMs, eight actions.

import { orders } from "../../search/exhaustive/orders.ts";
import type { Renaming, Searched, StateRule, Stepped } from "../../search/exhaustive/searched.ts";

/** Modules, calls that each may register, and protected VMs. */
export interface Size {
  readonly modules: number;
  readonly calls: number;
  readonly vms: number;
}

type ModuleStage = "idle" | "loading" | "loaded" | "failed";

/**
 * The state, in parts: each module and each slot of the table of calls is one of its own, because
 * most moves look at one only. A slot holds who registered the call.
 */
export interface Lifecycle
  extends Readonly<Record<`module${number}`, ModuleStage>>,
    Readonly<Record<`slot${number}`, number | undefined>> {
  readonly boot: { readonly deprivileged: boolean; readonly failed: boolean };
  readonly vms: readonly boolean[];
  /** The last call: its number and whose handler it reached; -1 is nobody's. */
  readonly last: { readonly id: number; readonly handler: number } | undefined;
}

export type LifecycleMove =
  | { readonly kind: "request" | "load" | "fail" | "register"; readonly module: number }
  | { readonly kind: "deprivilege" }
  | { readonly kind: "create" | "destroy"; readonly vm: number }
  | { readonly kind: "call"; readonly id: number };

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const isLoading = (state: Lifecycle, { modules }: Size): boolean =>
  numbers(modules).some((module) => state[`module${module}`] === "loading");

/** Who registered each call, in order. */
function tableOf(state: Lifecycle): readonly number[] {
  const owners: number[] = [];
  for (let slot = 0; ; slot += 1) {
    const owner = state[`slot${slot}`];
    if (owner === undefined) return owners;
    owners.push(owner);
  }
}

const replaced = <T>(list: readonly T[], at: number, item: T): readonly T[] => list.with(at, item);

/** What one module can do. */
const moduleMoves =
  (module: number, size: Size) =>
  (state: Lifecycle): readonly LifecycleMove[] => {
    switch (state[`module${module}`]) {
      case "idle":
        return !state.boot.deprivileged && !isLoading(state, size)
          ? [{ kind: "request", module }]
          : [];
      case "loading":
        return [
          { kind: "load", module },
          { kind: "fail", module },
        ];
      case "loaded":
        return !state.boot.deprivileged &&
          tableOf(state).filter((owner) => owner === module).length < size.calls
          ? [{ kind: "register", module }]
          : [];
      default:
        return [];
    }
  };

/** The kernel drops its privileges once, when every module is loaded or one has failed. */
const kernelMoves =
  (size: Size) =>
  (state: Lifecycle): readonly LifecycleMove[] => {
    const { boot } = state;
    if (boot.deprivileged || isLoading(state, size)) return [];
    const isLoaded = (module: number) => state[`module${module}`] === "loaded";
    return boot.failed || numbers(size.modules).every(isLoaded) ? [{ kind: "deprivilege" }] : [];
  };

const vmMoves =
  (vm: number) =>
  ({ boot, vms }: Lifecycle): readonly LifecycleMove[] => {
    if (vms[vm] === true) return [{ kind: "destroy", vm }];
    return boot.deprivileged && !boot.failed ? [{ kind: "create", vm }] : [];
  };

const callMoves =
  ({ modules, calls }: Size) =>
  ({ boot }: Lifecycle): readonly LifecycleMove[] =>
    boot.deprivileged
      ? Array.from({ length: modules * calls + 1 }, (_, id) => ({ kind: "call" as const, id }))
      : [];

/** One part by a name that is put together. */
const part = (name: string, value: ModuleStage | number): Partial<Lifecycle> =>
  ({ [name]: value }) as unknown as Partial<Lifecycle>;

function step(state: Lifecycle, move: LifecycleMove): Stepped<Lifecycle, undefined> {
  const changed = (parts: Partial<Lifecycle>) => ({ changed: parts, label: undefined });
  switch (move.kind) {
    case "request":
      return changed(part(`module${move.module}`, "loading"));
    case "load":
      return changed(part(`module${move.module}`, "loaded"));
    case "fail":
      return changed({
        ...part(`module${move.module}`, "failed"),
        boot: { ...state.boot, failed: true },
      });
    case "register":
      return changed(part(`slot${tableOf(state).length}`, move.module));
    case "deprivilege":
      return changed({ boot: { ...state.boot, deprivileged: true } });
    case "create":
    case "destroy":
      return changed({ vms: replaced(state.vms, move.vm, move.kind === "create") });
    case "call":
      return changed({ last: { id: move.id, handler: state[`slot${move.id}`] ?? -1 } });
  }
}

const rules = (size: Size): readonly StateRule<Lifecycle>[] => [
  {
    id: "no VM after a failed load",
    offences: ({ boot, vms }) =>
      boot.failed ? vms.flatMap((there, vm) => (there ? [`VM ${vm} is there`] : [])) : undefined,
  },
  {
    id: "no load after deprivileging",
    offences: (state) =>
      state.boot.deprivileged ? (isLoading(state, size) ? ["a module is loading"] : []) : undefined,
  },
  {
    id: "a call reaches who registered it",
    offences: (state) => {
      const { last } = state;
      if (last === undefined) return undefined;
      return last.handler === (state[`slot${last.id}`] ?? -1)
        ? []
        : [`call ${last.id} reached ${last.handler}`];
    },
  },
];

/** Every way to exchange the modules. */
function renamings({ modules }: Size): readonly Renaming[] {
  return orders(numbers(modules))
    .slice(1)
    .map((order) => {
      const owner = (old: unknown): unknown => order.indexOf(old as number);
      return {
        from: (part) => {
          const module = /^module(\d+)$/.exec(part)?.[1];
          return module === undefined ? part : `module${order[Number(module)]}`;
        },
        renamed: (part, value) => {
          if (part.startsWith("slot")) return value === undefined ? value : owner(value);
          if (part !== "last" || value === undefined) return value;
          const { id, handler } = value as NonNullable<Lifecycle["last"]>;
          return { id, handler: handler < 0 ? handler : owner(handler) };
        },
      };
    });
}

/** The model of a size. */
export function lifecycle(size: Size): Searched<Lifecycle, LifecycleMove, undefined> {
  const modules = numbers(size.modules).map((module) => `module${module}` as const);
  const slots = numbers(size.modules * size.calls).map((slot) => `slot${slot}` as const);
  return {
    parts: [...modules, ...slots, "boot", "vms", "last"],
    hidden: [],
    initial: [
      {
        ...Object.fromEntries(modules.map((module) => [module, "idle" as const])),
        ...Object.fromEntries(slots.map((slot) => [slot, undefined])),
        boot: { deprivileged: false, failed: false },
        vms: numbers(size.vms).map(() => false),
        last: undefined,
      },
    ],
    movers: [
      ...numbers(size.modules).map((module) => moduleMoves(module, size)),
      kernelMoves(size),
      ...numbers(size.vms).map(vmMoves),
      callMoves(size),
    ],
    keyOf: (move) => JSON.stringify(move),
    step,
    rulesOn: () => [],
    rules: rules(size),
    renamings: renamings(size),
  };
}
