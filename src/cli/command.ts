/**
 * What a command is: its words, its flags, and where its implementation is. The definitions are loaded with every start, the
 * implementations only when they run, so that `--help` stays fast. A new command is one folder and one line in `commands.ts`.
 */
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { choice, type Flag, type Flags, onByDefault, text, timeLimit, toggle, type Values } from './flags.ts';
import type { AgentConfig } from './agent-config.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { Screen } from './screen.ts';
import type { Processes, StartSimulation } from './simulation.ts';

export interface Command<F extends Flags> {
  /** One word, or two: a group of `commands.ts` and a word of its own. */
  readonly name: string;
  /** One line in the list of commands; no full stop. */
  readonly summary: string;
  /** Paragraphs of its own help. */
  readonly description: readonly string[];
  /** As the usage shows them: "NODE... | -l SELECTOR". */
  readonly arguments?: string;
  readonly examples: readonly { readonly does: string; readonly line: string }[];
  readonly flags: F;
  readonly load: () => Promise<{ readonly run: Run<F> }>;
}

/** @returns the exit code. @throws CommandError, KubeError for one line on stderr. */
export type Run<F extends Flags> = (context: Context, args: readonly string[], flags: Values<F>) => Promise<number>;

/** A command whose flags are its own business. */
export type AnyCommand = Omit<Command<Flags>, 'load'> & {
  readonly invoke: (context: Context, args: readonly string[], values: Record<string, unknown>) => Promise<number>;
};

export function defineCommand<const F extends Flags>({ load, ...command }: Command<F>): AnyCommand {
  return {
    ...command,
    // `program.ts` fills `values` from this very table.
    invoke: async (context, args, values) => (await load()).run(context, args, values as Values<F>),
  };
}

/** Everything of the outside that a command may touch. */
export interface Context {
  /** "drover" or "kubectl drover": how it was called, for what it tells the user to run. */
  readonly program: string;
  readonly screen: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Who runs it: "cli:ann@laptop". */
  readonly identity: string;
  /** Debug logs are on: no live region, stack traces. */
  readonly verbose: boolean;
  /** Connects on first use. */
  client(): Promise<KubeClient>;
  /** Connects to that address, without credentials; the caller closes it. */
  connectTo(url: string): Promise<KubeClient>;
  /** Aborts on the first Ctrl-C or SIGTERM; the second one ends the process. */
  readonly interrupt: AbortSignal;
  /** Runs it until it is interrupted. */
  startController(config: ControllerConfig): Promise<number>;
  /** Runs it until it is interrupted. */
  startAgent(config: AgentConfig): Promise<number>;
  readonly startSimulation: StartSimulation;
  readonly processes: Processes;
}

export type OutputFormat = 'text' | 'json' | 'yaml';

export const outputFlag: Flag<OutputFormat> = choice(['text', 'json', 'yaml'], 'How the result is printed.', 'text', {
  short: 'o',
});

export type DryRun = 'none' | 'client' | 'server';

export const dryRunFlag: Flag<DryRun> = choice(
  ['none', 'client', 'server'],
  'client: say what would be done and send nothing. server: send it, and let the API server check it without keeping it.',
  'none',
);

/** The flags of kubectl's that say which cluster and who. */
export const globalFlags = {
  kubeconfig: text('file', 'Path of the kubeconfig file.'),
  context: text('name', 'Context of the kubeconfig.'),
  cluster: text('name', 'Cluster of the kubeconfig.'),
  user: text('name', 'User of the kubeconfig.'),
  server: text('url', 'Address of the API server.', { short: 's' }),
  token: text('token', 'Bearer token for the API server.'),
  requestTimeout: timeLimit('duration', 'Longest time for one request, like 10s; 0 keeps the defaults (30s; evictions 60s).'),
  color: onByDefault('Print without colours; so does the environment variable NO_COLOR.'),
  verbose: toggle('Print debug logs and, with an error, its stack.', { short: 'v' }),
} as const satisfies Flags;

export type GlobalValues = Values<typeof globalFlags>;
