import { describe, expect, it } from 'vitest';
import { aPod, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { refusal, settled } from '../../test/fake-client.ts';
import { aMaintenanceObject, aPolicy } from '../../test/raw-objects.ts';
import type { NodeMaintenance } from '../api/resources.ts';
import type { Phase } from '../engine/maintenance.ts';
import { compilePolicy } from './compile.ts';
import type { Match } from './matcher.ts';
import { COLLECTION, leaving, startStore } from './testing/started-store.ts';

const DELETED = { deletionTimestamp: '2026-01-01T12:10:00Z' };
const match: Match = {
  policy: compilePolicy(aPolicy()),
  rule: { type: 'Taint', taint: { key: 'example.com/broken' } },
  message: 'broken',
};

describe('creating a maintenance', () => {
  it('posts it with the finalizer, and knows it before the watch does', async () => {
    const { client, store } = startStore();
    store.create('node-1', 'uid-node-1', match);
    await settled();
    expect(client.log).toEqual([`POST ${COLLECTION}`]);
    expect(client.requests[0]?.body).toMatchObject({
      metadata: { finalizers: ['drover.dev/undo'] },
      spec: { nodeName: 'node-1', policy: 'repair' },
    });
    expect(store.of('node-1')).toMatchObject({
      nodeName: 'node-1',
      policy: 'repair',
      reasonType: 'Taint',
      state: { phase: 'Pending' },
    });
  });

  it('happens once, however often it is asked for while it is under way', async () => {
    const { client, store } = startStore();
    store.create('node-1', 'uid-node-1', match);
    store.create('node-1', 'uid-node-1', match);
    await settled();
    expect(client.requests).toHaveLength(1);
  });

  it('that meets its own object of before a crash asks for the same name, not at once, and finds it in the watch', async () => {
    const { client, store, later } = startStore();
    client.handle(() => {
      throw refusal(409, 'AlreadyExists');
    });
    store.create('node-1', 'uid-node-1', match);
    await settled();
    store.create('node-1', 'uid-node-1', match);
    await settled();
    expect(client.requests).toHaveLength(1);
    await later(SECOND);
    store.create('node-1', 'uid-node-1', match);
    await settled();
    const names = client.requests.map(({ body }) => (body as NodeMaintenance).metadata.name);
    expect(names).toHaveLength(2);
    expect(names[0]).toBe(names[1]);
    store.see(aMaintenanceObject({}, { name: names[0] ?? '' }));
    expect(store.of('node-1')?.id).toBe(names[0]);
  });

  it('is tried again a moment after a refusal, and says that it may', async () => {
    const { client, store, changes, later } = startStore();
    client.handle(() => {
      throw refusal(403);
    });
    store.create('node-1', 'uid-node-1', match);
    await settled();
    const before = changes.count;
    await later(SECOND);
    expect(changes.count).toBe(before + 1);
    expect(store.of('node-1')).toBeUndefined();
  });

  it('takes a name that no ended maintenance of the node has, also when the first of them was deleted', async () => {
    const { client, store, watch } = startStore();
    const begin = async () => {
      store.create('node-1', 'uid-node-1', match);
      await settled();
      const [request] = client.sent('POST').slice(-1);
      if (!request) throw new Error('nothing was created');
      const { name } = (request.body as NodeMaintenance).metadata;
      store.see({ ...(client.get(`${COLLECTION}/${name}`) as unknown as NodeMaintenance), status: { phase: 'HandedBack' } });
      return name;
    };
    const [first, second] = [await begin(), await begin()];
    store.gone(first);
    const third = await begin();
    expect(second).not.toBe(first);
    expect(third).toBe(first); // free again
    watch(third);
    expect(store.object(second)).toBeDefined();
  });

  it('is not for a follower', async () => {
    const { client, may, store } = startStore();
    may.act = false;
    store.create('node-1', 'uid-node-1', match);
    await settled();
    expect(client.requests).toEqual([]);
  });
});

describe('the finalizer', () => {
  it('is there before a maintenance is begun', async () => {
    const { client, store, watch, later } = startStore(
      aMaintenanceObject({}, { finalizers: ['other/one'], resourceVersion: '2' }),
    );
    expect(store.list()).toEqual([]);
    store.list();
    await later(0);
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      path: `${COLLECTION}/m-1`,
      body: { metadata: { resourceVersion: '2', finalizers: ['other/one', 'drover.dev/undo'] } },
    });
    watch();
    expect(store.list()).toHaveLength(1);
  });

  it('is asked for again when someone else changed the object in between', async () => {
    const { client, store, changes, later } = startStore(aMaintenanceObject({}, { finalizers: [] }));
    client.handle(() => {
      throw refusal(409);
    });
    store.list();
    await later(SECOND);
    expect(changes.count).toBe(1);
    store.list();
    await later(0);
    expect(client.requests).toHaveLength(2);
  });

  it('stays on a deleted maintenance until it has ended, which deleting has asked it to', async () => {
    const { client, store, only, record, later } = startStore(
      aMaintenanceObject({}, { ...DELETED, finalizers: ['drover.dev/undo', 'other/one'] }, { phase: 'Draining' }),
    );
    expect(only().cancelled).toBe(true);
    await later(0);
    expect(client.requests).toEqual([]);
    await record('Undoing');
    await record('Cancelled', { change: { finishedAt: NOW } });
    store.list();
    await later(0);
    expect(client.sent(`PATCH ${COLLECTION}/m-1`).at(-1)?.body).toMatchObject({ metadata: { finalizers: ['other/one'] } });
  });

  it('goes from a deleted maintenance whose drained node is gone: nothing is left to undo', async () => {
    const { client, store, later } = startStore(
      aMaintenanceObject({}, DELETED, { phase: 'Drained', finishedAt: '2026-01-01T12:00:00Z' }),
    );
    store.list();
    await later(0);
    expect(client.requests[0]?.body).toMatchObject({ metadata: { finalizers: [] } });
  });

  it('is not touched by a follower', async () => {
    const { client, may, store, later } = startStore(aMaintenanceObject({}, { finalizers: [] }));
    may.act = false;
    store.list();
    await later(0);
    expect(client.requests).toEqual([]);
  });
});

