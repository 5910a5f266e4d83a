// How every command of ours ends: 0 what was asked holds, 1 it does not, 2 it could not be asked.

import { type Command, CommanderError } from "commander";

/** Exit codes. */
export const EXIT = { holds: 0, violation: 1, usage: 2, interrupted: 130 } as const;

/** Wrong input: shown as one line, without a stack. */
export class UsageError extends Error {}

const oneLine = (text: string): string =>
  text
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();

/** What the operating system's errors say to people. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder, where a file is wanted",
  ENOTDIR: "no such file",
  EACCES: "may not be read or written",
  EPERM: "may not be read or written",
  ENOSPC: "no space left",
};

/** A file that cannot be read, a full disk: in words; undefined for an error of another kind. */
function systemError(thrown: Error): string | undefined {
  if (!("code" in thrown && "syscall" in thrown)) return undefined;
  const text = SYSTEM_ERRORS[String(thrown.code)] ?? thrown.message;
  return "path" in thrown ? `${String(thrown.path)}: ${text}` : text;
}

/** What was wrong with the input; undefined where the mistake is ours. */
function inputError(thrown: Error): string | undefined {
  if (thrown instanceof UsageError) return thrown.message;
  if (!(thrown instanceof CommanderError)) return systemError(thrown);
  return thrown.code === "commander.help" ? "no command given; --help lists them" : thrown.message;
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.holds; // --help
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const text = inputError(error) ?? `this is our mistake, please report it: ${error.message}`;
  process.stderr.write(`${oneLine(text)}\n`);
  return EXIT.usage;
}

/** Leaves commander's own messages to `runMain`: one line each. Subcommands inherit it. */
export function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => undefined });
}

/** Parses the command line, runs the command that it names, and sets the exit code. */
export async function runMain(command: Command, argv: readonly string[]): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.holds); // `| head` closed it
  });
  try {
    await command.parseAsync([...argv]);
  } catch (thrown) {
    process.exitCode = exitCodeOf(thrown);
  }
}

/** An action whose number is the exit code. */
export const exiting =
  <A extends readonly unknown[]>(work: (...args: A) => number | Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await work(...args);
  };
