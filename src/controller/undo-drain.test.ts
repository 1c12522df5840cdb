import { describe, expect, it } from 'vitest';
import { createFakeClient, type RawObject, refusal } from '../../test/fake-client.ts';
import { rawNode, rawPod } from '../../test/raw-objects.ts';
import { leaveTidy, undoDrain } from './undo-drain.ts';

const BY = 'cli:ada@desk';
const POD = '/api/v1/namespaces/shop/pods/web-1';
const NODE = '/api/v1/nodes/node-1';

const journal = (stage: 'Marked' | 'Cordoned', by = `${BY}/node-1`) => ({
  'drover.dev/maintenance': JSON.stringify({
    by,
    reason: 'x',
    since: '2026-01-01T12:00:00Z',
    stage,
    undo: stage === 'Cordoned' ? { unschedulable: false } : {},
  }),
});
const taint = { key: 'drover.dev/maintenance', value: 'Manual', effect: 'PreferNoSchedule' };
const cordoned = rawNode('node-1', {
  annotations: journal('Cordoned'),
  spec: { unschedulable: true, taints: [{ key: 'theirs', effect: 'NoSchedule' }, taint] },
});
const marked = rawNode('node-1', { annotations: journal('Marked'), spec: { taints: [taint] } });

const replicaSet: RawObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } },
};
const handedOver = (
  text = JSON.stringify({
    by: BY,
    at: 0,
    owner: { name: 'web', uid: 'uid-web' },
    labels: { 'pod-template-hash': 'h1' },
    readyAtStart: 1,
  }),
) =>
  rawPod('web-1', {
    owner: null,
    metadata: { labels: { app: 'web', 'drover.dev/handed-over': 'true' }, annotations: { 'drover.dev/handover': text } },
  });

const undo = (client: ReturnType<typeof createFakeClient>, dryRun = false) => undoDrain({ client, nodes: ['node-1'], dryRun });

describe('undoing a drain', () => {
  it('uncordons, and takes its own taint and annotation away and nothing else', async () => {
    const client = createFakeClient([cordoned, rawPod('other')]);
    expect(await undo(client)).toEqual([{ node: 'node-1', did: ['Drover’s taint and annotation were removed', 'uncordoned'] }]);
    expect(client.get(NODE)).toMatchObject({
      metadata: { annotations: {} },
      spec: { taints: [{ key: 'theirs', effect: 'NoSchedule' }] },
    });
    expect(client.get(NODE)?.['spec']).not.toHaveProperty('unschedulable');
  });

  it('uncordons a node that someone else has cordoned, for that is what was asked', async () => {
    const client = createFakeClient([rawNode('node-1', { spec: { unschedulable: true } })]);
    expect(await undo(client)).toEqual([{ node: 'node-1', did: ['uncordoned'] }]);
  });

  it('changes nothing where there is nothing to take back', async () => {
    const client = createFakeClient([rawNode()]);
    expect(await undo(client)).toEqual([{ node: 'node-1', did: [] }]);
    expect(client.sent('PATCH')).toEqual([]);
  });

  it('gives the labels back to a pod whose ReplicaSet lives', async () => {
    const client = createFakeClient([cordoned, handedOver(), replicaSet]);
    expect((await undo(client))[0]?.did[0]).toBe('pod shop/web-1 was given back to ReplicaSet web');
    expect(client.get(POD)?.metadata['labels']).toEqual({ app: 'web', 'pod-template-hash': 'h1' });
  });

  it('deletes a pod whose ReplicaSet is gone, or is another one of that name by now', async () => {
    for (const others of [[], [{ ...replicaSet, metadata: { ...replicaSet.metadata, uid: 'another' } }]]) {
      const client = createFakeClient([cordoned, handedOver(), ...others]);
      expect((await undo(client))[0]?.did[0]).toBe('pod shop/web-1 was deleted: its ReplicaSet web is gone');
      expect(client.get(POD)).toBeUndefined();
    }
  });

  it('does not delete a pod whose journal it cannot read', async () => {
    const client = createFakeClient([cordoned, handedOver('{')]);
    expect((await undo(client))[0]?.did[0]).toBe('pod shop/web-1 lost its handover annotation, which could not be read');
    expect(client.get(POD)?.metadata['labels']).toEqual({ app: 'web' });
  });

  it('does not claim to have given back a pod that went meanwhile', async () => {
    const client = createFakeClient([cordoned, handedOver(), replicaSet]);
    client.handle(({ method, path }) => {
      if (method === 'PATCH' && path === POD) throw refusal(404, 'NotFound');
      return undefined;
    });
    expect((await undo(client))[0]?.did).toEqual(['Drover’s taint and annotation were removed', 'uncordoned']);
  });

  it('looks again when the kubelet has written the node in between', async () => {
    const client = createFakeClient([cordoned]);
    let conflicts = 0;
    client.handle(({ method }) => {
      if (method === 'PATCH' && (conflicts += 1) <= 2) throw refusal(409, 'Conflict');
      return undefined;
    });
    await undo(client);
    expect(client.get(NODE)?.['spec']).not.toHaveProperty('unschedulable');
    expect(client.sent(`GET ${NODE}`)).toHaveLength(3);
  });

  it('gives up when that never ends', async () => {
    const client = createFakeClient([cordoned]);
    client.handle(({ method }) => {
      if (method === 'PATCH') throw refusal(409, 'Conflict');
      return undefined;
    });
    await expect(undo(client)).rejects.toMatchObject({ code: 409 });
  });

  it('only asks in a dry run', async () => {
    const client = createFakeClient([cordoned, handedOver(), replicaSet]);
    await undo(client, true);
    expect(client.sent('PATCH').map(({ query }) => query)).toEqual([{ dryRun: 'All' }, { dryRun: 'All' }]);
  });

  it('fails for a node that is not there', async () => {
    await expect(undo(createFakeClient())).rejects.toMatchObject({ code: 404 });
  });
});

describe('what an interrupted run leaves', () => {
  it('is a cordoned node with its journal, and pods that have their labels back', async () => {
    const client = createFakeClient([cordoned, handedOver(), replicaSet]);
    await leaveTidy({ client, by: BY }, ['node-1']);
    expect(client.get(NODE)).toMatchObject({ metadata: { annotations: journal('Cordoned') }, spec: { unschedulable: true } });
    expect(client.get(POD)?.metadata['labels']).toEqual({ app: 'web', 'pod-template-hash': 'h1' });
  });

  it('is no mark on a node that was not begun', async () => {
    const client = createFakeClient([marked]);
    await leaveTidy({ client, by: BY }, ['node-1']);
    expect(client.get(NODE)).toMatchObject({ metadata: { annotations: {} } });
    expect(client.get(NODE)?.['spec']).not.toHaveProperty('taints');
  });

  it('leaves the nodes of others, and those that are gone, alone', async () => {
    const client = createFakeClient([
      rawNode('node-1', { annotations: journal('Marked', 'another'), spec: { taints: [taint] } }),
    ]);
    await leaveTidy({ client, by: BY }, ['node-1', 'node-2']);
    expect(client.sent('PATCH')).toEqual([]);
  });
});