describe('who decides', () => {
  it('a leader is ahead of its own watch: an older status does not take its decision back', async () => {
    const { store, only, record } = startStore(aMaintenanceObject());
    await record('Draining', { change: { startedAt: NOW } });
    store.see(aMaintenanceObject({}, { resourceVersion: '9' }, { phase: 'Pending' }));
    expect(only().state).toMatchObject({ phase: 'Draining', startedAt: NOW });
  });

  it('a follower takes over what the leader has written', () => {
    const { store, may, only } = startStore(aMaintenanceObject());
    may.act = false;
    store.see(aMaintenanceObject({}, { resourceVersion: '9' }, { phase: 'Draining', attempts: 2 }));
    expect(only().state).toMatchObject({ phase: 'Draining', attempts: 2 });
  });

  it('a new leader forgets what it decided when it led before, and goes on counting where the status stands', async () => {
    const { client, store, progress, may, only, record, watch } = startStore(aMaintenanceObject());
    await record('Draining', { change: { startedAt: NOW } });
    await record('Draining', leaving('a', 'b'));
    progress.left('m-1', aPod({ name: 'a' }), NOW);
    may.act = false;
    const written = { total: 9, evicted: 6, gone: 6, remaining: 3, percent: 66, summary: '6/9' };
    client.put(aMaintenanceObject({}, {}, { phase: 'Draining', progress: written }));
    watch();
    may.act = true;
    store.reset();
    expect(only().memory).toEqual({ progressAt: NOW, moved: [], movedClaims: null });
    await record('Settling', leaving('c', 'd'));
    expect(client.get(`${COLLECTION}/m-1`)).toMatchObject({
      status: { phase: 'Settling', progress: { gone: 6, remaining: 2, total: 8 } },
    });
  });

  it('begins to count anew with each try', async () => {
    const { progress, only, record } = startStore(aMaintenanceObject());
    await record('Draining');
    await record('Draining', leaving('a'));
    progress.left('m-1', aPod({ name: 'a' }), NOW);
    await record('BackOff');
    await record('Pending');
    await record('Draining');
    expect(progress.gone('m-1')).toBe(0);
    expect(only().memory.movedClaims).toBe(false);
  });

  it('an object of the same name with another uid is another one', () => {
    const { store, only } = startStore(aMaintenanceObject({}, {}, { phase: 'Drained' }));
    store.see(aMaintenanceObject({}, { uid: 'another' }));
    expect(only().state.phase).toBe('Pending');
  });
});

