import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/objects.ts';
import { aBarePod, aHandedOverPod, aPod, NOW, ownedBy, SECOND, selecting, settings } from '../../test/builders.ts';
import { readHandover } from './handover.ts';
import { classifyPod } from './pods.ts';
import type { DrainSettings, PodRule } from './settings.ts';

const classify = (pod: Pod, changed: Partial<DrainSettings> = {}, now = NOW) =>
  classifyPod(pod, settings(changed), readHandover(pod) !== null, now);
const aRule = (overrides: Partial<PodRule> = {}): PodRule => ({
  podSelector: selecting({ app: 'web' }),
  do: 'Drain',
  ...overrides,
});
const daemon = aPod({ owner: ownedBy('DaemonSet', 'agent') });

describe('classifyPod', () => {
  it('moves an ordinary pod in tier workload', () => {
    expect(classify(aPod())).toEqual({ kind: 'Move', tier: { name: 'workload', order: 0 } });
  });

  it('skips a mirror pod whatever the rules say', () => {
    expect(classify(aPod({ mirror: true }), { rules: [aRule()] })).toEqual({ kind: 'Skip', because: 'MirrorPod' });
  });

  it.each([
    ['Skip', { kind: 'Skip', because: 'DaemonSet' }],
    ['Protect', { kind: 'Protect', why: 'DaemonSet' }],
    ['Evict', { kind: 'Move', tier: { name: 'daemon' } }],
  ] as const)('does with a DaemonSet pod what daemonSets: %s says', (daemonSets, expected) => {
    expect(classify(daemon, { daemonSets })).toMatchObject(expected);
  });

  it('moves a DaemonSet pod that a rule drains, even where DaemonSets are protected', () => {
    expect(classify(daemon, { daemonSets: 'Protect', rules: [aRule()] })).toMatchObject({ kind: 'Move' });
  });

  it('lets the DaemonSet pod stay that came after the drain began: evicted, it would come again without end', () => {
    const at = (createdAt: number) => aPod({ owner: ownedBy('DaemonSet', 'agent'), createdAt });
    const evicting = { ...settings(), daemonSets: 'Evict' as const };
    const kindOf = (createdAt: number) => classifyPod(at(createdAt), evicting, false, NOW, NOW + 400).kind;
    expect([NOW - SECOND, NOW, NOW + SECOND].map(kindOf)).toEqual(['Move', 'Skip', 'Skip']);
  });

  it('does not let a WaitCompleted rule move a DaemonSet pod that is skipped', () => {
    expect(classify(daemon, { rules: [aRule({ do: 'WaitCompleted' })] })).toEqual({ kind: 'Skip', because: 'DaemonSet' });
  });

  it.each(['Succeeded', 'Failed'] as const)('moves a %s pod whatever protects it', (phase) => {
    const strict = { emptyDir: 'Protect', barePods: 'Protect', daemonSets: 'Protect' } as const;
    expect(classify(aBarePod({ phase, emptyDir: true }), strict)).toMatchObject({ kind: 'Move' });
    expect(classify(aPod({ phase, owner: ownedBy('DaemonSet', 'agent') }), strict)).toMatchObject({ kind: 'Move' });
    expect(classify(aPod({ phase }), { rules: [aRule({ do: 'WaitCompleted' })] })).toMatchObject({ kind: 'Move' });
  });

  it('protects a bare pod unless the policy evicts bare pods', () => {
    expect(classify(aBarePod())).toMatchObject({ kind: 'Protect', why: 'NoController' });
    expect(classify(aBarePod(), { barePods: 'Evict' })).toMatchObject({ kind: 'Move' });
  });

  it('does not take a pod that was handed over for a bare one', () => {
    expect(classify(aHandedOverPod())).toMatchObject({ kind: 'Move' });
  });

  it('protects a pod with an emptyDir only where the policy says so', () => {
    expect(classify(aPod({ emptyDir: true }))).toMatchObject({ kind: 'Move' });
    expect(classify(aPod({ emptyDir: true }), { emptyDir: 'Protect' })).toMatchObject({ kind: 'Protect', why: 'EmptyDir' });
    expect(classify(aHandedOverPod({}, { emptyDir: true }), { emptyDir: 'Protect' })).toMatchObject({ kind: 'Protect' });
  });

  it('no longer protects what is already terminating', () => {
    expect(classify(aBarePod({ deletedAt: 1, emptyDir: true }), { emptyDir: 'Protect' })).toMatchObject({ kind: 'Move' });
  });

  it('no longer waits for a pod whose grace ended longer ago than the settings say, whatever else holds for it', () => {
    const after = { skipDeletedAfterMs: 10 * SECOND };
    const gone = { kind: 'Skip', because: 'LongDeleted' };
    expect(classify(aPod({ deletedAt: NOW - 10 * SECOND }), after)).toMatchObject({ kind: 'Move' });
    expect(classify(aPod({ deletedAt: NOW - 11 * SECOND }), after)).toEqual(gone);
    expect(classify(aPod({ deletedAt: NOW - 11 * SECOND, finalizers: ['example.com/hold'] }), after)).toEqual(gone);
    expect(classify(aPod({ deletedAt: NOW + SECOND }), after)).toMatchObject({ kind: 'Move' });
    expect(classify(aPod(), after)).toMatchObject({ kind: 'Move' });
    expect(classify(aPod({ deletedAt: NOW - 3_600 * SECOND }))).toMatchObject({ kind: 'Move' });
  });

  it('lets the first rule that matches decide', () => {
    const rules = [
      aRule({ podSelector: selecting({ app: 'db' }), do: 'WaitCompleted' }),
      aRule({ do: 'Skip' }),
      aRule({ do: 'Drain' }),
    ];
    expect(classify(aPod(), { rules })).toEqual({ kind: 'Skip', because: 'Rule' });
  });

  it('applies a rule only in the namespaces that it names', () => {
    const rules = [aRule({ podSelector: selecting({}), namespaces: ['batch'], do: 'Skip' })];
    expect(classify(aPod({ namespace: 'batch' }), { rules })).toMatchObject({ kind: 'Skip' });
    expect(classify(aPod({ namespace: 'shop' }), { rules })).toMatchObject({ kind: 'Move' });
  });

  it('matches rules on expressions as Kubernetes does', () => {
    const notIn = { key: 'team', operator: 'NotIn', values: ['core'] } as const;
    const rules = [aRule({ podSelector: selecting({}, [notIn]), do: 'Skip' })];
    expect(classify(aPod({ labels: {} }), { rules })).toMatchObject({ kind: 'Skip' });
    expect(classify(aPod({ labels: { team: 'core' } }), { rules })).toMatchObject({ kind: 'Move' });
  });

  it('waits for a pod to complete, without end or up to a maximum', () => {
    expect(classify(aPod(), { rules: [aRule({ do: 'WaitCompleted' })] })).toMatchObject({ kind: 'Wait', maxWaitMs: null });
    expect(classify(aPod(), { rules: [aRule({ do: 'WaitCompleted', maxWaitMs: 5 })] })).toMatchObject({
      kind: 'Wait',
      maxWaitMs: 5,
    });
  });

  it('orders the tiers workload, storage, daemon, critical', () => {
    const pods = [
      aPod(),
      aPod({ namespace: 'rook-ceph' }),
      aPod({ owner: ownedBy('DaemonSet', 'agent') }),
      aPod({ priorityClass: 'system-cluster-critical', owner: ownedBy('DaemonSet', 'proxy') }),
    ];
    const tiers = pods
      .map((pod) => classify(pod, { daemonSets: 'Evict' }))
      .flatMap((each) => (each.kind === 'Move' ? [each.tier] : []));
    expect(tiers.map((tier) => tier.name)).toEqual(['workload', 'storage', 'daemon', 'critical']);
    expect(tiers.map((tier) => tier.order)).toEqual(tiers.map((tier) => tier.order).sort((a, b) => a - b));
  });

  it('lets the order of a rule replace the tier', () => {
    expect(classify(aPod(), { rules: [aRule({ order: -5 })] })).toEqual({ kind: 'Move', tier: { name: 'order -5', order: -5 } });
    expect(classify(aPod({ namespace: 'rook-ceph' }), { rules: [aRule()] })).toMatchObject({ tier: { name: 'storage' } });
  });
});
