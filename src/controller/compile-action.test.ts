import { describe, expect, it } from 'vitest';
import type { NodeMaintenanceInput } from '../api/resources.ts';
import { parseMaintenance } from '../api/validate.ts';
import { GROUP_VERSION } from '../api/names.ts';
import { actedOf, compileAction, writtenActed } from './compile-action.ts';

function compiled(spec: Partial<NodeMaintenanceInput['spec']>) {
  const parsed = parseMaintenance({
    apiVersion: GROUP_VERSION,
    kind: 'NodeMaintenance',
    metadata: { name: 'm' },
    spec: { nodeName: 'n', ...spec },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return compileAction('u1', parsed.value.spec, { hooks: 'drover', reboots: 'reboots' });
}

describe('the action', () => {
  it('is none where the node is only drained', () => {
    expect(compiled({})).toBeUndefined();
  });

  it('has the same defaults whether its blocks are there and empty, or not there', () => {
    expect(compiled({ action: 'Reboot', reboot: {}, verify: {} })).toEqual(compiled({ action: 'Reboot' }));
  });

  it('puts pods and Jobs into the namespaces of the controller unless another one is named', () => {
    const template = { spec: {} };
    const own = compiled({ action: 'Reboot', hooks: { before: { template } } });
    expect([own?.reboot.namespace, own?.before?.namespace]).toEqual(['reboots', 'drover']);
    const other = compiled({ action: 'Reboot', reboot: { namespace: 'ops' }, hooks: { after: { template, namespace: 'jobs' } } });
    expect([other?.reboot.namespace, other?.after?.namespace]).toEqual(['ops', 'jobs']);
  });

  it('has every duration in milliseconds', () => {
    const reboot = { timeout: '20m', delayBefore: '5s', attempts: 3 };
    const verify = { readyTimeout: '5m', healthyFor: '1m' };
    expect(compiled({ action: 'Reboot', reboot, verify })).toMatchObject({
      reboot: { timeoutMs: 1_200_000, delayBeforeMs: 5_000, attempts: 3 },
      verify: { readyTimeoutMs: 300_000, healthyForMs: 60_000 },
    });
  });

  it('keeps a template as it was written', () => {
    const template = {
      metadata: { labels: { a: 'b' } },
      spec: { template: { spec: { containers: [{ name: 'c', odd: { x: [1] } }] } } },
    };
    expect(compiled({ action: 'Hook', hooks: { before: { template } } })?.before?.template).toEqual(template);
  });
});

describe('what was done', () => {
  it('is in the status what it was in memory', () => {
    const acted = {
      since: 1_700_000_000_000,
      attempt: 2,
      failures: 1,
      open: true,
      bootIdBefore: 'a',
      bootIdAfter: 'b',
      pod: 'drover/p',
      healthySince: 1_700_000_060_000,
      doneAt: 1_700_000_090_000,
      failure: { cause: 'VerifyFailed', message: 'm' },
    } as const;
    expect(actedOf(writtenActed(acted))).toEqual(acted);
    const bare = { since: 1_700_000_000_000, attempt: 1, failures: 0, open: true };
    expect(actedOf(writtenActed(bare))).toEqual(bare);
  });
});