describe('an ended maintenance', () => {
  const held = (status: 'True' | 'False') => ({
    type: 'CauseHolds',
    status,
    reason: 'X',
    message: '',
    lastTransitionTime: '2026-01-01T12:00:00Z',
  });
  const ended = (phase: Phase, status: 'True' | 'False') =>
    aMaintenanceObject({ policy: 'repair' }, {}, { phase, conditions: [held(status)] });

  it('stands in the way of a new one while its reason holds', async () => {
    const { store, record, statuses } = startStore(aMaintenanceObject({ policy: 'repair' }));
    expect(store.isSpent({ name: 'node-1', createdAt: 0 }, 'repair')).toBe(false);
    await record('Failed', { change: { finishedAt: NOW } });
    expect(statuses().at(-1)).toMatchObject({
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'CauseHolds', status: 'True' })]),
    });
    expect([
      store.isSpent({ name: 'node-1', createdAt: 0 }, 'repair'),
      store.isSpent({ name: 'node-1', createdAt: 0 }, 'other'),
      store.isSpent({ name: 'node-2', createdAt: 0 }, 'repair'),
    ]).toEqual([true, false, false]);
    expect(store.of('node-1')).toBeUndefined();
  });

  it('does not when its reason was gone already', async () => {
    const { store, record } = startStore(aMaintenanceObject({ policy: 'repair' }));
    await record('Cancelled', { cause: false, change: { finishedAt: NOW } });
    expect(store.isSpent({ name: 'node-1', createdAt: 0 }, 'repair')).toBe(false);
  });

  it('says so in its status, so that a restart knows', () => {
    expect(startStore(ended('Failed', 'True')).store.isSpent({ name: 'node-1', createdAt: 0 }, 'repair')).toBe(true);
    const laterMachine = { name: 'node-1', createdAt: Number.MAX_SAFE_INTEGER };
    expect(startStore(ended('Failed', 'True')).store.isSpent(laterMachine, 'repair')).toBe(false);
    expect(startStore(ended('Failed', 'False')).store.isSpent({ name: 'node-1', createdAt: 0 }, 'repair')).toBe(false);
  });

  it('makes way when its reason goes, and not again when it comes back', async () => {
    const { store, statuses } = startStore(ended('Cancelled', 'True'));
    store.reviewEnded('node-1', () => true);
    await settled();
    expect(statuses()).toEqual([]);
    store.reviewEnded('node-1', () => false);
    await settled();
    expect(statuses()[0]).toMatchObject({
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'CauseHolds', status: 'False' })]),
    });
    store.reviewEnded('node-1', () => true);
    await settled();
    expect(statuses()).toHaveLength(1);
    expect(store.isSpent({ name: 'node-1', createdAt: 0 }, 'repair')).toBe(false);
  });

  it('is deleted after seven days, once', async () => {
    const { client, store, later } = startStore(
      aMaintenanceObject({}, {}, { phase: 'HandedBack', finishedAt: '2026-01-01T12:00:00Z' }),
    );
    await later(7 * 24 * 60 * MINUTE);
    store.list();
    expect(client.requests).toEqual([]);
    await later(1);
    store.list();
    store.list();
    await settled();
    expect(client.log).toEqual([`DELETE ${COLLECTION}/m-1`]);
  });
});

