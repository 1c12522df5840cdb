import { describe, expect, it } from 'vitest';
import { aBarePod, aPod, NOW, ownedBy, settings } from '../../../test/builders.ts';
import { exitCode } from '../errors.ts';
import { protectedPods, refusal } from './protected.ts';

const strict = settings({ daemonSets: 'Protect', emptyDir: 'Protect', barePods: 'Protect' });
const pods = [
  aPod(),
  aPod({ name: 'agent', owner: ownedBy('DaemonSet', 'agent') }),
  aPod({ name: 'cache', emptyDir: true }),
  aBarePod({ name: 'tool' }),
  aBarePod({ name: 'done', phase: 'Succeeded' }),
];

describe('protectedPods', () => {
  it('finds each pod that needs a flag, with the flag', () => {
    expect(protectedPods('w1', pods, strict, NOW).map(({ pod, flag }) => [pod, flag])).toEqual([
      ['shop/agent', '--ignore-daemonsets'],
      ['shop/cache', '--delete-emptydir-data'],
      ['shop/tool', '--force'],
    ]);
  });

  it('finds none when every flag is given', () => {
    expect(protectedPods('w1', pods, settings({ daemonSets: 'Skip', emptyDir: 'Evict', barePods: 'Evict' }), NOW)).toEqual([]);
  });
});

describe('refusal', () => {
  it('says that nothing was changed, and which flags help with which pod', () => {
    const error = refusal(protectedPods('w1', pods, strict, NOW));
    expect(error.exitCode).toBe(exitCode.error);
    expect([error.message, ...error.details]).toEqual([
      'node w1 cannot be drained, because of 3 pods; nothing was changed. Add --ignore-daemonsets --delete-emptydir-data --force if these may go, or stay:',
      '  shop/agent: its DaemonSet would put it back (--ignore-daemonsets)',
      '  shop/cache: it keeps data in an emptyDir, which would be lost (--delete-emptydir-data)',
      '  shop/tool: no controller would re-create it, so it would be lost (--force)',
    ]);
  });

  it('names the node of each pod when there are several, and does not list hundreds', () => {
    const many = Array.from({ length: 25 }, (_, index) => aBarePod({ name: `tool-${index}` }));
    const { message, details } = refusal([
      ...protectedPods('w1', many, strict, NOW),
      ...protectedPods('w2', [aBarePod()], strict, NOW),
    ]);
    expect(message).toContain('2 nodes cannot be drained, because of 26 pods');
    expect(details[0]).toBe('  w1: shop/tool-0: no controller would re-create it, so it would be lost (--force)');
    expect(details.at(-1)).toBe('  ... and 6 more');
  });
});
