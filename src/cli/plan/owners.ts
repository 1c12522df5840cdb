/** What the maintenance does to the applications: how many pods of each owner are Ready, and which find no room. Counted pod by pod. */
import type { Millis } from '../../lib/clock.ts';
import type { Api } from '../../sim/apiserver/api.ts';
import { pods } from '../../sim/apiserver/kinds.ts';
import { conditionOf, isPodReady } from '../../sim/conditions.ts';
import { controllerOf } from '../../sim/controllers/controller-ref.ts';
import type { Pod } from '../../sim/kubernetes.ts';

export interface Blink {
  /** "shop/ReplicaSet/web-5d4f" */
  readonly owner: string;
  /** Ready pods when it began. */
  readonly before: number;
  readonly fewest: number;
  /** How long there were fewer than before, all times together. */
  readonly shortMs: Millis;
  /** How long there was none. */
  readonly noneMs: Millis;
}

export interface OwnerWatch {
  stop(now: Millis): void;
  blinks(): Blink[];
  /** Most pods at once for which the scheduler found no room; and one sentence of the scheduler. */
  readonly pending: { readonly most: number; readonly message: string };
}

interface Tally {
  readonly owner: string;
  readonly before: number;
  ready: number;
  fewest: number;
  shortSince: Millis | null;
  noneSince: Millis | null;
  shortMs: Millis;
  noneMs: Millis;
}

const serves = (pod: Pod) => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined;

function unfit(pod: Pod | undefined): string | null {
  if (!pod || pod.spec.nodeName || pod.metadata.deletionTimestamp !== undefined) return null;
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? (scheduled.message ?? '') : null;
}

/** From now on; what is Ready now is what should stay. */
export function watchOwners(api: Api): OwnerWatch {
  const { clock } = api;
  const tallies = new Map<string, Tally>();
  /** The first owner of pods that are not its any more: one that was handed over still serves for the owner that it had. */
  const firstOwner = new Map<string, string>();
  const waiting = new Set<string>();
  const pending = { most: 0, message: '' };

  const keyOf = (pod: Pod, previous?: Pod): string | undefined => {
    const { uid, ownerReferences } = pod.metadata;
    const first = firstOwner.size > 0 ? firstOwner.get(uid) : undefined;
    if (first !== undefined) return first;
    const owner = controllerOf(pod)?.uid;
    const before = previous && previous.metadata.ownerReferences !== ownerReferences ? controllerOf(previous)?.uid : undefined;
    if (before === undefined || before === owner) return owner;
    firstOwner.set(uid, before);
    return before;
  };
  for (const pod of api.list(pods)) {
    const key = keyOf(pod);
    if (!key || !serves(pod)) continue;
    const owner = controllerOf(pod);
    const known = tallies.get(key)?.before ?? 0;
    const before = known + 1;
    const name = `${pod.metadata.namespace}/${owner?.kind}/${owner?.name}`;
    tallies.set(key, {
      owner: name,
      before,
      ready: before,
      fewest: before,
      shortSince: null,
      noneSince: null,
      shortMs: 0,
      noneMs: 0,
    });
  }

  const change = (tally: Tally, by: number, now: Millis) => {
    tally.ready += by;
    tally.fewest = Math.min(tally.fewest, tally.ready);
    if (tally.ready < tally.before) tally.shortSince ??= now;
    else close(tally, now);
    if (tally.ready <= 0) tally.noneSince ??= now;
    else closeNone(tally, now);
  };
  const closeNone = (tally: Tally, now: Millis) => {
    if (tally.noneSince !== null) tally.noneMs += now - tally.noneSince;
    tally.noneSince = null;
  };
  const close = (tally: Tally, now: Millis) => {
    if (tally.shortSince !== null) tally.shortMs += now - tally.shortSince;
    tally.shortSince = null;
    closeNone(tally, now);
  };

  const stop = api.watch(pods, ({ type, object, previous }) => {
    const key = keyOf(object, previous);
    const was = previous !== undefined && serves(previous);
    const is = type !== 'DELETED' && serves(object);
    const tally = key === undefined ? undefined : tallies.get(key);
    if (tally && was !== is) change(tally, is ? 1 : -1, clock.now());
    const message = type === 'DELETED' ? null : unfit(object);
    if (message === null) waiting.delete(object.metadata.uid);
    else {
      waiting.add(object.metadata.uid);
      if (waiting.size > pending.most) Object.assign(pending, { most: waiting.size, message });
    }
    if (type === 'DELETED') firstOwner.delete(object.metadata.uid);
  });

  return {
    stop(now) {
      stop();
      for (const tally of tallies.values()) close(tally, now);
    },
    blinks: () =>
      [...tallies.values()]
        .filter(({ shortMs }) => shortMs > 0)
        .map(({ owner, before, fewest, shortMs, noneMs }) => ({ owner, before, fewest, shortMs, noneMs }))
        .sort((a, b) => b.noneMs - a.noneMs || b.shortMs - a.shortMs || (a.owner < b.owner ? -1 : 1)),
    pending,
  };
}
