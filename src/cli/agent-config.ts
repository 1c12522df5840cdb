/** What the agent is told, by its file and its flags together. */
import * as z from 'zod';
import { clouds } from '../agent/cloud.ts';
import { selfDrainModes } from '../agent/guard.ts';
import { signalKinds } from '../api/node-signal.ts';
import { DURATION_PATTERN, parseDuration } from '../api/duration.ts';
import type { GlobalValues } from './command.ts';
import { logFormats, logLevels, readConfig, serveAddress } from './config-file.ts';

/** Text in, milliseconds out. @param least a duration, below which a value makes no sense */
function duration(least: string) {
  return z
    .string({ error: 'must be a duration like 30s, 10m or 1h30m' })
    .regex(new RegExp(DURATION_PATTERN), { error: 'must be a duration like 30s, 10m or 1h30m', abort: true })
    .transform(parseDuration)
    .refine((ms) => ms >= parseDuration(least), { error: `must be at least ${least}` });
}

/** A list, or as a flag has it: one text, cut at commas (or at blanks, for words). */
function list(separator: RegExp) {
  const cut = (value: unknown) => (typeof value === 'string' ? value.split(separator).filter((each) => each !== '') : value);
  return z.preprocess(cut, z.array(z.string().min(1), { error: 'must be a list' }));
}

const path = z.string().min(1, 'must be a path');

export const agentConfig = z.strictObject({
  nodeName: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be the name of a node')
    .exactOptional()
    .describe('The node that it runs on; default: the environment variable NODE_NAME.'),
  cloud: z
    .enum(['auto', ...clouds], { error: `must be one of auto, ${clouds.join(', ')}` })
    .default('auto')
    .describe("Whose metadata service the machine has. auto: by the node's providerID."),
  metadataUrl: z
    .url({ protocol: /^http$/, error: 'must be an address like http://169.254.169.254' })
    .default('http://169.254.169.254')
    .describe('Where the metadata service is.'),
  azureResource: z
    .string()
    .min(1)
    .exactOptional()
    .describe("The VM's name in Azure's events, like pool-vmss_7; default: from the node's providerID."),
  acknowledge: z
    .boolean()
    .default(true)
    .describe(
      'Tell Azure that an event may begin as soon as every node that it touches is drained, instead of when it was announced for.',
    ),
  pollInterval: duration('200ms').prefault('1s').describe('How often the metadata service is asked.'),
  sourceTimeout: duration('100ms').prefault('5s').describe('After so long an answer is given up.'),
  sentinelFile: z
    .union([path, z.literal('')])
    .default('/var/run/reboot-required')
    .describe('While this file exists the machine wants a reboot; "" looks for none.'),
  sentinelCommand: list(/\s+/)
    .default([])
    .describe('A command, as a list of words; its exit code 0 says that the machine wants a reboot. It is run without a shell.'),
  sentinelInterval: duration('1s').prefault('1m').describe('How often file, command and registry are looked at.'),
  windowsRegistry: z.boolean().default(true).describe('On Windows: look for a pending reboot in the registry.'),
  checks: list(/,/).default([]).describe("Custom checks: JSON files of node-problem-detector's custom plugin monitor."),
  checkHold: duration('0s')
    .prefault('30s')
    .describe('How long a check must say the same before its condition changes; 0s: at once.'),
  selfDrain: z
    .enum(selfDrainModes)
    .default('Drain')
    .describe('When the machine is about to go and no controller cares: Drain, only Cordon, or Never touch the node.'),
  selfDrainKinds: list(/,/)
    .pipe(z.array(z.enum(signalKinds)))
    .default(['SpotInterruption', 'Terminate'])
    .describe('The kinds of signals on which it does.'),
  selfDrainWithin: duration('1s').prefault('60s').describe('It acts on a notice that leaves no more than this.'),
  controllerPatience: duration('0s')
    .prefault('2s')
    .describe('How long it waits, after its cordon, for the controller to take the node over.'),
  selfDrainDeleteAfter: duration('1s')
    .exactOptional()
    .describe('After so long a self-drain deletes pods that a budget still holds; default: never, budgets are held to the end.'),
  heartbeat: duration('10s').prefault('5m').describe('How often the conditions are written although nothing has changed.'),
  metricsAddress: serveAddress.default(':17923').describe('Where /metrics, /healthz and /readyz are served; "0" serves nothing.'),
  logLevel: z.enum(logLevels).default('info').describe('Least level that is logged.'),
  logFormat: z.enum(logFormats).default('json').describe('json: one object per line. text: for people.'),
});

export type AgentConfig = z.output<typeof agentConfig>;

/** Runs until the signal aborts; then stops gracefully. @returns the exit code. */
export type StartAgent = (
  config: AgentConfig,
  deps: {
    /** Which cluster, as the command line says it. */
    readonly cluster: GlobalValues;
    readonly version: string;
    readonly signal: AbortSignal;
  },
) => Promise<number>;

/** @throws CommandError naming every wrong field. */
export function readAgentConfig(written: unknown, flags: object, source: string): AgentConfig {
  return readConfig(agentConfig, written, flags, source);
}
