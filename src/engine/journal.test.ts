import { describe, expect, it } from 'vitest';
import { aHandedOverPod, aNode, aPod, NOW, patchedNode, patchedPod } from '../../test/builders.ts';
import { annotations, labels, taints } from '../api/names.ts';
import type { Node, Taint } from '../api/objects.ts';
import { readHandover } from './handover.ts';
import { cordonPatch, detachPatch, giveBackPatch, type MarkRequest, readJournal, undoNodePatch, unlistPatch } from './journal.ts';

const request = (overrides: Partial<MarkRequest> = {}): MarkRequest => ({
  by: 'm-1',
  reason: 'kernel',
  reasonType: 'Manual',
  now: NOW,
  excludeFromLoadBalancers: false,
  ...overrides,
});

const cordon = (node: Node, changed: Partial<MarkRequest> = {}) =>
  patchedNode(node, cordonPatch(node, 'Cordoned', request(changed)));
const mark = (node: Node, changed: Partial<MarkRequest> = {}) => patchedNode(node, cordonPatch(node, 'Marked', request(changed)));
const undo = (node: Node) => patchedNode(node, undoNodePatch(node));

const foreign: readonly Taint[] = [
  { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unreachable', value: '', effect: 'NoExecute', timeAdded: NOW - 5_000 },
];
const worn = { pool: 'blue', [labels.excludeFromLoadBalancers]: 'by-hand' };

describe('closing a node', () => {
  it('is one patch, refused for a node that has changed meanwhile', () => {
    expect(cordonPatch(aNode({ resourceVersion: '42' }), 'Cordoned', request())).toEqual({
      metadata: {
        resourceVersion: '42',
        annotations: {
          [annotations.maintenance]: JSON.stringify({
            by: 'm-1',
            reason: 'kernel',
            since: '2026-01-01T12:00:00Z',
            stage: 'Cordoned',
            undo: { unschedulable: false },
          }),
        },
      },
      spec: { unschedulable: true, taints: [{ ...taints.maintenance, value: 'Manual', timeAdded: '2026-01-01T12:00:00Z' }] },
    });
  });

  it('keeps the taints of others as they are', () => {
    expect(cordon(aNode({ taints: foreign })).taints.slice(0, 2)).toEqual(foreign);
  });

  it('has one taint of ours however often it is done', () => {
    expect(cordon(cordon(aNode())).taints).toHaveLength(1);
  });

  it('leaves the load balancers alone unless the policy says otherwise', () => {
    expect(cordon(aNode({ labels: worn })).labels).toEqual(worn);
    expect(cordon(aNode({ labels: worn }), { excludeFromLoadBalancers: true }).labels).toEqual({
      ...worn,
      [labels.excludeFromLoadBalancers]: 'drover',
    });
  });

  it('by a mark alone closes nothing', () => {
    const marked = mark(aNode({ labels: worn }), { excludeFromLoadBalancers: true });
    expect(marked).toMatchObject({ unschedulable: false, labels: worn });
    expect(readJournal(marked)).toMatchObject({ stage: 'Marked', undo: {} });
  });
});

describe('handing a node back', () => {
  it.each([
    ['an ordinary node', aNode()],
    ['a node with taints and labels of others', aNode({ taints: foreign, labels: worn })],
    ['a node that someone had cordoned', aNode({ unschedulable: true, taints: foreign })],
    ['a node that load balancers left out before', aNode({ labels: worn, annotations: { note: 'mine' } })],
  ])('leaves %s as it was', (_, before) => {
    const all = { excludeFromLoadBalancers: true };
    expect(undo(cordon(before, all))).toEqual(before);
    expect(undo(mark(before, all))).toEqual(before);
    expect(undo(cordon(mark(before, all), all))).toEqual(before);
    expect(undo(cordon(cordon(before, all), { ...all, by: 'm-2' }))).toEqual(before);
  });

  it('keeps a cordon that came between the mark and ours', () => {
    const cordonedByHand = { ...mark(aNode()), unschedulable: true };
    expect(undo(cordon(cordonedByHand))).toEqual(aNode({ unschedulable: true }));
    expect(undo(cordonedByHand)).toEqual(aNode({ unschedulable: true }));
  });

  it('remembers what the first of several saw', () => {
    const taken = cordon(cordon(aNode()), { by: 'm-2' });
    expect(readJournal(taken)).toMatchObject({ by: 'm-2', undo: { unschedulable: false } });
  });

  it('spares what others changed meanwhile', () => {
    const closed = cordon(aNode({ labels: { pool: 'blue' } }), { excludeFromLoadBalancers: true });
    const changed = {
      ...closed,
      labels: { ...closed.labels, pool: 'green', [labels.excludeFromLoadBalancers]: 'by-hand' },
      taints: [...closed.taints, ...foreign],
      annotations: { ...closed.annotations, note: 'mine' },
    };
    expect(undo(changed)).toEqual(
      aNode({
        labels: { pool: 'green', [labels.excludeFromLoadBalancers]: 'by-hand' },
        taints: foreign,
        annotations: { note: 'mine' },
      }),
    );
  });

  it('does not cordon again what a person has uncordoned', () => {
    expect(undo({ ...cordon(aNode()), unschedulable: false })).toEqual(aNode());
    expect(undoNodePatch({ ...cordon(aNode()), unschedulable: false })).not.toHaveProperty('spec.unschedulable');
  });

  it('is nothing on a node that carries nothing of ours', () => {
    expect(undoNodePatch(aNode({ unschedulable: true, taints: foreign }))).toBeNull();
  });

  it('takes a taint of ours without its journal, and nothing else', () => {
    const { [annotations.maintenance]: _, ...rest } = cordon(aNode()).annotations;
    expect(undo({ ...cordon(aNode({ taints: foreign })), annotations: rest })).toEqual(
      aNode({ unschedulable: true, taints: foreign }),
    );
  });

  it.each(['no json', 'null', '7', '{"undo":null}'])('takes back only the marks where the journal was edited to %j', (text) => {
    const node = { ...cordon(aNode({ taints: foreign })), annotations: { [annotations.maintenance]: text } };
    expect(readJournal(node)).toMatchObject({ by: '', stage: 'Cordoned' });
    expect(undo(node)).toEqual(aNode({ unschedulable: true, taints: foreign }));
  });
});

describe('handing a pod over', () => {
  const pod = aPod({ annotations: {} });
  const detached = patchedPod(pod, detachPatch(pod, { 'pod-template-hash': 'h1' }, 'm-1', 3, NOW));

  it('takes the label and writes it down in one patch, for this pod only', () => {
    expect(detachPatch(pod, { 'pod-template-hash': 'h1' }, 'm-1', 3, NOW)).toMatchObject({
      metadata: { uid: 'uid-web-1', labels: { 'pod-template-hash': null } },
    });
    expect(detached.labels).toEqual({ app: 'web', [labels.handedOver]: 'true' });
    expect(readHandover(detached)).toEqual({
      by: 'm-1',
      at: NOW,
      owner: { name: 'web', uid: 'uid-web' },
      labels: { 'pod-template-hash': 'h1' },
      readyAtStart: 3,
    });
  });

  it('adds to the journal when the pod leaves its Services', () => {
    const unlisted = patchedPod(detached, unlistPatch(detached, { app: 'web' }, NOW + 5));
    expect(unlisted.labels).toEqual({ [labels.handedOver]: 'true' });
    expect(readHandover(unlisted)).toMatchObject({
      labels: { 'pod-template-hash': 'h1' },
      unlisted: { app: 'web' },
      unlistedAt: NOW + 5,
    });
  });

  it('is undone completely, at either point', () => {
    const unlisted = patchedPod(detached, unlistPatch(detached, { app: 'web' }, NOW));
    expect(patchedPod(detached, giveBackPatch(detached, undefined))).toEqual(pod);
    expect(patchedPod(unlisted, giveBackPatch(unlisted, undefined))).toEqual(pod);
  });

  it('leaves the reason on the pod where it was given back for one', () => {
    expect(patchedPod(detached, giveBackPatch(detached, 'NoRoom'))).toEqual({
      ...pod,
      annotations: { [annotations.handoverRefused]: 'NoRoom' },
    });
  });

  it('spares a label that someone set meanwhile', () => {
    const changed = { ...detached, labels: { ...detached.labels, 'pod-template-hash': 'theirs' } };
    expect(patchedPod(changed, giveBackPatch(changed, undefined)).labels).toEqual({ app: 'web', 'pod-template-hash': 'theirs' });
  });

  it('gives nothing back to a pod that was not handed over', () => {
    expect(giveBackPatch(pod, undefined)).toBeNull();
    expect(unlistPatch(pod, { app: 'web' }, NOW)).toBeNull();
  });

  it('with an unreadable journal gives back no labels, but takes the marks away', () => {
    const edited = { ...aHandedOverPod(), annotations: { [annotations.handover]: '{"owner":null}' } };
    expect(patchedPod(edited, giveBackPatch(edited, undefined))).toMatchObject({ labels: { app: 'web' }, annotations: {} });
  });
});
