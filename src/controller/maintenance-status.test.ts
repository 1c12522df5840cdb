import { describe, expect, it } from 'vitest';
import { aNode, aPod, NOW, SECOND } from '../../test/builders.ts';
import { refusal, settled } from '../../test/fake-client.ts';
import { aMaintenanceObject } from '../../test/raw-objects.ts';
import { COLLECTION, leaving, startStore } from './testing/started-store.ts';

const waits = { waitingFor: { cause: 'NotYetSeen', what: 'x' } } as const;

describe('the status that the store writes', () => {
  it('is written at once for a new phase', async () => {
    const { client, record, statuses } = startStore(aMaintenanceObject());
    await record('Draining', { change: { startedAt: NOW } });
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      path: `${COLLECTION}/m-1/status`,
      contentType: 'application/merge-patch+json',
    });
    expect(statuses()).toMatchObject([{ phase: 'Draining', startedAt: '2026-01-01T12:00:00Z', observedGeneration: 1 }]);
  });

  it('gathers progress for two seconds and writes the last of it', async () => {
    const { progress, record, statuses, later } = startStore(aMaintenanceObject());
    await record('Draining', { change: { startedAt: NOW } });
    await record('Draining', leaving('a', 'b', 'c'));
    progress.left('m-1', aPod({ name: 'a' }), NOW);
    await record('Draining', leaving('b', 'c'));
    await later(1_999);
    expect(statuses()).toHaveLength(1);
    await later(1);
    expect(statuses()).toHaveLength(2);
    expect(statuses()[1]).toMatchObject({ progress: { total: 3, gone: 1, remaining: 2 } });
  });

  it('is written more seldom while many nodes are under way, however many have ended', async () => {
    const running = Array.from({ length: 20 }, (_, index) =>
      aMaintenanceObject({}, { name: `m-${index}`, uid: `u-${index}` }, { phase: 'Draining', conditions: [] }),
    );
    const ended = Array.from({ length: 50 }, (_, index) =>
      aMaintenanceObject({}, { name: `e-${index}`, uid: `e-${index}` }, { phase: 'HandedBack' }),
    );
    const { record, statuses, later } = startStore(...running, ...ended);
    await record('Draining', leaving('a'));
    await later(9_999);
    expect(statuses()).toHaveLength(0);
    await later(1);
    expect(statuses()).toHaveLength(1);
  });

  it('names only what has changed, and what is no longer so as null', async () => {
    const { record, statuses } = startStore(aMaintenanceObject());
    await record('Draining', { change: { startedAt: NOW }, ...waits });
    await record('Settling');
    expect(statuses()[0]).toHaveProperty('waitingFor.cause', 'NotYetSeen');
    expect(statuses()[1]).toMatchObject({ phase: 'Settling', waitingFor: null });
    expect(statuses()[1]).not.toHaveProperty('startedAt');
  });

  it('is not written when nothing that people read has changed', async () => {
    const { record, statuses, later } = startStore(aMaintenanceObject());
    await record('Pending', waits);
    await record('Pending', waits);
    await later(10_000);
    await record('Pending', waits);
    await later(10_000);
    expect(statuses()).toHaveLength(1);
  });

  it('that is urgent while another write is under way goes out right after it', async () => {
    const { client, record, statuses } = startStore(aMaintenanceObject());
    let release: (answer: unknown) => void = () => {};
    client.handle(() => new Promise((resolve) => (release = resolve)));
    await record('Draining');
    await record('Settling');
    expect(statuses()).toHaveLength(1);
    release({});
    await settled();
    expect(statuses()).toMatchObject([{ phase: 'Draining' }, { phase: 'Settling' }]);
  });

  it('is not lost when its time comes while a slow write is under way', async () => {
    const { client, record, statuses, later } = startStore(aMaintenanceObject());
    let release: (answer: unknown) => void = () => {};
    client.handle(() => new Promise((resolve) => (release = resolve)));
    await record('Draining');
    await record('Draining', leaving('a', 'b'));
    await later(5_000);
    release({});
    await later(5_000);
    expect(statuses()).toHaveLength(2);
    expect(statuses()[1]).toMatchObject({ progress: { remaining: 2 } });
  });

  it('is tried again after a failure, with what has been decided since', async () => {
    const { client, record, statuses, later } = startStore(aMaintenanceObject());
    client.handle(() => {
      throw refusal(503);
    });
    await record('Draining');
    await record('Settling');
    expect(statuses()).toHaveLength(1);
    client.handle(() => undefined);
    await later(SECOND);
    expect(statuses()).toHaveLength(2);
    expect(statuses()[1]).toMatchObject({ phase: 'Settling', conditions: expect.any(Array) });
  });

  it('of an object that is deleted is not tried for ever', async () => {
    const { client, store, record, statuses, later } = startStore(aMaintenanceObject());
    client.remove(`${COLLECTION}/m-1`);
    await record('Draining');
    store.gone('m-1');
    await later(10_000);
    expect(statuses()).toHaveLength(1);
  });

  it('carries what was done, oldest first, also what a failed write did not', async () => {
    const { client, store, only, record, statuses, later } = startStore(aMaintenanceObject());
    await record('Draining');
    client.handle(() => {
      throw refusal(503);
    });
    store.noteDone(only(), { do: 'Cordon', node: aNode() }, NOW);
    await record('Settling');
    store.noteDone(only(), { do: 'Undo', node: aNode() }, NOW + SECOND);
    client.handle(() => undefined);
    await later(SECOND);
    expect(statuses().at(-1)).toMatchObject({
      journal: [{ do: expect.stringContaining('cordoned') }, { do: expect.stringContaining('handed back') }],
    });
  });

  it('is not written by a follower, nor for one that has become one', async () => {
    const { may, record, statuses, later } = startStore(aMaintenanceObject());
    await record('Draining');
    await record('Draining', leaving('a'));
    may.act = false;
    await later(10_000);
    await record('Settling');
    expect(statuses()).toHaveLength(1);
  });

  it('still gathered at the end is written by flush, also behind a write that is under way', async () => {
    const { client, store, record, statuses, clock } = startStore(aMaintenanceObject());
    let release: (answer: unknown) => void = () => {};
    client.handle(() => new Promise((resolve) => (release = resolve)));
    await record('Draining');
    await record('Draining', leaving('a'));
    const flushed = store.flush();
    release({});
    client.handle(() => undefined);
    await flushed;
    expect(statuses()).toHaveLength(2);
    expect(clock.next()).toBeUndefined();
  });
});
