import { describe, expect, it } from 'vitest';
import { aHandedOverPod, aPod } from '../../../test/builders.ts';
import { classifyPod } from '../../engine/pods.ts';
import { readHandover } from '../../engine/handover.ts';
import type { DrainFlags } from './command.ts';
import { settingsOf } from './settings.ts';

const defaults: DrainFlags = {
  selector: null,
  podSelector: null,
  ignoreDaemonsets: false,
  deleteEmptydirData: false,
  force: false,
  gracePeriod: -1,
  timeout: 0,
  disableEviction: false,
  skipWaitForDeleteTimeout: 0,
  dryRun: 'none',
  chunkSize: 500,
  parallel: 1,
  handover: 'when-needed',
  handoverTimeout: 600_000,
  unlist: true,
  settle: null,
  deadline: null,
  reason: null,
  progress: 'auto',
  output: 'text',
};
const settings = (flags: Partial<DrainFlags> = {}, nodes = 1) => settingsOf({ ...defaults, ...flags }, nodes);

describe('settingsOf', () => {
  it('protects by default what kubectl drain protects', () => {
    expect(settings()).toMatchObject({
      daemonSets: 'Protect',
      emptyDir: 'Protect',
      barePods: 'Protect',
      disableEviction: false,
      rules: [],
      ladder: [],
    });
  });

  it.each([
    [{ ignoreDaemonsets: true }, { daemonSets: 'Skip' }],
    [{ deleteEmptydirData: true }, { emptyDir: 'Evict' }],
    [{ force: true }, { barePods: 'Evict' }],
    [{ disableEviction: true }, { disableEviction: true }],
    [{ gracePeriod: 20 }, { graceSeconds: 20 }],
    [{ gracePeriod: 0 }, { graceSeconds: 1 }],
    [{ handover: 'always' }, { handover: 'Always' }],
    [{ unlist: false }, { unlist: false }],
    [{ skipWaitForDeleteTimeout: 30 }, { skipDeletedAfterMs: 30_000 }],
    [{ handoverTimeout: 5_000 }, { handoverTimeoutMs: 5_000 }],
    [{ deadline: 60_000 }, { deadlineMs: 60_000, ladder: [{ afterMs: 60_000, do: 'Delete' }] }],
  ] as const)('takes %j', (flags, expected) => {
    expect(settings(flags)).toMatchObject(expected);
  });

  it('leaves the grace to the pods by default', () => {
    expect(settings()).not.toHaveProperty('graceSeconds');
  });

  it('waits for replacements between nodes, not after a single one, unless told', () => {
    expect(settings({}, 1).settleTimeoutMs).toBeNull();
    expect(settings({}, 2).settleTimeoutMs).toBe(600_000);
    expect(settings({ settle: true }, 1).settleTimeoutMs).toBe(600_000);
    expect(settings({ settle: false }, 2).settleTimeoutMs).toBeNull();
  });

  it('refuses a deadline that is over at once', () => {
    expect(() => settings({ deadline: 0 })).toThrow('must be longer than 0');
  });
});

describe('--pod-selector', () => {
  const drains = (podSelector: string, pod: ReturnType<typeof aPod>) =>
    classifyPod(pod, settings({ podSelector }), readHandover(pod) !== null, 0).kind === 'Move';

  it.each([
    ['app=web', { app: 'web' }, true],
    ['app=web', { app: 'api' }, false],
    ['app=web', {}, false],
    ['app!=web', {}, true],
    ['app=web,tier=a', { app: 'web', tier: 'a' }, true],
    ['app=web,tier=a', { app: 'web' }, false],
    ['app=web,tier=a', { app: 'api', tier: 'a' }, false],
    ['app in (web,api)', { app: 'api' }, true],
    ['!old', { old: '' }, false],
  ])('%s and labels %j: drained is %s', (selector, labels, expected) => {
    expect(drains(selector, aPod({ labels: { ...labels } }))).toBe(expected);
  });

  it('keeps a pod whose labels a handover has taken', () => {
    expect(drains('app=web', aHandedOverPod({ unlisted: { app: 'web' } }))).toBe(true);
  });
});
