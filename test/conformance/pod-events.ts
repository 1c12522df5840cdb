/** What happens to pods while something runs, as their watch tells it. */
import type { Frame, Subject } from './case.ts';
import { at, items, must, text } from './look.ts';
import { isReady } from './stage.ts';

type Objects = Map<string, unknown>;

/** Calls back after each change of the objects of a kind with the label app=web while `run` runs, with those that there are. */
async function follow(c: Subject, kind: string, look: (objects: Objects) => void): Promise<() => void> {
  const labelSelector = 'app=web';
  const listed = await c.list(kind, { labelSelector });
  const live: Objects = new Map(items(listed).map((object) => [text(object, 'metadata.uid'), object]));
  const resourceVersion = text(listed.body, 'metadata.resourceVersion');
  const watching = await c.watch({ method: 'GET', path: c.collection(kind), query: { labelSelector, resourceVersion } });
  return () => {
    watching.close();
    for (const { type, object } of watching.frames) {
      const uid = text(object, 'metadata.uid');
      // a pod that is on its way out is no longer one that a controller counts
      if (type === 'DELETED' || at(object, 'metadata.deletionTimestamp')) live.delete(uid);
      else live.set(uid, object);
      look(live);
    }
  };
}

/**
 * The most replicas that the ReplicaSets are asked for together, and the fewest pods that are ready, while `run` runs. (Pods that are
 * there may be more for a moment: each ReplicaSet makes and deletes its own in its own time.)
 */
export async function bounds(c: Subject, run: () => Promise<unknown>): Promise<{ asked: number; ready: number }> {
  const seen = { asked: 0, ready: Number.POSITIVE_INFINITY };
  const sum = (sets: Objects) => [...sets.values()].reduce<number>((total, set) => total + Number(at(set, 'spec.replicas')), 0);
  const ends = [
    await follow(c, 'replicasets', (sets) => (seen.asked = Math.max(seen.asked, sum(sets)))),
    await follow(c, 'pods', (pods) => (seen.ready = Math.min(seen.ready, [...pods.values()].filter(isReady).length))),
  ];
  await run();
  for (const end of ends) end();
  return seen;
}

/** "create NAME", "ready NAME", "gone NAME" (its containers have ended, or there is no trace of it) in their order, each pod once. */
function lifeOf(frames: readonly Frame[], readyBefore: readonly string[]): string[] {
  const ready = new Set(readyBefore);
  const gone = new Set<string>();
  const seen: string[] = [];
  for (const { type, object } of frames) {
    const [name, uid] = [text(object, 'metadata.name'), text(object, 'metadata.uid')];
    if (type === 'ADDED') seen.push(`create ${name}`);
    if ((type === 'DELETED' || ['Succeeded', 'Failed'].includes(text(object, 'status.phase'))) && !gone.has(uid)) {
      gone.add(uid);
      seen.push(`gone ${name}`);
    }
    if (isReady(object) && !ready.has(uid)) {
      ready.add(uid);
      seen.push(`ready ${name}`);
    }
  }
  return seen;
}

/** As many steps, at least. */
export const steps = (count: number) => (told: readonly string[]) => told.length >= count;

/**
 * What becomes of the pods of the namespace (of those that are `wanted`; default: all) from `begin` on, until what has been told is
 * `enough`: "create db-0", "ready db-0" ...
 */
export async function life(
  c: Subject,
  enough: (told: readonly string[]) => boolean,
  begin: () => Promise<unknown>,
  wanted: (object: unknown) => boolean = () => true,
): Promise<string[]> {
  const listed = await c.list('pods');
  const readyBefore = items(listed)
    .filter(isReady)
    .map((object) => text(object, 'metadata.uid'));
  const query = { resourceVersion: text(must(listed), 'metadata.resourceVersion') };
  const watching = await c.watch({ method: 'GET', path: c.collection('pods'), query });
  await begin();
  const look = async () =>
    lifeOf(
      watching.frames.filter(({ object }) => wanted(object)),
      readyBefore,
    );
  const seen = await c.eventually('enough to be told', look, enough);
  watching.close();
  return seen;
}
