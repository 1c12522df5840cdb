import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../apiserver/api.ts';
import type { KubeObject } from '../kubernetes.ts';
import type { Entry } from './collection.ts';
import { createStore } from './store.ts';

const object = (name: string, namespace = 'a'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '', creationTimestamp: '' },
});
const line = ({ type, object: { metadata } }: WatchEvent<KubeObject>) => `${type} ${metadata.name} ${metadata.resourceVersion}`;

const keyOf = ({ object: { metadata } }: Entry) => `${metadata.namespace}/${metadata.name}`;

function bed(history = 100) {
  const store = createStore({ history });
  const shelf = store.shelf('/things');
  const add = (name: string, namespace = 'a') => store.insert(shelf, object(name, namespace));
  const change = (name: string, namespace = 'a') => {
    const entry = shelf.objects.find(namespace, name);
    if (!entry) throw new Error(`no ${name}`);
    return store.replace(shelf, entry, { ...entry.object, metadata: { ...entry.object.metadata } });
  };
  const drop = (name: string, namespace = 'a') => {
    const entry = shelf.objects.find(namespace, name);
    if (!entry) throw new Error(`no ${name}`);
    return store.remove(shelf, entry, { ...entry.object, metadata: { ...entry.object.metadata } });
  };
  return { store, shelf, add, change, drop };
}

describe('a watch of one value of the index', () => {
  it('is told of objects that have it, get it or lose it, and of no others', () => {
    const store = createStore();
    const shelf = store.shelf('/things', ({ metadata }) => metadata.labels?.node);
    const lines: string[] = [];
    const stop = store.watchSince(shelf, 0, (event) => lines.push(line(event)), { value: 'n1' });
    const put = (name: string, node: string) => {
      const fresh = object(name);
      const next = { ...fresh, metadata: { ...fresh.metadata, labels: { node } } };
      const entry = shelf.objects.find('a', name);
      if (entry) store.replace(shelf, entry, next);
      else store.insert(shelf, next);
    };
    put('x', 'n1');
    put('y', 'n2');
    put('y', 'n1');
    put('x', 'n2');
    put('x', 'n3');
    expect(lines).toEqual(['ADDED x 1', 'MODIFIED y 3', 'MODIFIED x 4']);
    stop?.();
    put('y', 'n1');
    expect(lines).toHaveLength(3);
    expect(shelf.audience.byValue.size).toBe(0);
  });
});

describe('a watch of one namespace', () => {
  it('is told of the objects in it, and of no others', () => {
    const { store, shelf, add, change, drop } = bed();
    const lines: string[] = [];
    const stop = store.watchSince(shelf, 0, (event) => lines.push(line(event)), { namespace: 'b' });
    add('x', 'a');
    add('y', 'b');
    change('x', 'a');
    change('y', 'b');
    drop('x', 'a');
    drop('y', 'b');
    expect(lines).toEqual(['ADDED y 2', 'MODIFIED y 4', 'DELETED y 6']);
    stop?.();
    add('z', 'b');
    expect(lines).toHaveLength(3);
    expect(shelf.audience.byNamespace.size).toBe(0);
  });
});

