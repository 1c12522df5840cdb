/** EndpointSlices of Services. */
import type { KubeObject } from '../../beds/objects.ts';
import type { Case, Subject } from '../case.ts';
import { at, by, items, must, pick, text } from '../look.ts';
import { deserted, ownerOf, setReady, still } from '../stage.ts';

const service = (spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
});

const slices = async (c: Subject) => items(await c.list('endpointslices', { labelSelector: 'kubernetes.io/service-name=web' }));

const endpointsOf = (all: readonly unknown[]) =>
  all
    .flatMap((slice) => (at(slice, 'endpoints') ?? []) as object[])
    .map((each) => pick(each, 'addresses', 'conditions', 'nodeName', 'zone', 'targetRef.kind', 'targetRef.name'))
    .sort(by('addresses'));

const endpoints = (c: Subject, count: number, good: (all: readonly unknown[]) => boolean = () => true) =>
  c.eventually(
    `${count} endpoints`,
    async () => endpointsOf(await slices(c)),
    (seen) => seen.length === count && good(seen),
  );

/** A node that no kubelet plays, NS-x in the zone "east": endpoints of pods on a node that is not there are left out. */
async function nodeOf(c: Subject): Promise<string> {
  const name = `${c.namespace}-x`;
  await c.make(deserted(name, { metadata: { labels: { 'topology.kubernetes.io/zone': 'east' } } }));
  return name;
}

/** Running and Ready on that node, with the address 10.99.0.NUMBER. */
async function serving(c: Subject, nodeName: string, name: string, number: number): Promise<void> {
  await c.make(still(name, { spec: { nodeName } }));
  const ip = `10.99.0.${number}`;
  must(await c.patch('pods', `${name}/status`, { status: { podIP: ip, podIPs: [{ ip }] } }));
  await setReady(c, name);
}

export const services: readonly Case[] = [
  {
    name: 'a Service lists ready pods as ready, others not, and a deleted one as terminating',
    async run(c) {
      const nodeName = await nodeOf(c);
      await c.make(service());
      for (const [index, name] of ['a', 'b', 'd', 'e'].entries()) await serving(c, nodeName, name, index + 1);
      await setReady(c, 'b', false);
      await setReady(c, 'e', false);
      for (const name of ['d', 'e']) must(await c.remove('pods', name));
      const told = (all: readonly unknown[]) => all.filter((each) => at(each, 'conditions.terminating') === true).length === 2;
      const unready = (all: readonly unknown[]) => at(all[1], 'conditions.ready') === false;
      const seen = await endpoints(c, 4, (all) => told(all) && unready(all));
      const [slice] = await slices(c);
      return { seen, slice: { ...pick(slice, 'addressType', 'ports', 'metadata.labels'), owner: ownerOf(slice) } };
    },
  },
  {
    name: "a pod leaves a Service's endpoints with the label, and comes back with it",
    async run(c) {
      const nodeName = await nodeOf(c);
      await c.make(service());
      await serving(c, nodeName, 'a', 1);
      await serving(c, nodeName, 'b', 2);
      await endpoints(c, 2);
      must(await c.patch('pods', 'a', { metadata: { labels: { app: 'off' } } }));
      const without = await endpoints(c, 1);
      must(await c.patch('pods', 'a', { metadata: { labels: { app: 'web' } } }));
      return { without: without.map((each) => at(each, 'addresses')), again: (await endpoints(c, 2)).length };
    },
  },
  {
    name: 'a pod without an address, or one that has ended, is no endpoint',
    async run(c) {
      const nodeName = await nodeOf(c);
      await c.make(service(), still('fresh', { spec: { nodeName } }));
      await serving(c, nodeName, 'ended', 1);
      must(await c.patch('pods', 'ended/status', { status: { phase: 'Succeeded' } }));
      await serving(c, nodeName, 'b', 2);
      const there = (only: unknown) => text(only, 'addresses') === '10.99.0.2' && at(only, 'conditions.ready') === true;
      return endpoints(c, 1, ([only]) => there(only));
    },
  },
  {
    name: 'a pod on a node that is not there is no endpoint',
    async run(c) {
      const nodeName = await nodeOf(c);
      await c.make(service());
      await serving(c, 'nowhere', 'a', 1);
      await serving(c, nodeName, 'b', 2);
      const before = await endpoints(c, 1);
      await c.clock.sleep(1000);
      return [before, await endpoints(c, 1)].map((all) => all.map((each) => at(each, '["targetRef.name"]')));
    },
  },
  {
    name: 'a Service that publishes addresses that are not ready calls them ready',
    async run(c) {
      const nodeName = await nodeOf(c);
      await c.make(service({ publishNotReadyAddresses: true, clusterIP: 'None' }));
      await serving(c, nodeName, 'a', 1);
      await setReady(c, 'a', false);
      const seen = await endpoints(c, 1, ([only]) => at(only, 'conditions.serving') === false);
      const [slice] = await slices(c);
      return { seen, ...pick(slice, 'metadata.labels') };
    },
  },
  {
    name: 'a port that is named by the container is looked up there',
    async run(c) {
      const nodeName = await nodeOf(c);
      await c.make(service({ ports: [{ port: 80, targetPort: 'web' }] }));
      const containers = [{ name: 'app', image: 'app', ports: [{ name: 'web', containerPort: 9090 }] }];
      await c.make(still('a', { spec: { nodeName, containers } }));
      must(await c.patch('pods', 'a/status', { status: { podIP: '10.99.0.1', podIPs: [{ ip: '10.99.0.1' }] } }));
      await setReady(c, 'a');
      await endpoints(c, 1);
      return (await slices(c)).map((slice) => at(slice, 'ports'));
    },
  },
  {
    name: 'a Service without pods has a slice without endpoints, which goes with it',
    async run(c) {
      await c.make(service());
      const empty = await c.eventually(
        'a slice',
        () => slices(c),
        (seen) => seen.length === 1,
      );
      must(await c.remove('services', 'web'));
      await c.eventually(
        'no slice',
        () => slices(c),
        (seen) => seen.length === 0,
      );
      return { endpoints: endpointsOf(empty).length };
    },
  },
];
