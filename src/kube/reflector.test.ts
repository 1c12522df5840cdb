import { beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../api/objects.ts';
import { createVirtualClock, type VirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { KubeError, type KubeRequest } from './client.ts';
import { nodes, pods } from './kinds.ts';
import { reflect, type ReflectOptions } from './reflector.ts';
import type { Change } from './store.ts';
import { type Answer, fakeClient, type FakeClient, refusal, settle } from './testing/fake-client.ts';

const pod = (name: string, version: string, uid = `uid-${name}`, more: object = {}) => ({
  metadata: { namespace: 'shop', name, uid, resourceVersion: version },
  ...more,
});
const event = (type: string, object: object) => ({ type, object });
const bookmark = (resourceVersion: string) => event('BOOKMARK', { metadata: { resourceVersion } });
const endOfList = (resourceVersion: string) =>
  event('BOOKMARK', { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } });
const isList = ({ query }: KubeRequest) => query?.['watch'] !== true;
const asksForList = ({ query }: KubeRequest) => query?.['sendInitialEvents'] === true;

let clock: VirtualClock;
let told: string[];
let errors: KubeError[];
let random = 0.5;
beforeEach(() => {
  clock = createVirtualClock(1_000_000);
  told = [];
  errors = [];
  random = 0.5;
});

const tell = ({ type, object, old }: Change<Pod>) =>
  void told.push(`${type} ${object.name} ${object.resourceVersion}${old ? ` was ${old.resourceVersion}` : ''}`);

function start(client: FakeClient, more: Partial<ReflectOptions<Pod>> = {}) {
  return reflect({
    client,
    kind: pods,
    clock,
    log: silentLog,
    random: () => random,
    onChange: tell,
    onError: (error) => errors.push(error),
    ...more,
  });
}

const streaming = (more: (request: KubeRequest) => Answer = () => 'open') => fakeClient(more);

/** A reflector that has listed a and b at version 10. */
async function synced(client = streaming(), more: Partial<ReflectOptions<Pod>> = {}) {
  const reflector = start(client, more);
  await settle();
  client.last().send(event('ADDED', pod('a', '3')), event('ADDED', pod('b', '2')), endOfList('10'));
  await reflector.synced;
  told = [];
  return { client, reflector };
}

describe('the first list', () => {
  it('is one streamed request that goes on as the watch', async () => {
    const { client, reflector } = await synced();
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      path: '/api/v1/pods',
      accept: 'application/vnd.kubernetes.protobuf;stream=watch,application/json',
      query: {
        watch: true,
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        resourceVersion: '0',
        allowWatchBookmarks: true,
      },
    });
    expect([...reflector.items()].map(({ name }) => name)).toEqual(['a', 'b']);
    expect(reflector.resourceVersion).toBe('10');
    client.last().send(event('MODIFIED', pod('a', '11')), event('DELETED', pod('b', '12')), event('ADDED', pod('c', '13')));
    await settle();
    expect(told).toEqual(['Modified a 11 was 3', 'Deleted b 12 was 2', 'Added c 13']);
    expect(reflector.get('shop', 'c')).toBe(reflector.byUid('uid-c'));
    await reflector.stop();
  });

  it('tells every object once, after the store has it', async () => {
    const client = streaming();
    const sizes: number[] = [];
    const reflector = start(client, { onChange: () => sizes.push(reflector.size) });
    await settle();
    client.last().send(event('ADDED', pod('a', '3')), event('ADDED', pod('b', '2')), endOfList('10'));
    await reflector.synced;
    expect(sizes).toEqual([1, 2]);
    await reflector.stop();
  });

  it('waits for etcd when asked for the latest, and carries scope and selectors', async () => {
    const client = streaming();
    const reflector = start(client, {
      consistency: 'Latest',
      namespace: 'shop',
      fieldSelector: 'spec.nodeName=n1',
      labelSelector: 'a=b',
    });
    await settle();
    expect(client.requests[0]).toMatchObject({
      path: '/api/v1/namespaces/shop/pods',
      query: { resourceVersion: undefined, fieldSelector: 'spec.nodeName=n1', labelSelector: 'a=b' },
    });
    await reflector.stop();
  });

  it('starts again from nothing when it is cut, as its events are not in the order of their versions', async () => {
    const client = streaming();
    const reflector = start(client);
    await settle();
    client.last().send(event('ADDED', pod('a', '9')), event('ADDED', pod('z', '2')));
    await settle();
    client.last().cut();
    await settle();
    await clock.advance(200);
    await settle();
    expect(client.requests).toHaveLength(2);
    expect(client.requests[1]?.query).toMatchObject({ sendInitialEvents: true, resourceVersion: '0' });
    client.last().send(event('ADDED', pod('a', '9')), endOfList('12'));
    await reflector.synced;
    expect(told).toEqual(['Added a 9', 'Added z 2', 'Deleted z 2 was 2']);
    await reflector.stop();
  });

  it('is refused at once with failFast, and asked for again without', async () => {
    const forbidden = refusal(403, { reason: 'Forbidden', message: 'no' });
    await expect(
      start(
        fakeClient(() => forbidden),
        { failFast: true },
      ).synced,
    ).rejects.toBe(forbidden);
    expect(clock.next()).toBeUndefined();
    let allowed = false;
    const client = fakeClient(() => (allowed ? 'open' : forbidden));
    const reflector = start(client);
    await settle();
    await clock.advance(60_000);
    expect(errors.length).toBeGreaterThan(2);
    allowed = true;
    await clock.advance(60_000);
    await settle();
    client.last().send(endOfList('1'));
    await reflector.synced;
    await reflector.stop();
  });

  it('that never came lets synced reject when the reflector is stopped', async () => {
    const reflector = start(fakeClient(() => 'hang'));
    await settle();
    await reflector.stop();
    await expect(reflector.synced).rejects.toThrow('the reflector of /api/v1/pods was stopped');
    expect(clock.next()).toBeUndefined();
  });
});