describe('what an object that is gone has left behind', () => {
  it('is taken back by a maintenance that exists for nothing else', async () => {
    const { client, store, only, record } = startStore();
    store.adopt('lost', 'node-1');
    store.adopt('lost', 'node-1');
    expect(only()).toMatchObject({ id: 'lost', nodeName: 'node-1', cancelled: true, state: { phase: 'Undoing' } });
    expect(store.of('node-1')?.id).toBe('lost');
    await record('Undoing');
    await record('Cancelled');
    expect(store.list()).toEqual([]);
    expect(client.requests).toEqual([]);
  });

  it('is left to the object when that turns up after all', () => {
    const { store, only } = startStore();
    store.adopt('m-1', 'node-1');
    store.see(aMaintenanceObject({}, {}, { phase: 'Draining' }));
    expect(only()).toMatchObject({ id: 'm-1', cancelled: false, state: { phase: 'Draining' } });
  });
});

describe('a pause', () => {
  const because = 'the node was uncordoned by someone else';

  it('holds when the object has it', async () => {
    const { client, store, only } = startStore(aMaintenanceObject());
    const paused = store.pause(only(), because);
    expect(only().paused).toBe(false);
    await store.pause(only(), because);
    await paused;
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      path: `${COLLECTION}/m-1`,
      body: { spec: { paused: true, pausedBecause: because } },
    });
    expect(only()).toMatchObject({ paused: true, pausedBecause: because });
  });

  it('is not undone by an older event that comes after its answer', async () => {
    const { client, store, only } = startStore(aMaintenanceObject());
    client.handle(() => aMaintenanceObject({ paused: true, pausedBecause: because }, { generation: 2, resourceVersion: '5' }));
    await store.pause(only(), because);
    store.see(aMaintenanceObject({}, { generation: 1, resourceVersion: '4' }));
    expect(only().paused).toBe(true);
    store.see(aMaintenanceObject({}, { generation: 3, resourceVersion: '6' }));
    expect(only().paused).toBe(false);
  });

  it('that is refused is asked for again after a moment', async () => {
    const { client, store, only, changes, later } = startStore(aMaintenanceObject());
    client.handle(() => {
      throw refusal(403);
    });
    await store.pause(only(), because);
    await store.pause(only(), because);
    expect(client.requests).toHaveLength(1);
    expect(only().paused).toBe(false);
    await later(SECOND);
    expect(changes.count).toBe(1);
    await store.pause(only(), because);
    expect(client.requests).toHaveLength(2);
  });
});

describe('how long drains take', () => {
  const at = (minute: number) => new Date(NOW + minute * 60_000).toISOString();
  const drained = (name: string, began: number, minutes: number, policy = 'repair') =>
    aMaintenanceObject(
      { policy },
      { name, uid: name },
      { phase: 'Drained', startedAt: at(began), drainedAt: at(began + minutes) },
    );

  it('is told of the slowest of the last 10 of a policy', () => {
    const ten = Array.from({ length: 10 }, (_, index) => drained(`m-${index}`, 100 + index, 3 + (index % 4)));
    const { store } = startStore(drained('m-long-ago', 0, 60), ...ten, drained('m-other', 200, 90, 'other'));
    expect(store.slowestDrain('repair')).toBe(6 * 60_000);
    expect(store.slowestDrain('other')).toBe(90 * 60_000);
  });

  it('is not known before there was one, nor from one that has not come to its end', () => {
    const { store } = startStore(aMaintenanceObject({ policy: 'repair' }, {}, { phase: 'Draining', startedAt: at(0) }));
    expect(store.slowestDrain('repair')).toBeNull();
  });
});
