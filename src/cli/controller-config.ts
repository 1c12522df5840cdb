/** What the controller is told, by its file and its flags together. Every key of the file is also a flag, and the flag wins. */
import * as z from 'zod';
import { intOrPercent, qualifiedName } from '../api/scalars.ts';
import type { GlobalValues } from './command.ts';
import { CommandError } from './errors.ts';
import { longName } from './flags.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export const logFormats = ['json', 'text'] as const;

const address = z
  .string()
  .regex(/^(0|(\[[0-9a-fA-F:]+\]|[^:\s[\]]*):\d{1,5})$/, 'must be like ":8080" or "127.0.0.1:8080"; "0" serves nothing');

const limits = z.strictObject({
  maxNodes: intOrPercent()
    .exactOptional()
    .describe(
      'How many nodes of the cluster may be out at once, all policies and everybody else together; absent: as many as the policies allow.',
    ),
  perGroup: z
    .array(
      z.strictObject({
        label: qualifiedName().describe('The node label whose values are the groups.'),
        maxNodes: intOrPercent().describe('How many nodes of one group may be out at once.'),
      }),
    )
    .max(8)
    .default([])
    .describe('The same, each for the nodes that share a value of a label, like topology.kubernetes.io/zone.'),
});

export const controllerConfig = z.strictObject({
  leaderElect: z
    .boolean()
    .default(true)
    .describe('Act only while holding the Lease. Without it this process acts at once: run one replica only.'),
  leaderElectionNamespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a namespace')
    .exactOptional()
    .describe('Namespace of the Lease; default: the namespace that the process runs in.'),
  metricsAddress: address.default(':8080').describe('Where /metrics, /healthz and /readyz are served; "0" serves nothing.'),
  logLevel: z.enum(logLevels).default('info').describe('Least level that is logged.'),
  limits: limits.prefault({}).describe('For all policies together, beside what each of them says.'),
  logFormat: z.enum(logFormats).default('json').describe('json: one object per line. text: for people.'),
});

export type ControllerConfig = z.output<typeof controllerConfig>;
export type ControllerConfigInput = z.input<typeof controllerConfig>;

/** Runs until the signal aborts; then stops gracefully. @returns the exit code. */
export type StartController = (
  config: ControllerConfig,
  deps: {
    /** Which cluster, as the command line says it. */
    readonly cluster: GlobalValues;
    readonly version: string;
    readonly signal: AbortSignal;
  },
) => Promise<number>;

/** @param source what the values come from, for messages: the file. @throws CommandError naming every wrong field. */
export function readControllerConfig(written: unknown, flags: ControllerConfigInput, source: string): ControllerConfig {
  if (written != null && (typeof written !== 'object' || Array.isArray(written))) {
    throw new CommandError(`${source}: must be a map of settings, like "logLevel: debug"`);
  }
  const parsed = controllerConfig.safeParse({ ...written, ...flags });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(
        (key) => `${source}: ${key}: is not a known setting; known are ${Object.keys(controllerConfig.shape).join(', ')}`,
      );
    const message = issue.code === 'invalid_value' ? `must be one of ${issue.values.map(String).join(', ')}` : issue.message;
    const key = issue.path.join('.');
    if (key.startsWith('limits') && flags.limits !== undefined) return [`--limits ${message}`];
    return [Object.hasOwn(flags, key) ? `${longName(key)} ${message}` : `${source}: ${key}: ${message}`];
  });
  const [first = '', ...rest] = lines;
  throw new CommandError(first, { details: rest.map((line) => `error: ${line}`) });
}
