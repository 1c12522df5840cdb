import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parsePolicy } from '../../api/validate.ts';
import type { Adoption } from './adoption.ts';
import { fit } from './fit.ts';
import { windowsOf } from './kured-window.ts';
import { wordsOf } from './kured.ts';
import { reportLines } from './report.ts';
import { adoptAll } from './tools.ts';
import { chartValues } from './values.ts';
import type { RawObject } from './workload.ts';

const read = (name: string): RawObject[] =>
  parseAllDocuments(readFileSync(new URL(`../../../test/golden/adopt/${name}.yaml`, import.meta.url), 'utf8')).map(
    (document) => document.toJS() as RawObject,
  );
const files = ['kured', 'aks-node-termination-handler', 'aws-node-termination-handler', 'draino'];
const only = (name: string): Adoption => {
  const [found] = adoptAll(read(name));
  if (!found) throw new Error(`nothing is found in ${name}`);
  return found;
};
const specOf = (name: string) => only(name).policies[0]?.spec ?? {};

it.each(files)('%s becomes policies that this version takes', (name) => {
  const drafts = adoptAll(read(name)).flatMap(({ policies }) => policies);
  expect(drafts.length).toBeGreaterThan(0);
  for (const draft of drafts) expect(parsePolicy(fit(draft).policy)).toMatchObject({ ok: true });
});

it('no secret is printed', () => {
  const adoptions = files.flatMap((name) => adoptAll(read(name)));
  const printed =
    JSON.stringify(adoptions.map(({ policies }) => policies)) + adoptions.flatMap((each) => reportLines(each, [])).join('\n');
  expect(printed).not.toContain('verysecret');
  expect(printed).toContain('kubectl -n drover create secret generic kured-notify --from-file=webhook=/dev/stdin');
});

describe('kured', () => {
  it('becomes a reboot within its window, limits, blockers and notices', () => {
    expect(specOf('kured')).toEqual({
      nodeSelector: { matchLabels: { pool: 'workers' } },
      reasons: [{ type: 'Signal', name: 'reboot required', signal: { kinds: ['RebootRequired'], sources: ['sentinel'] } }],
      action: 'Reboot',
      reboot: { delayBefore: '1m30s' },
      schedule: {
        timeZone: 'Europe/Amsterdam',
        windows: [
          { days: ['Sun', 'Sat'], start: '00:00', end: '04:00' },
          { days: ['Sun', 'Sat'], start: '22:00', end: '24:00' },
        ],
      },
      disruption: { maxNodes: 2, minInterval: '10m' },
      gates: {
        pods: [
          { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['batch'] }] } },
          { podSelector: { matchExpressions: [{ key: 'backup', operator: 'In', values: ['a', 'b'] }] } },
        ],
        prometheus: [
          { url: 'http://prometheus.monitoring:9090', alerts: { ignore: '^(Watchdog|RebootRequired)$', pending: false } },
        ],
      },
      drain: {
        barePods: 'Evict',
        gracePeriodSeconds: 60,
        rules: [
          { podSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['db'] }] }, do: 'Skip' },
          { podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, do: 'Skip' },
        ],
        stepAside: '45m',
      },
      notify: [
        {
          name: 'kured',
          channel: {
            type: 'Slack',
            slack: { webhook: { secretRef: { namespace: 'drover', name: 'kured-notify', key: 'webhook' } } },
          },
          on: ['Started', 'Rebooting', 'HandedBack', 'Waiting', 'Failed'],
          messages: { Started: 'draining %s' },
        },
      ],
    });
  });

  it('that reboots in any case gives a drain its time before it deletes, and does not step aside before', () => {
    const template = { spec: { containers: [{ name: 'kured', args: ['--force-reboot', '--drain-timeout', '45m'] }] } };
    const [found] = adoptAll([{ kind: 'DaemonSet', metadata: { name: 'kured' }, spec: { template } }]);
    expect(found?.policies[0]?.spec['drain']).toEqual({
      barePods: 'Evict',
      stepAside: '1h15m',
      ladder: [{ after: '45m', do: 'Delete' }],
    });
  });

  it('has its sentinel where the host has it', () => {
    expect(chartValues([only('kured')])).toMatchObject({
      agent: {
        enabled: true,
        config: { sentinelInterval: '5m' },
        metricsPort: 8081,
        linux: { hostRun: true, config: { sentinelFile: '/host/run/reboot-required' } },
        nodeSelector: { pool: 'workers' },
      },
    });
  });

  it('names what it does not know', () => {
    expect(only('kured').rows).toContainEqual(
      expect.objectContaining({ setting: '--pizza', note: 'not a setting that is known here' }),
    );
  });

  it.each([
    ['su,mo,tu,we,th,fr,sa', '0:00', '23:59:59', null],
    ['mon,2', '9', '17:30', [{ days: ['Mon', 'Tue'], start: '09:00', end: '17:30' }]],
    ['su,mo,tu,we,th,fr,sa', '10pm', '04:00', [{ start: '22:00', end: '04:00' }]],
    ['fri', '03:30pm', '23:59:59', [{ days: ['Fri'], start: '15:30', end: '24:00' }]],
  ])('opens on %s from %s to %s', (days, start, end, windows) => {
    expect(windowsOf(days, start, end)).toEqual(windows);
  });

  it('refuses a time that it would not have read', () => {
    expect(() => windowsOf('mo', 'noon', '4pm')).toThrow('start-time noon and end-time 4pm cannot be read as times');
  });

  it('cuts its reboot command as a shell would', () => {
    expect(wordsOf(`sh -c 'sleep 5; reboot' "a b"`)).toEqual(['sh', '-c', 'sleep 5; reboot', 'a b']);
  });
});

