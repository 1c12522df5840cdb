import { describe, expect, it } from 'vitest';
import type { Api, Kind } from '../apiserver/api.ts';
import * as kinds from '../apiserver/kinds.ts';
import { isPodReady } from '../conditions.ts';
import type { Deployment, KubeObject, Pod, PodTemplate, StatefulSet } from '../kubernetes.ts';
import { type Bed, loaded, MINUTE, settled } from '../testing/snapshot-bed.ts';
import { TEMPLATE_DIGEST } from './reduce.ts';
import type { Snapshot } from './snapshot.ts';

/** As from a real cluster: its hashes are other ones than those that the simulated controllers compute. */
function withOtherHashes(snapshot: Snapshot): Snapshot {
  let text = JSON.stringify(snapshot.objects);
  const hashes = new Set(
    [...text.matchAll(/"(?:pod-template-hash|controller-revision-hash|controller.kubernetes.io\/hash)":"([^"]+)"/g)].map(
      (found) => (found[1] ?? '').replace(/^db-/, ''),
    ),
  );
  expect(hashes.size).toBe(4);
  for (const hash of hashes) text = text.replaceAll(hash, `${[...hash].reverse().join('')}x`);
  return { ...snapshot, objects: JSON.parse(text) as KubeObject[] };
}

const uids = (api: Api, kind: Kind) =>
  api
    .list(kind)
    .map(({ metadata }) => metadata.uid)
    .sort();

/** Gives a template something that the reduction leaves out. */
function withEnv(template: PodTemplate, value: string): PodTemplate {
  const containers = template.spec.containers.map((each) => ({ ...each, env: [{ name: 'V', value }] }));
  return { ...template, spec: { ...template.spec, containers } };
}

const editDeployment = ({ api }: Bed, name: string, value: string) =>
  api.modify(
    kinds.deployments,
    'default',
    name,
    (before): Deployment => ({
      ...before,
      spec: { ...before.spec, template: withEnv(before.spec.template, value) },
    }),
  );

