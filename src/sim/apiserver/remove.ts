/** DELETE: preconditions, grace, finalizers, propagation (apiserver rest/delete.go, registry/store.go). */
import type { Millis } from '../../lib/clock.ts';
import { copyOf, type Writable } from '../copy.ts';
import type { KubeObject, Metadata } from '../kubernetes.ts';
import type { Entry } from '../store/collection.ts';
import { timestamp } from '../timestamp.ts';
import type { DeleteOptions } from './api.ts';
import { propagationErrors } from './metadata.ts';
import { invalid, preconditionFailed } from './refusals.ts';
import type { Core } from './registry.ts';
import type { Resource } from './resource.ts';

const NONE: readonly string[] = [];
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export function checkPreconditions(resource: Resource, object: KubeObject, options: DeleteOptions): void {
  if (!options.preconditions) return;
  const { uid, resourceVersion } = options.preconditions;
  const { metadata } = object;
  if (uid !== undefined && uid !== metadata.uid) throw preconditionFailed(resource.kind, metadata.name, 'UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw preconditionFailed(resource.kind, metadata.name, 'ResourceVersion', resourceVersion, metadata.resourceVersion);
}

/** The finalizers that the garbage collector acts on; without a wish in the options those that are there stay. */
export function collectedFinalizers(resource: Resource, metadata: Metadata, options: DeleteOptions): readonly string[] {
  const there = metadata.finalizers ?? NONE;
  if (resource.strategy.uncollected) return there;
  const wanted =
    options.propagation === 'Orphan'
      ? ORPHAN
      : options.propagation === 'Foreground'
        ? FOREGROUND
        : options.propagation === 'Background'
          ? undefined
          : (there.find((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND) ??
            (resource.strategy.orphansByDefault ? ORPHAN : undefined));
  const others = there.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const next = wanted === undefined ? others : [...others, wanted];
  const sameSet = next.length === there.length && next.every((finalizer) => there.includes(finalizer));
  return sameSet ? there : next;
}

interface Grace {
  /** Undefined: the kind knows no grace, or its time is up. */
  readonly mark?: { readonly deletionTimestamp: string; readonly deletionGracePeriodSeconds: number };
  /** It is being deleted already, and this deletion would not shorten its time. */
  readonly pending?: true;
}

const millisOf = (text: string): Millis => Date.parse(text);

function graceOf(core: Core, resource: Resource, object: KubeObject, options: DeleteOptions): Grace {
  const { strategy } = resource;
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  if (!strategy.grace) return {};
  const asked = options.gracePeriodSeconds === undefined ? undefined : negativeIsOne(options.gracePeriodSeconds);
  if (deletionTimestamp) {
    if (!deletionGracePeriodSeconds) return {};
    if (asked === undefined || asked >= deletionGracePeriodSeconds) return { pending: true };
    // Only backwards, and not into the past; a graceful end stays graceful, so one second at least is left.
    const at = millisOf(deletionTimestamp) - (deletionGracePeriodSeconds - asked) * 1000;
    const now = core.clock.now();
    if (at >= now) return { mark: { deletionTimestamp: timestamp(at), deletionGracePeriodSeconds: asked } };
    return { mark: { deletionTimestamp: timestamp(now), deletionGracePeriodSeconds: asked === 0 ? 0 : 1 } };
  }
  const seconds = strategy.grace(object, asked === undefined ? options : { ...options, gracePeriodSeconds: asked });
  if (seconds === undefined) return {};
  const whole = negativeIsOne(seconds);
  return { mark: { deletionTimestamp: timestamp(core.clock.now() + whole * 1000), deletionGracePeriodSeconds: whole } };
}

const negativeIsOne = (seconds: number) => (seconds < 0 ? 1 : seconds);

function marked(object: KubeObject, mark: Grace['mark'], finalizers: readonly string[]): KubeObject {
  const { deletionTimestamp: since, generation } = object.metadata;
  const metadata: Writable<Metadata> = copyOf(object.metadata);
  if (generation && !since) metadata.generation = generation + 1;
  if (mark) {
    metadata.deletionTimestamp = mark.deletionTimestamp;
    metadata.deletionGracePeriodSeconds = mark.deletionGracePeriodSeconds;
  }
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else if (object.metadata.finalizers) delete metadata.finalizers;
  return { ...object, metadata };
}

export interface Removal {
  readonly object: KubeObject;
  /** It is gone; otherwise it waits for its grace or its finalizers. */
  readonly gone: boolean;
}

export function removeEntry(core: Core, resource: Resource, entry: Entry, options: DeleteOptions = {}): Removal {
  const { strategy, shelf } = resource;
  const wrong = propagationErrors(options.propagation);
  if (wrong.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', wrong);
  const object = entry.object;
  strategy.admitDelete?.(object);
  checkPreconditions(resource, object, options);
  const grace = graceOf(core, resource, object, options);
  if (grace.pending) return { object, gone: false };
  const finalizers = collectedFinalizers(resource, object.metadata, options);
  const now = timestamp(core.clock.now());
  const held = finalizers.length > 0;

  if (held && !grace.mark) {
    // Waits for finalizers only: a deletion that is asked again, or that had a later end, is due now.
    const { deletionTimestamp: since } = object.metadata;
    const mark = {
      deletionTimestamp: since && millisOf(since) <= core.clock.now() ? since : now,
      deletionGracePeriodSeconds: 0,
    };
    return { object: store(marked(object, mark, finalizers)), gone: false };
  }
  if (grace.mark && (held || grace.mark.deletionGracePeriodSeconds > 0))
    return { object: store(marked(object, grace.mark, finalizers)), gone: false };
  // Upstream writes the grace of 0 first and deletes then; watchers see both.
  const last = grace.mark ? store(marked(object, grace.mark, finalizers)) : { ...object, metadata: { ...object.metadata } };
  if (options.dryRun) return { object: last, gone: true };
  return { object: core.store.remove(shelf, entry, grace.mark ? { ...last, metadata: { ...last.metadata } } : last), gone: true };

  function store(next: KubeObject): KubeObject {
    if (sameMarks(next, object)) return object;
    return options.dryRun ? next : core.store.replace(shelf, entry, next);
  }
}

const sameMarks = (next: KubeObject, current: KubeObject) =>
  next.metadata.deletionTimestamp === current.metadata.deletionTimestamp &&
  next.metadata.deletionGracePeriodSeconds === current.metadata.deletionGracePeriodSeconds &&
  next.metadata.finalizers === current.metadata.finalizers;
