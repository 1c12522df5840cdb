import { describe, expect, it } from 'vitest';
import { aPolicy } from '../../test/raw-objects.ts';
import { parseMaintenance } from '../api/validate.ts';
import { compilePolicy } from './compile.ts';
import type { Match } from './matcher.ts';
import { nameOf, newMaintenance } from './new-maintenance.ts';

const never = () => false;

function match(policyName: string, message = 'taint example.com/broken:NoSchedule'): Match {
  const policy = compilePolicy(
    aPolicy(
      {
        priority: 4,
        handBack: 'Never',
        drain: { attempts: 2, rules: [{ podSelector: { matchLabels: { a: 'b' } }, do: 'Skip' }] },
      },
      { name: policyName },
    ),
  );
  return { policy, rule: { type: 'Taint', taint: { key: 'example.com/broken' } }, message };
}

describe('the name of a new maintenance', () => {
  it('is the same again for the same node and policy, so that a repeated creation meets its own object', () => {
    expect(nameOf('worker-1', 'u1', 'repair', never)).toBe(nameOf('worker-1', 'u1', 'repair', never));
    expect(nameOf('worker-1', 'u1', 'repair', never)).toMatch(/^worker-1-[a-z0-9]{5,7}$/);
  });

  it('differs for another policy, and for another machine of the same name', () => {
    const names = [nameOf('w', 'u1', 'a', never), nameOf('w', 'u1', 'b', never), nameOf('w', 'u2', 'a', never)];
    expect(new Set(names).size).toBe(3);
  });

  it('is the first that no earlier maintenance has, whichever of them are still kept', () => {
    const first = nameOf('w', 'u1', 'a', never);
    const second = nameOf('w', 'u1', 'a', (name) => name === first);
    expect(second).not.toBe(first);
    expect(nameOf('w', 'u1', 'a', (name) => name === second)).toBe(first);
  });

  it('is a valid one also for the longest node names', () => {
    const long = `${'a'.repeat(239)}.${'b'.repeat(13)}`;
    expect(nameOf(long, 'u1', 'repair', never)).toMatch(/^a{239}-[a-z0-9]+$/);
  });
});

describe('a new maintenance', () => {
  it('is accepted by its schema, has our finalizer, and copies what the policy says about draining', () => {
    const parsed = parseMaintenance(newMaintenance('w-1', 'worker-1', match('repair')));
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        metadata: { name: 'w-1', finalizers: ['drover.dev/undo'], labels: { 'drover.dev/policy': 'repair' } },
        spec: {
          nodeName: 'worker-1',
          policy: 'repair',
          reason: { type: 'Taint', message: 'taint example.com/broken:NoSchedule' },
          priority: 4,
          handBack: 'Never',
          drain: { attempts: 2, rules: [{ do: 'Skip' }] },
        },
      },
    });
  });

  it('is accepted with a policy name too long for a label, and with a reason too long for a message', () => {
    const name = `${'p'.repeat(62)}.${'q'.repeat(40)}`;
    const parsed = parseMaintenance(newMaintenance('w-1', 'worker-1', match(name, 'x'.repeat(3_000))));
    expect(parsed).toMatchObject({
      ok: true,
      value: { metadata: { labels: { 'drover.dev/policy': 'p'.repeat(62) } }, spec: { policy: name } },
    });
  });
});
