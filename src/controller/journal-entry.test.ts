import { describe, expect, it } from 'vitest';
import { aCordonedNode, aHandedOverPod, aMaintenance, aNode, aPod, NOW, settings } from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import { journalEntry } from './journal-entry.ts';

const entry = (effect: Parameters<typeof journalEntry>[0], maintenance = aMaintenance()) =>
  journalEntry(effect, maintenance, NOW);

describe('journalEntry', () => {
  it('says what a cordon changed and what takes it back', () => {
    expect(entry({ do: 'Cordon', node: aNode() })).toEqual({
      at: '2026-01-01T12:00:00Z',
      do: 'cordoned and tainted',
      undo: 'remove the taint; uncordon',
      object: 'Node/node-1',
    });
  });

  it('does not promise to uncordon a node that was cordoned before', () => {
    expect(entry({ do: 'Cordon', node: aNode({ unschedulable: true }) })?.undo).toBe(
      'remove the taint; it was cordoned before and stays so',
    );
    const marked = aNode({ annotations: { [annotations.maintenance]: JSON.stringify({ stage: 'Marked', undo: {} }) } });
    expect(entry({ do: 'Cordon', node: marked })?.undo).toBe('remove the taint; uncordon');
  });

  it('names the load-balancer label where the drain sets it', () => {
    const maintenance = aMaintenance({ settings: settings({ excludeFromLoadBalancers: true }) });
    expect(entry({ do: 'Cordon', node: aNode() }, maintenance)).toMatchObject({
      do: 'cordoned and tainted, and taken out of load balancers',
      undo: 'remove the taint and the load-balancer label; uncordon',
    });
  });

  it('says what was handed back', () => {
    expect(entry({ do: 'Undo', node: aCordonedNode() })).toMatchObject({
      do: 'handed back: uncordoned, own taint removed',
      undo: '',
    });
    const before = aNode({
      unschedulable: true,
      annotations: { [annotations.maintenance]: JSON.stringify({ undo: { unschedulable: true } }) },
    });
    expect(entry({ do: 'Undo', node: before })?.do).toBe('handed back: own taint removed');
  });

  it('tells the labels that a handover takes, and gives back', () => {
    expect(entry({ do: 'Detach', pod: aPod(), labels: { 'pod-template-hash': 'h1' }, readyAtStart: 1 })).toMatchObject({
      do: 'handed over: took label pod-template-hash=h1 from it, so that ReplicaSet web creates another',
      undo: 'give label pod-template-hash=h1 back',
      object: 'Pod/shop/web-1',
    });
    const pod = aHandedOverPod({ unlisted: { app: 'web' } });
    expect(entry({ do: 'GiveBack', pod })?.do).toBe('given back to ReplicaSet web: labels pod-template-hash=h1, app=web');
    expect(entry({ do: 'GiveBack', pod, refusedBecause: 'NoRoom' })?.do).toMatch(/\(NoRoom; it is not handed over again\)$/);
  });

  it('records a delete around the budgets, and a pause on the maintenance', () => {
    expect(entry({ do: 'Delete', pod: aPod(), because: 'the policy’s ladder reached Delete' })).toMatchObject({
      undo: '',
      object: 'Pod/shop/web-1',
    });
    expect(entry({ do: 'Pause', because: 'uncordoned by hand' })).toMatchObject({
      do: 'paused: uncordoned by hand',
      object: 'NodeMaintenance/m-1',
    });
  });

  it('leaves out what cannot be taken back and is told elsewhere', () => {
    expect(entry({ do: 'Evict', pod: aPod() })).toBeNull();
    expect(entry({ do: 'TellOwner', pod: aPod(), message: 'you' })).toBeNull();
  });
});
