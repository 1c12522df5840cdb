/** What a command says when it cannot go on, and the exit code that scripts see. */

/** Documented in docs/reference/cli.md. */
export const exitCode = {
  ok: 0,
  /** An error, or refused before anything was changed. */
  error: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** Something could not be drained, or not in time. */
  notDrained: 3,
  interrupted: 130,
} as const;

/** One line for the user: what is wrong, where, what to do. Further `details` go on lines of their own below it. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly exitCode: number;
  readonly details: readonly string[];

  constructor(message: string, facts: { exitCode?: number; details?: readonly string[]; cause?: unknown } = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.exitCode = facts.exitCode ?? exitCode.error;
    this.details = facts.details ?? [];
  }
}

/** The command line itself is wrong: exit code 2. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(message, { exitCode: exitCode.usage });
  }
}