describe('a server that cannot stream lists', () => {
  const page = (items: object[], resourceVersion: string, token = '') => ({
    metadata: { resourceVersion, continue: token },
    items,
  });
  const paged = (streamAnswer: Answer, pages: (request: KubeRequest) => Answer) =>
    fakeClient((request) => (isList(request) ? pages(request) : asksForList(request) ? streamAnswer : 'open'));

  it.each([400, 422])('and says so with %s is read in pages, then watched; and is not asked again', async (code) => {
    const client = paged(refusal(code, { message: 'sendInitialEvents is forbidden' }), ({ query }) =>
      query?.['continue'] === 'more' ? page([pod('b', '2')], '10') : page([pod('a', '1')], '10', 'more'),
    );
    const reflector = start(client);
    await reflector.synced;
    await settle();
    expect(client.requests.slice(1).map(({ query }) => query)).toMatchObject([
      { limit: 500, continue: undefined },
      { limit: 500, continue: 'more' },
      { watch: true, resourceVersion: '10', allowWatchBookmarks: true },
    ]);
    expect(client.requests[1]?.query).not.toHaveProperty('resourceVersion');
    expect(reflector.size).toBe(2);
    expect(errors).toEqual([]);
    const second = start(client);
    await second.synced;
    expect(client.requests.filter(asksForList)).toHaveLength(1);
    await Promise.all([reflector.stop(), second.stop()]);
  });

  it('reads fat kinds in smaller pages, and the pods of one node at once from the cache', async () => {
    const client = paged(refusal(422), () => page([], '10'));
    const all = reflect({ client, kind: nodes, clock, log: silentLog, random: () => 0.5 });
    const one = start(client, { fieldSelector: 'spec.nodeName=n1' });
    await Promise.all([all.synced, one.synced]);
    const lists = client.requests.filter(isList);
    expect(lists.find(({ path }) => path === '/api/v1/nodes')?.query).toMatchObject({ limit: 100 });
    const ofNode = lists.find(({ path }) => path === '/api/v1/pods')?.query;
    expect(ofNode).toMatchObject({ resourceVersion: '0', fieldSelector: 'spec.nodeName=n1' });
    expect(ofNode).not.toHaveProperty('limit');
    await Promise.all([all.stop(), one.stop()]);
  });

  it('and takes the request for a plain watch is found out by its first bookmark', async () => {
    const client = paged('open', () => page([pod('a', '1')], '10'));
    const reflector = start(client);
    await settle();
    client.last().send(event('ADDED', pod('a', '1')), bookmark('9'));
    await reflector.synced;
    expect(client.requests.filter(isList)).toHaveLength(1);
    expect(told).toEqual(['Added a 1']);
    await reflector.stop();
  });

  it('and is silent after the first objects is read in pages after 20 s, but asked for a stream the next time', async () => {
    const client = paged('open', () => page([pod('a', '1')], '10'));
    const reflector = start(client);
    await settle();
    client.last().send(event('ADDED', pod('a', '1')));
    await settle();
    await clock.advance(21_000);
    await settle();
    await reflector.synced;
    const second = start(client);
    await settle();
    expect(client.requests.filter(asksForList)).toHaveLength(2);
    await Promise.all([reflector.stop(), second.stop()]);
  });

  it('because a proxy cuts every stream short is read in pages after three tries', async () => {
    const client = paged('open', () => page([pod('a', '1')], '10'));
    const reflector = start(client);
    for (let tries = 0; tries < 3; tries++) {
      await settle();
      client.last().end();
      await settle();
      await clock.advance(30_000);
    }
    await reflector.synced;
    await reflector.stop();
  });

  it('starts with the first page again when the list expires between two', async () => {
    let expired = false;
    const client = paged(refusal(422), ({ query }) => {
      if (query?.['continue'] === undefined)
        return page([pod('a', expired ? '7' : '1')], expired ? '20' : '10', expired ? '' : 'more');
      expired = true;
      return refusal(410, { reason: 'Expired', message: 'the continue token is too old' });
    });
    const reflector = start(client);
    await settle();
    await clock.advance(100);
    await reflector.synced;
    expect(reflector.resourceVersion).toBe('20');
    expect(told).toEqual(['Added a 1', 'Modified a 7 was 1']);
    await reflector.stop();
  });
});

