/** What the controller is told, by its file and its flags together. Every key of the file is also a flag, and the flag wins. */
import * as z from 'zod';
import { ownNotifyList } from '../api/notify.ts';
import { parseFields } from '../api/validate.ts';
import type { GlobalValues } from './command.ts';
import { CommandError } from './errors.ts';
import { longName } from './flags.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export const logFormats = ['json', 'text'] as const;

const address = z
  .string()
  .regex(/^(0|(\[[0-9a-fA-F:]+\]|[^:\s[\]]*):\d{1,5})$/, 'must be like ":8080" or "127.0.0.1:8080"; "0" serves nothing');

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
  logFormat: z.enum(logFormats).default('json').describe('json: one object per line. text: for people.'),
  clusterName: z.string().min(1).max(63).exactOptional().describe('What messages call this cluster.'),
  notify: ownNotifyList.exactOptional().describe('Who is told about every maintenance, and where.'),
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
  const parsed = parseFields(controllerConfig, { ...written, ...flags });
  if (parsed.ok) return parsed.value;
  const lines = parsed.errors.map(({ path, message }) => {
    const [key = ''] = path.split(/[.[]/);
    if (!Object.hasOwn(controllerConfig.shape, key))
      return `${source}: ${path}: is not a known setting; known are ${Object.keys(controllerConfig.shape).join(', ')}`;
    return Object.hasOwn(flags, key)
      ? `${longName(key)}${path === key ? '' : ` ${path}:`} ${message}`
      : `${source}: ${path}: ${message}`;
  });
  const [first = '', ...rest] = lines;
  throw new CommandError(first, { details: rest.map((line) => `error: ${line}`) });
}
