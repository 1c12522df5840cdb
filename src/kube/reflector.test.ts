import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../lib/log.ts';
import type { KubeRequest } from './client.ts';
import { nodes, pods } from './kinds.ts';
import { reflect } from './reflector.ts';
import { type Answer, fakeClient, refusal, settle } from './testing/fake-client.ts';
import {
  asksForList,
  bookmark,
  endOfList,
  event,
  isList,
  pod,
  type ReflectorBed,
  reflectorBed,
} from './testing/reflector-bed.ts';

let bed: ReflectorBed;
beforeEach(() => {
  bed = reflectorBed();
});

describe('the first list', () => {
  it('is one streamed request that goes on as the watch', async () => {
    const { client, reflector } = await bed.synced();
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
    expect(bed.told).toEqual(['Modified a 11 was 3', 'Deleted b 12 was 2', 'Added c 13']);
    expect(reflector.get('shop', 'c')).toBe(reflector.byUid('uid-c'));
    await reflector.stop();
  });

  it('tells every object once, after the store has it', async () => {
    const client = fakeClient(() => 'open');
    const sizes: number[] = [];
    const reflector = bed.start(client, { onChange: () => sizes.push(reflector.size) });
    await settle();
    client.last().send(event('ADDED', pod('a', '3')), event('ADDED', pod('b', '2')), endOfList('10'));
    await reflector.synced;
    expect(sizes).toEqual([1, 2]);
    await reflector.stop();
  });

  it('waits for etcd when asked for the latest, and carries scope and selectors', async () => {
    const client = fakeClient(() => 'open');
    const reflector = bed.start(client, {
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
    const client = fakeClient(() => 'open');
    const reflector = bed.start(client);
    await settle();
    client.last().send(event('ADDED', pod('a', '9')), event('ADDED', pod('z', '2')));
    await settle();
    client.last().cut();
    await settle();
    await bed.clock.advance(200);
    await settle();
    expect(client.requests).toHaveLength(2);
    expect(client.requests[1]?.query).toMatchObject({ sendInitialEvents: true, resourceVersion: '0' });
    client.last().send(event('ADDED', pod('a', '9')), endOfList('12'));
    await reflector.synced;
    expect(bed.told).toEqual(['Added a 9', 'Added z 2', 'Deleted z 2 was 2']);
    await reflector.stop();
  });

  it('is refused at once with failFast, and asked for again without', async () => {
    const forbidden = refusal(403, { reason: 'Forbidden', message: 'no' });
    await expect(
      bed.start(
        fakeClient(() => forbidden),
        { failFast: true },
      ).synced,
    ).rejects.toBe(forbidden);
    expect(bed.clock.next()).toBeUndefined();
    let allowed = false;
    const client = fakeClient(() => (allowed ? 'open' : forbidden));
    const reflector = bed.start(client);
    await settle();
    await bed.clock.advance(60_000);
    expect(bed.errors.length).toBeGreaterThan(1);
    allowed = true;
    await bed.clock.advance(60_000);
    await settle();
    client.last().send(endOfList('1'));
    await reflector.synced;
    await reflector.stop();
  });

  it('that never came lets synced reject when the reflector is stopped', async () => {
    const reflector = bed.start(fakeClient(() => 'hang'));
    await settle();
    await reflector.stop();
    await expect(reflector.synced).rejects.toThrow('the reflector of /api/v1/pods was stopped');
    expect(bed.clock.next()).toBeUndefined();
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
    const reflector = bed.start(client);
    await reflector.synced;
    await settle();
    expect(client.requests.slice(1).map(({ query }) => query)).toMatchObject([
      { limit: 500, continue: undefined },
      { limit: 500, continue: 'more' },
      { watch: true, resourceVersion: '10', allowWatchBookmarks: true },
    ]);
    expect(client.requests[1]?.query).not.toHaveProperty('resourceVersion');
    expect(reflector.size).toBe(2);
    expect(bed.errors).toEqual([]);
    const second = bed.start(client);
    await second.synced;
    expect(client.requests.filter(asksForList)).toHaveLength(1);
    await Promise.all([reflector.stop(), second.stop()]);
  });

  it('reads fat kinds in smaller pages, and the pods of one node at once from the cache', async () => {
    const client = paged(refusal(422), () => page([], '10'));
    const all = reflect({ client, kind: nodes, clock: bed.clock, log: silentLog, random: () => 0.5 });
    const one = bed.start(client, { fieldSelector: 'spec.nodeName=n1' });
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
    const reflector = bed.start(client);
    await settle();
    client.last().send(event('ADDED', pod('a', '1')), bookmark('9'));
    await reflector.synced;
    expect(client.requests.filter(isList)).toHaveLength(1);
    expect(bed.told).toEqual(['Added a 1']);
    await reflector.stop();
  });

  it('and is silent after the first objects is read in pages after 20 s, but asked for a stream the next time', async () => {
    const client = paged('open', () => page([pod('a', '1')], '10'));
    const reflector = bed.start(client);
    await settle();
    client.last().send(event('ADDED', pod('a', '1')));
    await settle();
    await bed.clock.advance(21_000);
    await settle();
    await reflector.synced;
    const second = bed.start(client);
    await settle();
    expect(client.requests.filter(asksForList)).toHaveLength(2);
    await Promise.all([reflector.stop(), second.stop()]);
  });

  it('because a proxy cuts every stream short is read in pages after three tries', async () => {
    const client = paged('open', () => page([pod('a', '1')], '10'));
    const reflector = bed.start(client);
    for (let tries = 0; tries < 3; tries++) {
      await settle();
      client.last().end();
      await settle();
      await bed.clock.advance(30_000);
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
    const reflector = bed.start(client);
    await settle();
    await bed.clock.advance(100);
    await reflector.synced;
    expect(reflector.resourceVersion).toBe('20');
    expect(bed.told).toEqual(['Added a 1', 'Modified a 7 was 1']);
    await reflector.stop();
  });
});

describe('the store', () => {
  it('tells the death of a pod before the birth of its namesake', async () => {
    const { client, reflector } = await bed.synced();
    client.last().send(event('ADDED', pod('a', '20', 'uid-a2')));
    await settle();
    expect(bed.told).toEqual(['Deleted a 3 was 3', 'Added a 20']);
    client.last().send(event('DELETED', pod('a', '21', 'uid-a')));
    await settle();
    expect(reflector.get('shop', 'a')?.uid).toBe('uid-a2');
    await reflector.stop();
  });

  it('follows a key of its index, such as the node that a pod is bound to', async () => {
    const { client, reflector } = await bed.synced(undefined, { indexBy: ({ nodeName }) => nodeName });
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
    const { client, reflector } = await bed.synced(undefined, {
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
    const { client, reflector } = await bed.synced(undefined, { kind });
    client.last().send(event('MODIFIED', pod('a', '11', 'uid-a', { hidden: true })));
    await settle();
    expect(bed.told).toEqual(['Deleted a 3 was 3']);
    expect(reflector.resourceVersion).toBe('11');
    await reflector.stop();
  });
});