describe('a snapshot that is loaded', () => {
  it('is the settled cluster that was read: nothing happens in it', async () => {
    const snapshot = await settled();
    const to = loaded(snapshot);
    const before = uids(to.api, kinds.pods);
    await to.clock.advance(10 * MINUTE);
    expect(to.written()).toEqual([]);
    expect(uids(to.api, kinds.pods)).toEqual(before);
    expect(before).toHaveLength(8 + 3 + 3 + 6 + 2);
    expect(to.api.list(kinds.pods).every(isPodReady)).toBe(true);
    to.cluster.stop();
  });

  it('does not roll anything out for hashes that the simulated controllers would not have given', async () => {
    const to = loaded(withOtherHashes(await settled()));
    const before = uids(to.api, kinds.pods);
    await to.clock.advance(10 * MINUTE);
    expect(to.written()).toEqual([]);
    expect(uids(to.api, kinds.pods)).toEqual(before);
    to.cluster.stop();
  });

  it.each(['controllerrevisions', 'cronjobs', 'endpointslices', 'volumeattachments', 'priorityclasses'])(
    'keeps every pod also where %s could not be read',
    async (plural) => {
      const snapshot = withOtherHashes(await settled(undefined, plural));
      expect(snapshot.missing.map(({ kind }) => kind)).toEqual([plural]);
      const to = loaded(snapshot);
      const before = uids(to.api, kinds.pods);
      await to.clock.advance(10 * MINUTE);
      expect(
        to.written().filter((line) => line.includes(' Pod ') || line.includes('ReplicaSet') || line.includes('Budget')),
      ).toEqual([]);
      expect(uids(to.api, kinds.pods)).toEqual(before);
      to.cluster.stop();
    },
  );

  it('keeps pods and sets whose owners could not be read', async () => {
    for (const plural of ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs']) {
      const to = loaded(await settled(undefined, plural));
      const before = uids(to.api, kinds.pods);
      await to.clock.advance(10 * MINUTE);
      expect([plural, uids(to.api, kinds.pods)]).toEqual([plural, before]);
      to.cluster.stop();
    }
  });

  it('keeps a StatefulSet as it is that has rolled as far as its partition', async () => {
    const snapshot = await settled(async (from) => {
      from.api.modify(
        kinds.statefulSets,
        'default',
        'db',
        (before): StatefulSet => ({
          ...before,
          spec: {
            ...before.spec,
            template: withEnv(before.spec.template, 'one'),
            updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
          },
        }),
      );
      await from.clock.advance(5 * MINUTE);
    });
    const to = loaded(snapshot);
    const { currentRevision, updateRevision } = to.api.get(kinds.statefulSets, 'default', 'db')?.status ?? {};
    expect(currentRevision).not.toBe(updateRevision);
    await to.clock.advance(10 * MINUTE);
    expect(to.written()).toEqual([]);
    to.cluster.stop();
  });

  it('keeps apart templates that differ only in what is left out, and leaves out the empty sets of old ones', async () => {
    const snapshot = await settled(async (from) => {
      editDeployment(from, 'shop', 'one');
      await from.clock.advance(5 * MINUTE);
      editDeployment(from, 'shop', 'two');
      await from.clock.advance(5 * MINUTE);
      expect(from.api.list(kinds.replicaSets)).toHaveLength(4);
    });
    const to = loaded(snapshot);
    expect(to.api.list(kinds.replicaSets)).toHaveLength(2);
    await to.clock.advance(10 * MINUTE);
    expect(to.written()).toEqual([]);
    to.cluster.stop();
  });

  it('goes on with a rollout that was under way', async () => {
    const snapshot = await settled(async (from) => {
      editDeployment(from, 'shop', 'one');
      await from.clock.advance(3_000);
    });
    const to = loaded(snapshot);
    await to.clock.advance(5 * MINUTE);
    const digest = to.api.get(kinds.deployments, 'default', 'shop')?.spec.template.metadata?.annotations?.[TEMPLATE_DIGEST];
    const sizes = to.api
      .list(kinds.replicaSets)
      .filter(({ metadata }) => metadata.name.startsWith('shop'))
      .map(
        ({ spec }) => `${spec.template.metadata?.annotations?.[TEMPLATE_DIGEST] === digest ? 'new' : 'old'}: ${spec.replicas}`,
      );
    expect(sizes.sort()).toEqual(['new: 8', 'old: 0']);
    to.cluster.stop();
  });

  it('makes pods anew that go, also where namespaces could not be read', async () => {
    const snapshot = await settled(undefined, 'namespaces');
    const to = loaded(snapshot);
    for (const { metadata } of to.api.list(kinds.pods))
      if (/^(?:db-1|api-|agent-)/.test(metadata.name)) to.api.remove(kinds.pods, metadata.namespace ?? '', metadata.name);
    await to.clock.advance(5 * MINUTE);
    expect(to.api.count(kinds.pods)).toBe(22);
    expect(to.api.list(kinds.pods).every(isPodReady)).toBe(true);
    to.cluster.stop();
  });

  it('shares what the pods of one template have alike, with the template too', async () => {
    const { objects } = await settled();
    const of = (kind: string, name: string) =>
      objects.filter((each) => each.kind === kind && each.metadata.name.startsWith(name));
    const pods = of('Pod', 'shop') as Pod[];
    const [deployment] = of('Deployment', 'shop') as Deployment[];
    expect(pods).toHaveLength(8);
    expect(new Set(pods.map(({ metadata }) => metadata.labels)).size).toBe(1);
    expect(new Set(pods.map(({ metadata }) => metadata.ownerReferences)).size).toBe(1);
    for (const { spec } of pods) expect(spec.containers).toBe(deployment?.spec.template.spec.containers);
  });
});