describe('aks-node-termination-handler', () => {
  it('follows its file before its arguments', () => {
    expect(specOf('aks-node-termination-handler')).toMatchObject({
      reasons: [{ signal: { kinds: ['SpotInterruption', 'Terminate', 'Redeploy', 'Reboot', 'Freeze'], sources: ['azure'] } }],
      drain: { gracePeriodSeconds: 45 },
    });
  });

  it('keeps the template of its webhook, and the chat of Telegram', () => {
    expect(specOf('aks-node-termination-handler')['notify']).toMatchObject([
      { channel: { type: 'Telegram', telegram: { chatId: '-1001234' } } },
      {
        channel: {
          type: 'Webhook',
          webhook: { body: '{"text":"node {{ .NodeName }} goes: {{ .Event.EventType }}"}' },
          http: { timeout: '10s' },
        },
      },
    ]);
  });
});

it('aws-node-termination-handler keeps the kinds that are switched on', () => {
  expect(specOf('aws-node-termination-handler')).toMatchObject({
    reasons: [{ signal: { kinds: ['SpotInterruption', 'RebalanceRecommendation'], sources: ['aws'] } }],
    drain: { excludeFromLoadBalancers: true },
  });
});

it('draino, ektopistis and node-problem-detector become conditions, a taint and checks of the agent', () => {
  const adoptions = adoptAll(read('draino'));
  expect(adoptions.flatMap(({ policies }) => policies.map(({ spec }) => spec['reasons']))).toEqual([
    [
      { type: 'Condition', condition: { type: 'KernelDeadlock' } },
      { type: 'Condition', condition: { type: 'Ready', status: 'Unknown', for: '10m' } },
    ],
    [{ type: 'Taint', taint: { key: 'example.com/drain' } }],
  ]);
  expect(chartValues(adoptions)).toEqual({ agent: { enabled: true, config: { checks: ['/config/ntp.json'] } } });
});

describe('what this version refuses', () => {
  const draft = (spec: object) => ({
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'MaintenancePolicy' as const,
    metadata: { name: 'p' },
    spec: {
      nodeSelector: { matchLabels: { a: 'b' } },
      reasons: [{ type: 'Label', label: { key: 'k' } }],
      ...(parse(JSON.stringify(spec)) as Record<string, unknown>),
    },
  });

  it('is left out where nothing else changes by it, and named', () => {
    expect(fit(draft({ notify: 'nonsense' }))).toMatchObject({ left: ['notify'], policy: { spec: { reasons: [{}] } } });
  });

  it('is an error where it would mean something else', () => {
    expect(() => fit(draft({ disruption: { maxNodes: -1 } }))).toThrow('policy p: spec.disruption.maxNodes: ');
  });
});