describe('the store', () => {
  it('counts versions over all kinds and tells a deletion with the version of the deletion', () => {
    const { store, shelf, add, change, drop } = bed();
    const lines: string[] = [];
    store.watch(shelf, (event) => lines.push(line(event)), false);
    add('x');
    store.insert(store.shelf('/others'), object('o'));
    change('x');
    drop('x');
    expect(lines).toEqual(['ADDED x 1', 'MODIFIED x 3', 'DELETED x 4']);
    expect(store.version()).toBe(4);
  });

  it('lists in the order of keys, not of namespaces: "a-b/x" comes before "a/x"', () => {
    const { shelf, add, drop } = bed();
    for (const [name, namespace] of [
      ['y', 'a'],
      ['x', 'b'],
      ['x', 'a-b'],
      ['gone', 'a'],
      ['x', 'a'],
    ] as const)
      add(name, namespace);
    shelf.objects.ordered('a');
    drop('gone');
    add('b');
    expect(shelf.objects.ordered().map(keyOf)).toEqual(['a-b/x', 'a/b', 'a/x', 'a/y', 'b/x']);
    expect(shelf.objects.ordered('a').map(keyOf)).toEqual(['a/b', 'a/x', 'a/y']);
    expect(shelf.objects.ordered('nowhere')).toEqual([]);
  });

  it('tells each event to everybody before the next, though a handler writes meanwhile', () => {
    const { store, shelf, add, change } = bed();
    const lines: string[] = [];
    store.watch(
      shelf,
      (event) => {
        lines.push(`first ${line(event)}`);
        if (event.type === 'ADDED') change('x');
      },
      false,
    );
    store.watch(shelf, (event) => lines.push(`second ${line(event)}`), false);
    add('x');
    expect(lines).toEqual(['first ADDED x 1', 'second ADDED x 1', 'first MODIFIED x 2', 'second MODIFIED x 2']);
  });

  it('replays what is there before anything that the handler causes by it', () => {
    const { store, shelf, add, change } = bed();
    add('x');
    add('y');
    const lines: string[] = [];
    store.watch(
      shelf,
      (event) => {
        lines.push(line(event));
        if (event.type === 'ADDED' && event.object.metadata.name === 'x') change('y');
      },
      true,
    );
    expect(lines).toEqual(['ADDED x 1', 'ADDED y 2', 'MODIFIED y 3']);
  });

  it('does not tell a watcher that joins in the middle what it has been shown already', () => {
    const { store, shelf, add, change } = bed();
    const late: string[] = [];
    let joined = false;
    store.watch(
      shelf,
      () => {
        if (joined) return;
        joined = true;
        change('x');
        store.watch(shelf, (event) => late.push(line(event)), true);
      },
      false,
    );
    add('x');
    change('x');
    expect(late).toEqual(['ADDED x 2', 'MODIFIED x 3']);
  });

  it('tells a watcher that was stopped nothing more, not even what was on its way', () => {
    const { store, shelf, add } = bed();
    const lines: string[] = [];
    const stops: (() => void)[] = [];
    store.watch(shelf, () => stops.forEach((stop) => stop()), false);
    stops.push(store.watch(shelf, (event) => lines.push(line(event)), false));
    add('x');
    add('y');
    expect(lines).toEqual([]);
  });

  it('keeps the order over thousands of events that handlers cause', () => {
    const { store, shelf, add, change } = bed();
    const seen: number[] = [];
    store.watch(
      shelf,
      ({ object: { metadata } }) => {
        seen.push(Number(metadata.resourceVersion));
        if (seen.length < 2000) {
          change('x');
          change('x');
        }
      },
      false,
    );
    add('x');
    expect(seen).toEqual(Array.from({ length: 3999 }, (_, at) => at + 1));
  });

  it('tells the others although one handler throws, and then the writer', () => {
    const { store, shelf, add } = bed();
    const lines: string[] = [];
    store.watch(
      shelf,
      () => {
        throw new Error('broken');
      },
      false,
    );
    store.watch(shelf, (event) => lines.push(line(event)), false);
    expect(() => add('x')).toThrow('broken');
    expect(lines).toEqual(['ADDED x 1']);
    expect(() => add('y')).toThrow('broken');
    expect(lines).toEqual(['ADDED x 1', 'ADDED y 2']);
  });

  it('goes on from an old version with what was missed, then with what comes', () => {
    const { store, shelf, add, change } = bed();
    add('x');
    add('y');
    change('x');
    const lines: string[] = [];
    const stop = store.watchSince(shelf, 1, (event) => lines.push(line(event)));
    change('y');
    stop?.();
    change('y');
    expect(lines).toEqual(['ADDED y 2', 'MODIFIED x 3', 'MODIFIED y 4']);
  });

  it('cannot go on from before what it remembers', () => {
    const { store, shelf, add, change } = bed(2);
    add('x');
    for (let i = 0; i < 4; i++) change('x');
    expect(store.watchSince(shelf, 2, () => undefined)).toBeUndefined();
    expect(store.watchSince(shelf, 3, () => undefined)).toBeDefined();
    expect(shelf.history.oldest()).toBe(3);
  });

  it('forgets on request, also for kinds that come later', () => {
    const { store, shelf, add } = bed();
    add('x');
    add('y');
    store.compact(1);
    expect(store.watchSince(shelf, 0, () => undefined)).toBeUndefined();
    expect(store.watchSince(shelf, 1, () => undefined)).toBeDefined();
    store.compact();
    expect(store.watchSince(shelf, 1, () => undefined)).toBeUndefined();
    expect(store.watchSince(store.shelf('/later'), 1, () => undefined)).toBeUndefined();
    expect(store.watchSince(shelf, 2, () => undefined)).toBeDefined();
  });

  it('keeps no events when told to keep none', () => {
    const { store, shelf, add } = bed(0);
    add('x');
    expect(store.watchSince(shelf, 0, () => undefined)).toBeUndefined();
    expect(store.watchSince(shelf, 1, () => undefined)).toBeDefined();
  });
});
