// How every command of ours ends: 0 what was asked holds, 1 it does not, 2 it could not be asked.

import { type Command, CommanderError } from "commander";

/** Exit codes. */
export const EXIT = { holds: 0, violation: 1, usage: 2, interrupted: 130 } as const;

/** Wrong input: shown as one line, without a stack. */
export class UsageError extends Error {}

/** Ctrl-C: the run ends where it is, and what was found is kept. */
export class Interrupted extends Error {}

const oneLine = (text: string): string =>
  text
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();

/**
 * Whether a thrown value came from the operating system: a file that cannot be read, a full disk.
 */
const isSystemError = (thrown: Error): boolean => "code" in thrown && "syscall" in thrown;

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.holds; // --help
  if (thrown instanceof Interrupted) return EXIT.interrupted;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const expected =
    error instanceof UsageError || error instanceof CommanderError || isSystemError(error);
  const text = expected ? error.message : `this is our mistake, please report it: ${error.message}`;
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
