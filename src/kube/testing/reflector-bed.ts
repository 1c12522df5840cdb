/** A reflector of pods on a virtual clock and a fake client, and what it told. */
import type { Pod } from '../../api/objects.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import type { KubeError, KubeRequest } from '../client.ts';
import { pods } from '../kinds.ts';
import { type ReflectOptions, type Reflector, reflect } from '../reflector.ts';
import { type FakeClient, fakeClient, settle } from './fake-client.ts';

export const pod = (name: string, version: string, uid = `uid-${name}`, more: object = {}): object => ({
  metadata: { namespace: 'shop', name, uid, resourceVersion: version },
  ...more,
});
export const event = (type: string, object: object): object => ({ type, object });
export const bookmark = (resourceVersion: string): object => event('BOOKMARK', { metadata: { resourceVersion } });
export const endOfList = (resourceVersion: string): object =>
  event('BOOKMARK', { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } });
export const isList = ({ query }: KubeRequest): boolean => query?.['watch'] !== true;
export const asksForList = ({ query }: KubeRequest): boolean => query?.['sendInitialEvents'] === true;

export interface ReflectorBed {
  readonly clock: VirtualClock;
  /** "Modified a 11 was 3" */
  readonly told: string[];
  readonly errors: KubeError[];
  /** What the next draws give; 0.5 at first. */
  random: number;
  start(client: FakeClient, more?: Partial<ReflectOptions<Pod>>): Reflector<Pod>;
  /** A reflector that has listed a (version 3) and b (version 2), at version 10; what it told so far is forgotten. */
  synced(client?: FakeClient, more?: Partial<ReflectOptions<Pod>>): Promise<{ client: FakeClient; reflector: Reflector<Pod> }>;
}

export function reflectorBed(): ReflectorBed {
  const bed: ReflectorBed = {
    clock: createVirtualClock(1_000_000),
    told: [],
    errors: [],
    random: 0.5,
    start: (client, more = {}) =>
      reflect({
        client,
        kind: pods,
        clock: bed.clock,
        log: silentLog,
        random: () => bed.random,
        onChange: ({ type, object, old }) =>
          void bed.told.push(`${type} ${object.name} ${object.resourceVersion}${old ? ` was ${old.resourceVersion}` : ''}`),
        onError: (error) => void bed.errors.push(error),
        ...more,
      }),
    async synced(client = fakeClient(() => 'open'), more = {}) {
      const reflector = bed.start(client, more);
      await settle();
      client.last().send(event('ADDED', pod('a', '3')), event('ADDED', pod('b', '2')), endOfList('10'));
      await reflector.synced;
      bed.told.length = 0;
      return { client, reflector };
    },
  };
  return bed;
}
