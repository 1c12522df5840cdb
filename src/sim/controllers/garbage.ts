/** The garbage collector: deletes what has lost all its owners, and works off foreground and orphan deletions (pkg/controller/garbagecollector). */
import type { Api, Kind, Latency, Part, Propagation, WatchEvent } from '../apiserver/api.ts';
import { customResourceDefinitions } from '../apiserver/kinds.ts';
import type { KubeObject, OwnerReference } from '../kubernetes.ts';
import { kindOfOwner } from './owner-scale.ts';
import { createWorkQueue } from './work-queue.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
const manager = { fieldManager: 'kube-controller-manager' };

function isDeleted({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function waitsFor({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(finalizer) === true;
}

function refersTo({ metadata }: KubeObject, uid: string): OwnerReference | undefined {
  return metadata.ownerReferences?.find((owner) => owner.uid === uid);
}

function withoutOwners(object: KubeObject, uids: ReadonlySet<string>): KubeObject {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const kept = ownerReferences.filter(({ uid }) => !uids.has(uid));
  if (kept.length === ownerReferences.length) return object;
  return { ...object, metadata: { ...metadata, ...(kept.length > 0 && { ownerReferences: kept }) } };
}

export function startGarbageCollector(api: Api, options: { readonly latency?: Latency } = {}): Part {
  // Which kind an object is of, by uid: only of what waits in the queue.
  const kindOf = new Map<string, Kind>();
  const watched = new Map<Kind, () => void>();
  /** Kinds of which some object has ever had an owner: of thirty-odd a handful, and only these can hold dependents. */
  const owned = new Set<Kind>();

  function add(kind: Kind, uid: string): void {
    kindOf.set(uid, kind);
    queue.add(uid);
  }

  function* dependentsOf(uid: string) {
    for (const kind of owned) for (const object of api.dependents(kind, uid)) yield { kind, object };
  }

  /** By what the API server has now, never by hearsay: an owner with the right name and another uid is another object. */
  function ownerOf(object: KubeObject, reference: OwnerReference): KubeObject | 'absent' | 'invalid' {
    const kind = kindOfOwner(api, reference);
    if (!kind) return 'invalid';
    const { namespace } = object.metadata;
    if (kind.namespaced && namespace === undefined) return 'invalid';
    const owner = api.get(kind, kind.namespaced ? (namespace ?? '') : '', reference.name);
    return owner?.metadata.uid === reference.uid ? owner : 'absent';
  }

  function change(
    kind: Kind,
    { metadata: { namespace = '', name, uid } }: KubeObject,
    to: (object: KubeObject) => KubeObject,
  ): void {
    api.modify(kind, namespace, name, (each) => (each.metadata.uid === uid ? to(each) : each), manager);
  }

  function removeFinalizer(kind: Kind, object: KubeObject, finalizer: string): void {
    change(kind, object, (each) => {
      const { finalizers = [], ...metadata } = each.metadata;
      const kept = finalizers.filter((name) => name !== finalizer);
      if (kept.length === finalizers.length) return each;
      return { ...each, metadata: { ...metadata, ...(kept.length > 0 && { finalizers: kept }) } };
    });
  }

  function remove(kind: Kind, { metadata: { namespace = '', name, uid } }: KubeObject, propagation: Propagation): void {
    api.remove(kind, namespace, name, { propagation, preconditions: { uid } });
  }

  function waitForDependents(kind: Kind, object: KubeObject): void {
    const { uid } = object.metadata;
    let blocked = false;
    for (const dependent of dependentsOf(uid)) {
      if (!refersTo(dependent.object, uid)?.blockOwnerDeletion) continue;
      blocked = true;
      if (!waitsFor(dependent.object, FOREGROUND)) add(dependent.kind, dependent.object.metadata.uid);
    }
    if (!blocked) removeFinalizer(kind, object, FOREGROUND);
  }

  function process(uid: string): void {
    const kind = kindOf.get(uid);
    const object = kind && api.byUid(kind, uid);
    // First, as its own writes may queue it again.
    kindOf.delete(uid);
    if (!kind || !object) return;
    try {
      collect(kind, object);
    } catch (error) {
      kindOf.set(uid, kind);
      throw error;
    }
  }

  function collect(kind: Kind, object: KubeObject): void {
    const { uid } = object.metadata;
    if (waitsFor(object, ORPHAN)) {
      for (const dependent of dependentsOf(uid))
        change(dependent.kind, dependent.object, (each) => withoutOwners(each, new Set([uid])));
      return removeFinalizer(kind, object, ORPHAN);
    }
    if (waitsFor(object, FOREGROUND)) return waitForDependents(kind, object);
    if (isDeleted(object)) return;
    const references = object.metadata.ownerReferences ?? [];
    if (references.length === 0) return;

    const lost = new Set<string>();
    let solid = false;
    let foreground = false;
    for (const reference of references) {
      const owner = ownerOf(object, reference);
      // A kind nobody serves, or one that cannot own this: upstream asks for ever and deletes nothing.
      if (owner === 'invalid') return;
      if (owner === 'absent') lost.add(reference.uid);
      else if (waitsFor(owner, FOREGROUND)) {
        foreground = true;
        lost.add(reference.uid);
      } else solid = true;
    }
    if (solid) {
      if (lost.size > 0) change(kind, object, (each) => withoutOwners(each, lost));
      return;
    }
    const own = [...dependentsOf(uid)];
    if (foreground && own.length > 0) {
      // Two that wait for each other would wait for ever: whoever comes second does not hold its owners up.
      if (own.some((dependent) => waitsFor(dependent.object, FOREGROUND))) change(kind, object, withoutBlocking);
      return remove(kind, object, 'Foreground');
    }
    if (object.metadata.finalizers?.includes(ORPHAN)) return remove(kind, object, 'Orphan');
    remove(kind, object, object.metadata.finalizers?.includes(FOREGROUND) ? 'Foreground' : 'Background');
  }

  const queue = createWorkQueue({ clock: api.clock, random: api.random, latency: options.latency, process });

  function wakeOwners(object: KubeObject, references: readonly OwnerReference[]): void {
    for (const reference of references) {
      const kind = kindOfOwner(api, reference);
      const owner = kind && ownerOf(object, reference);
      if (kind && owner && typeof owner !== 'string' && waitsFor(owner, FOREGROUND)) add(kind, owner.metadata.uid);
    }
  }

  function onEvent(kind: Kind, { type, object, previous }: WatchEvent<KubeObject>): void {
    const { uid, ownerReferences = [] } = object.metadata;
    if (ownerReferences.length > 0) owned.add(kind);
    if (type === 'DELETED') {
      for (const dependent of dependentsOf(uid)) add(dependent.kind, dependent.object.metadata.uid);
      wakeOwners(object, ownerReferences);
      return;
    }
    const before = previous?.metadata.ownerReferences ?? [];
    if (ownerReferences !== previous?.metadata.ownerReferences) {
      if (ownerReferences.some((reference) => ownerIsAmiss(object, reference))) add(kind, uid);
      wakeOwners(
        object,
        before.filter((each) => each.blockOwnerDeletion && !refersTo(object, each.uid)?.blockOwnerDeletion),
      );
    }
    if (waitsFor(object, ORPHAN) && !(previous && waitsFor(previous, ORPHAN))) add(kind, uid);
    else if (waitsFor(object, FOREGROUND) && !(previous && waitsFor(previous, FOREGROUND))) {
      for (const dependent of dependentsOf(uid)) add(dependent.kind, dependent.object.metadata.uid);
      add(kind, uid);
    }
  }

  function ownerIsAmiss(object: KubeObject, reference: OwnerReference): boolean {
    const owner = ownerOf(object, reference);
    return owner === 'absent' || (typeof owner !== 'string' && waitsFor(owner, FOREGROUND));
  }

  function watchKinds(): void {
    const served = new Set(api.kinds());
    for (const [kind, stop] of watched) {
      if (served.has(kind)) continue;
      stop();
      watched.delete(kind);
      owned.delete(kind);
    }
    const seen = new Set([...watched.keys()].map(groupKind));
    for (const kind of served) {
      // Several versions of one resource are the same objects, and so are the two Event kinds, which own nothing.
      if (watched.has(kind) || seen.has(groupKind(kind)) || kind.kind === 'Event') continue;
      seen.add(groupKind(kind));
      watched.set(kind, () => {});
      watched.set(
        kind,
        api.watch(kind, (event) => onEvent(kind, event), { replay: true }),
      );
    }
  }

  watchKinds();
  const kindQueue = createWorkQueue({ clock: api.clock, process: watchKinds });
  const stopKinds = api.watch(customResourceDefinitions, () => kindQueue.add('kinds'));

  return {
    name: 'garbage-collector',
    stop() {
      stopKinds();
      for (const stop of watched.values()) stop();
      queue.stop();
      kindQueue.stop();
    },
  };
}

const groupKind = ({ group, kind }: Kind) => `${group}/${kind}`;

function withoutBlocking(object: KubeObject): KubeObject {
  const ownerReferences = object.metadata.ownerReferences?.map((each) => ({ ...each, blockOwnerDeletion: false }));
  return { ...object, metadata: { ...object.metadata, ...(ownerReferences && { ownerReferences }) } };
}
