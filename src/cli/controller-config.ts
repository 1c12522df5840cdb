/** What the controller is told, by its file and its flags together. Every key of the file is also a flag, and the flag wins. */
import * as z from 'zod';
import { ownNotifyList } from '../api/notify.ts';
import { intOrPercent, qualifiedName } from '../api/scalars.ts';
import type { GlobalValues } from './command.ts';
import { logFormats, logLevels, readConfig, serveAddress } from './config-file.ts';

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
  rebootNamespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a namespace')
    .exactOptional()
    .describe(
      'Namespace of the pods that reboot nodes, where a policy names no other; it must admit privileged pods. Default: the namespace of the Lease.',
    ),
  metricsAddress: serveAddress.default(':8080').describe('Where /metrics, /healthz and /readyz are served; "0" serves nothing.'),
  logLevel: z.enum(logLevels).default('info').describe('Least level that is logged.'),
  limits: limits.prefault({}).describe('For all policies together, beside what each of them says.'),
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
  return readConfig(controllerConfig, written, flags, source);
}
