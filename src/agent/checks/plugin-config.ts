/**
 * Custom checks as node-problem-detector has them (its custom plugin monitor): the JSON files load as they are.
 * https://github.com/kubernetes/node-problem-detector/blob/master/docs/custom_plugin_monitor.md
 */
import type { Millis } from '../../lib/clock.ts';

export interface CheckCondition {
  readonly type: string;
  /** Told while the check is well. */
  readonly reason: string;
  readonly message: string;
}

export interface CheckRule {
  readonly type: 'permanent' | 'temporary';
  /** Of a permanent rule: the type of its condition. */
  readonly condition: string;
  readonly reason: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly timeoutMs: Millis;
  readonly everyMs: Millis;
}

export interface CheckConfig {
  readonly file: string;
  /** "custom-plugin-monitor": who says so, in Events. */
  readonly source: string;
  readonly concurrency: number;
  readonly maxOutputLength: number;
  /** Another message of the same status is told, too. */
  readonly tellsMessages: boolean;
  readonly conditions: readonly CheckCondition[];
  readonly rules: readonly CheckRule[];
}

/** A file of checks that cannot be used; the message names the file and the field. */
export class CheckConfigError extends Error {
  override readonly name = 'CheckConfigError';
}

type Fields = Readonly<Record<string, unknown>>;

// The defaults of node-problem-detector (pkg/custompluginmonitor/types/config.go).
const defaults = { invoke_interval: '30s', timeout: '5s', max_output_length: 80, concurrency: 3 } as const;

/** @param text of the file. @throws CheckConfigError */
export function readCheckConfig(text: string, file: string): CheckConfig {
  const fail = (where: string, what: string): never => {
    throw new CheckConfigError(`${file}: ${where === '' ? '' : `${where}: `}${what}`);
  };
  const fieldsOf = (value: unknown, where: string): Fields =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : fail(where, 'must be a map');
  const listOf = (value: unknown, where: string): readonly unknown[] =>
    value === undefined || value === null ? [] : Array.isArray(value) ? value : fail(where, 'must be a list');
  const textOf = (value: unknown, where: string): string =>
    typeof value === 'string' && value !== '' ? value : fail(where, 'must be a text');
  const durationOf = (value: unknown, where: string): Millis => {
    const ms = goDuration(value);
    return ms !== null && ms > 0 ? ms : fail(where, 'must be a duration like "30s"');
  };
  const countOf = (value: unknown, where: string): number =>
    typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : fail(where, 'must be a whole number from 1 on');

  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    fail('', `is not JSON: ${(error as Error).message}`);
  }
  const config = fieldsOf(parsed, '');
  if (config['plugin'] !== 'custom') fail('plugin', 'must be "custom": the other monitors of node-problem-detector read logs');
  const plugin = fieldsOf(config['pluginConfig'] ?? {}, 'pluginConfig');
  const everyMs = durationOf(plugin['invoke_interval'] ?? defaults.invoke_interval, 'pluginConfig.invoke_interval');
  const timeoutMs = durationOf(plugin['timeout'] ?? defaults.timeout, 'pluginConfig.timeout');

  const conditions = listOf(config['conditions'], 'conditions').map((each, index): CheckCondition => {
    const at = `conditions[${index}]`;
    const fields = fieldsOf(each, at);
    const type = textOf(fields['type'], `${at}.type`);
    if (!/^[A-Za-z]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/.test(type) || type.length > 317)
      fail(`${at}.type`, 'must be the type of a condition');
    if (notOurs.has(type)) fail(`${at}.type`, `${type} is written by the kubelet or by Drover itself; choose another`);
    return { type, reason: textOf(fields['reason'], `${at}.reason`), message: textOf(fields['message'], `${at}.message`) };
  });

  const rules = listOf(config['rules'], 'rules').map((each, index): CheckRule => {
    const at = `rules[${index}]`;
    const fields = fieldsOf(each, at);
    const type = fields['type'];
    if (type !== 'permanent' && type !== 'temporary') return fail(`${at}.type`, 'must be permanent or temporary');
    const condition = type === 'permanent' ? textOf(fields['condition'], `${at}.condition`) : '';
    if (type === 'permanent' && !conditions.some((known) => known.type === condition))
      fail(`${at}.condition`, `"${condition}" is not in conditions`);
    const own = fields['timeout'] === undefined ? timeoutMs : durationOf(fields['timeout'], `${at}.timeout`);
    if (own > timeoutMs) fail(`${at}.timeout`, 'must not be longer than pluginConfig.timeout');
    return {
      type,
      condition,
      reason: textOf(fields['reason'], `${at}.reason`),
      path: textOf(fields['path'], `${at}.path`),
      args: listOf(fields['args'], `${at}.args`).map((arg, place) =>
        typeof arg === 'string' ? arg : fail(`${at}.args[${place}]`, 'must be a text'),
      ),
      timeoutMs: own,
      everyMs: fields['invoke_interval'] === undefined ? everyMs : durationOf(fields['invoke_interval'], `${at}.invoke_interval`),
    };
  });

  return {
    file,
    source: textOf(config['source'] ?? 'drover-agent', 'source'),
    concurrency: countOf(plugin['concurrency'] ?? defaults.concurrency, 'pluginConfig.concurrency'),
    tellsMessages: plugin['enable_message_change_based_condition_update'] === true,
    maxOutputLength: countOf(plugin['max_output_length'] ?? defaults.max_output_length, 'pluginConfig.max_output_length'),
    conditions,
    rules,
  };
}

/** Conditions that a check must never write over. */
const notOurs: ReadonlySet<string> = new Set(
  `Ready MemoryPressure DiskPressure PIDPressure NetworkUnavailable
  RebootRequired SpotInterruption MachineMaintenance DroverAgent
  MaintenancePlanned DrainInProgress Drained MaintenanceInProgress`.split(/\s+/),
);

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Go's time.ParseDuration, which these files are written for: "1m30s", "0.5s". null for what it refuses. */
function goDuration(value: unknown): Millis | null {
  if (typeof value !== 'string' || !/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(value)) return null;
  let total = 0;
  for (const [, digits, , unit] of value.matchAll(/(\d+(\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(digits) * (unitMs[unit ?? ''] ?? 0);
  return total;
}
