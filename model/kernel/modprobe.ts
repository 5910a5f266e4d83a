// The two programs that can stand at /sbin/modprobe, as values: what each does with a name.

import type { BootPlan, InitramfsModule } from "../scenario.ts";
import { parseArgs } from "./command-line.ts";

/** What modprobe can ask of the system. */
export interface ModprobeHost {
  readonly initramfs: readonly InitramfsModule[];
  readonly commandLine: string;
  /** Names in /proc/modules. */
  readonly loaded: (name: string) => boolean;
  /** finit_module(2): 0, or a negative errno; undefined when the system ended in it. */
  readonly finitModule: (module: InitramfsModule, parameters: string) => number | undefined;
  /** A line in the log; only the stand-in writes some. */
  readonly exited: (name: string, parameters: string, status: number) => void;
}

/** A modprobe: its exit code for the names it was given; undefined when the system ended in it. */
export type Modprobe = (names: readonly string[], host: ModprobeHost) => number | undefined;

/** NAME.key=value parameters of the command line, as the text that goes to the module. */
function parametersFor(name: string, commandLine: string, same: (a: string) => string): string[] {
  return parseArgs(commandLine).flatMap(({ name: key, value }) => {
    const dot = key.indexOf(".");
    if (dot < 0 || same(key.slice(0, dot)) !== same(name)) return [];
    return [value === undefined ? key.slice(dot + 1) : `${key.slice(dot + 1)}=${value}`];
  });
}

/**
 * The stand-in that recorded the traces: looks for /mods/NAME.ko and loads just that. Exit code 1
 * is "no such file",
 * any other is the errno of finit_module.
 * Source: measured traces, `modprobe` and `modprobe-exit` records.
 */
export const standIn: Modprobe = (names, host) => {
  const name = names.at(-1) ?? "";
  const module = host.initramfs.find((candidate) => candidate.name === name);
  if (module === undefined) {
    host.exited(name, "", 1);
    return 1;
  }
  const given = parametersFor(name, host.commandLine, (text) => text).filter((text) =>
    text.includes("="),
  );
  const parameters = given.map((text) => ` ${text}`).join("");
  const result = host.finitModule(module, parameters);
  if (result === undefined) return undefined;
  host.exited(name, parameters, -result);
  return -result;
};

/**
 * kmod reads names without their file ending, and "-" as "_". Source: kmod, libkmod-util.c,
 * modname_normalize.
 */
const normalised = (name: string): string => name.replace(/\.ko$/, "").replaceAll("-", "_");

/**
 * The modules that a name needs, itself last, each once, as modules.dep orders them: what is needed
 * comes first.
 * A circle in modules.dep is cut where it closes.
 */
function withDependencies(
  name: string,
  host: ModprobeHost,
): readonly InitramfsModule[] | undefined {
  const byName = new Map(host.initramfs.map((module) => [normalised(module.name), module]));
  const wanted = byName.get(normalised(name));
  if (wanted === undefined) return undefined;
  const order: InitramfsModule[] = [];
  const seen = new Set<InitramfsModule>([wanted]);
  const pending: { module: InitramfsModule; next: number }[] = [{ module: wanted, next: 0 }];
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    const need = top.module.needs[top.next];
    top.next += 1;
    if (need === undefined) {
      order.push(top.module);
      pending.pop();
      continue;
    }
    const module = byName.get(normalised(need));
    if (module === undefined || seen.has(module)) continue;
    seen.add(module);
    pending.push({ module, next: 0 });
  }
  return order;
}

/**
 * kmod's modprobe -q: dependencies first, a module that is loaded already is no error, any failure
 * is exit code 1.
 * A dependency that fails ends the attempt.
 * Source: kmod, tools/modprobe.c insmod; libkmod kmod_module_probe_insert_module.
 */
export const kmod: Modprobe = (names, host) => {
  const name = names.at(-1) ?? "";
  const modules = withDependencies(name, host);
  if (modules === undefined) return 1;
  for (const module of modules) {
    if (host.loaded(normalised(module.name))) continue;
    const parameters = parametersFor(module.name, host.commandLine, normalised).join(" ");
    const result = host.finitModule(module, parameters);
    if (result === undefined) return undefined;
    if (result !== 0 && result !== -17) return 1;
  }
  return 0;
};

/** The modprobe of a boot. */
export const MODPROBES: Readonly<Record<BootPlan["modprobe"], Modprobe>> = {
  kmod,
  "stand-in": standIn,
};