describe('the end of a watch', () => {
  it.each(['cut', 'end'] as const)(
    '(%s) leads to a watch from the last version, bookmarks included, in less than 100 ms',
    async (how) => {
      const { client, reflector } = await synced();
      client.last().send(event('MODIFIED', pod('a', '11')), bookmark('15'));
      await settle();
      client.last()[how]();
      await settle();
      await clock.advance(100);
      await settle();
      expect(client.requests).toHaveLength(2);
      expect(client.requests[1]?.query).toMatchObject({ watch: true, resourceVersion: '15' });
      expect(client.requests[1]?.query).not.toHaveProperty('sendInitialEvents');
      client.last().send(event('MODIFIED', pod('b', '16')));
      await settle();
      expect(told).toEqual(['Modified a 11 was 3', 'Modified b 16 was 2']);
      await reflector.stop();
    },
  );

  it('asks the server for another end each time, between 290 and 580 s', async () => {
    random = 0;
    const { client, reflector } = await synced();
    random = 0.999;
    client.last().end();
    await settle();
    await clock.advance(100);
    await settle();
    expect(client.requests.map(({ query }) => query?.['timeoutSeconds'])).toEqual([290, 580]);
    await reflector.stop();
  });

  it('that comes again and again is met with longer and longer waits, until one watch lasts a minute', async () => {
    random = 0.999;
    const { client, reflector } = await synced();
    const waits: number[] = [];
    const endAfter = async (lasts: number) => {
      await clock.advance(lasts);
      client.last().end();
      await settle();
      waits.push(Math.round(((clock.next() ?? 0) - clock.now()) / 100) * 100);
      await clock.advance(30_000);
      await settle();
    };
    for (let count = 0; count < 8; count++) await endAfter(0);
    await endAfter(61_000);
    await endAfter(0);
    expect(waits).toEqual([100, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 100, 1600]);
    await reflector.stop();
  });

  it('by silence comes after at most 150 s without a byte, and is counted', async () => {
    const { client, reflector } = await synced();
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(60_000);
      client.last().send(bookmark(String(20 + minute)));
      await settle();
    }
    expect(client.requests).toHaveLength(1);
    expect(reflector.healthy(clock.now())).toBe(true);
    const silent = client.last();
    await clock.advance(150_000);
    await settle();
    await clock.advance(100);
    await settle();
    expect(silent.closed).toBe(true);
    expect(reflector.counters.silences).toBe(1);
    expect(client.requests[1]?.query).toMatchObject({ resourceVersion: '29' });
    await reflector.stop();
  });

  it('by silence also comes when no answer comes at all', async () => {
    let hangs = false;
    const { client, reflector } = await synced(fakeClient(() => (hangs ? 'hang' : 'open')));
    hangs = true;
    client.last().end();
    await settle();
    await clock.advance(100);
    await settle();
    hangs = false;
    expect(reflector.healthy(clock.now() + 180_000)).toBe(false);
    await clock.advance(180_000);
    await settle();
    expect(client.requests).toHaveLength(3);
    expect(reflector.counters.silences).toBe(1);
    await reflector.stop();
  });

  it('by a broken frame is counted, resumed once, then gone around by a list', async () => {
    const { client, reflector } = await synced();
    for (const count of [1, 2]) {
      client.last().bytes(Buffer.from('{"type":"MODIFIED","obj\n'));
      await settle();
      expect(reflector.counters.brokenFrames).toBe(count);
      await clock.advance(30_000);
      await settle();
    }
    expect(client.requests[1]?.query).toMatchObject({ resourceVersion: '10' });
    expect(client.requests[1]?.query).not.toHaveProperty('sendInitialEvents');
    expect(client.requests[2]?.query).toMatchObject({ sendInitialEvents: true, resourceVersion: '10' });
    await reflector.stop();
  });

  it('by a refusal is told, waits as long as Retry-After says, and keeps the version', async () => {
    let refuse = false;
    const busy = new KubeError('busy', { code: 429, retryAfterMs: 17_000 });
    const { client, reflector } = await synced(fakeClient(() => (refuse ? busy : 'open')));
    refuse = true;
    client.last().end();
    await settle();
    await clock.advance(100);
    expect(errors).toEqual([busy]);
    refuse = false;
    await clock.advance(16_800);
    expect(client.requests).toHaveLength(2);
    await clock.advance(200);
    await settle();
    expect(client.requests[2]?.query).toMatchObject({ resourceVersion: '10' });
    await reflector.stop();
  });
});

describe('a version that is too old', () => {
  const relist = async (client: FakeClient) => {
    await settle();
    await clock.advance(100);
    await settle();
    expect(client.requests.at(-1)?.query).toMatchObject({ sendInitialEvents: true, resourceVersion: undefined });
    client.last().send(event('ADDED', pod('a', '30')), event('ADDED', pod('c', '31')), endOfList('40'));
    await settle();
  };

  it('(ERROR event) leads to a list, which tells only what has changed, with tombstones', async () => {
    const { client, reflector } = await synced();
    client.last().send(event('ERROR', { code: 410, reason: 'Expired', message: 'too old resource version' }));
    await relist(client);
    expect(told).toEqual(['Modified a 30 was 3', 'Added c 31', 'Deleted b 2 was 2']);
    expect(reflector.resourceVersion).toBe('40');
    expect(reflector.counters.lists).toBe(2);
    await reflector.stop();
  });

  it('(HTTP 410) leads to a list', async () => {
    let expired = false;
    const { client, reflector } = await synced(
      fakeClient((request) => (expired && !asksForList(request) ? refusal(410) : 'open')),
    );
    expired = true;
    random = 0.05;
    client.last().end();
    await settle();
    await clock.advance(100);
    await relist(client);
    expect(told).toContain('Deleted b 2 was 2');
    await reflector.stop();
  });

  it('does not let an object of the same version be told again', async () => {
    const { client, reflector } = await synced();
    client.last().send(event('ERROR', { code: 410 }));
    await settle();
    await clock.advance(100);
    await settle();
    client.last().send(event('ADDED', pod('a', '3')), event('ADDED', pod('b', '2')), endOfList('40'));
    await settle();
    expect(told).toEqual([]);
    await reflector.stop();
  });

  it('on a server that is behind the one we saw leads to a list of its latest', async () => {
    let behind = false;
    const tooNew = refusal(504, { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
    const { client, reflector } = await synced(fakeClient((request) => (behind && !asksForList(request) ? tooNew : 'open')));
    behind = true;
    random = 0.01;
    client.last().end();
    await settle();
    await clock.advance(100);
    await relist(client);
    expect(reflector.resourceVersion).toBe('40');
    await reflector.stop();
  });
});

describe('the store', () => {
  it('tells the death of a pod before the birth of its namesake', async () => {
    const { client, reflector } = await synced();
    client.last().send(event('ADDED', pod('a', '20', 'uid-a2')));
    await settle();
    expect(told).toEqual(['Deleted a 3 was 3', 'Added a 20']);
    client.last().send(event('DELETED', pod('a', '21', 'uid-a')));
    await settle();
    expect(reflector.get('shop', 'a')?.uid).toBe('uid-a2');
    await reflector.stop();
  });

  it('follows a key of its index, such as the node that a pod is bound to', async () => {
    const { client, reflector } = await synced(streaming(), { indexBy: ({ nodeName }) => nodeName });
    expect(reflector.indexed('').map(({ name }) => name)).toEqual(['a', 'b']);
    client.last().send(event('MODIFIED', pod('a', '11', 'uid-a', { spec: { nodeName: 'n1' } })));
    await settle();
    expect(reflector.indexed('').map(({ name }) => name)).toEqual(['b']);
    expect(reflector.indexed('n1').map(({ name }) => name)).toEqual(['a']);
    client.last().send(event('DELETED', pod('a', '12', 'uid-a', { spec: { nodeName: 'n1' } })));
    await settle();
    expect(reflector.indexed('n1')).toEqual([]);
    await reflector.stop();
  });

  it('survives a handler that throws', async () => {
    const lines: string[] = [];
    const log = { ...silentLog, error: (message: string) => lines.push(message) };
    const { client, reflector } = await synced(streaming(), {
      log,
      onChange: () => {
        throw new Error('bug');
      },
    });
    lines.length = 0;
    client.last().send(event('MODIFIED', pod('a', '11')), event('MODIFIED', pod('b', '12')));
    await settle();
    expect(lines).toEqual(['change handler failed', 'change handler failed']);
    expect(reflector.resourceVersion).toBe('12');
    await reflector.stop();
  });

  it('drops an object that its decoder begins to leave out', async () => {
    const kind = {
      ...pods,
      decodeJson: (raw: unknown) => ((raw as { hidden?: boolean }).hidden ? undefined : pods.decodeJson(raw)),
    };
    const { client, reflector } = await synced(streaming(), { kind });
    client.last().send(event('MODIFIED', pod('a', '11', 'uid-a', { hidden: true })));
    await settle();
    expect(told).toEqual(['Deleted a 3 was 3']);
    expect(reflector.resourceVersion).toBe('11');
    await reflector.stop();
  });
});
